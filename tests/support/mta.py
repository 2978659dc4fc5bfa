"""What stands around the filter in a test: a private Postfix, and a sink behind it.

Postfix runs from its own configuration, queue and data directories, as root (its master
insists), as the accounts of an installed Postfix or, without one, as two that every Debian
has. XCLIENT is allowed from loopback, so that a test can be any client on the Internet.
"""
import os
import pathlib
import pwd
import grp
import re
import smtplib
import socket
import socketserver
import threading
import time

TOP = pathlib.Path(__file__).resolve().parents[2]


class Unavailable(Exception):
    """This machine or user cannot run that part; the text says why."""


class Delivery:
    """One message as the sink received it."""

    def __init__(self, sender, recipients, data):
        self.sender = sender
        self.recipients = recipients
        self.data = data

    @property
    def head(self):
        """Header lines, unfolded."""
        text = self.data.split(b"\r\n\r\n", 1)[0].decode("latin-1")
        return re.sub(r"\r\n(?=[ \t])", "", text).split("\r\n")

    def headers(self, name):
        """Every value of a header field, in order."""
        prefix = name.lower() + ":"
        return [h[len(prefix):].strip() for h in self.head if h.lower().startswith(prefix)]

    def header(self, name):
        """The one value of a header field, or None; two are an error."""
        values = self.headers(name)
        assert len(values) <= 1, f"{name} appears {len(values)} times"
        return values[0] if values else None


class _SinkSession(socketserver.StreamRequestHandler):
    """Just enough SMTP to take everything Postfix sends, exactly as it is sent."""

    def reply(self, text):
        """One reply line, or several."""
        self.wfile.write(text.encode() + b"\r\n")

    def handle(self):
        sender, recipients = None, []
        self.reply("220 sink ESMTP")
        for raw in self.rfile:
            verb = raw[:4].upper()
            if verb == b"EHLO":
                self.reply("250-sink\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n250 PIPELINING")
            elif verb == b"MAIL":
                sender, recipients = _path(raw), []
                self.reply("250 2.1.0 ok")
            elif verb == b"RCPT":
                recipients.append(_path(raw))
                self.reply("250 2.1.5 ok")
            elif verb == b"DATA":
                self.reply("354 go on")
                data = self._read_data()
                if data is None:
                    return
                self.server.record(Delivery(sender, recipients, data))
                self.reply("250 2.0.0 taken")
            elif verb == b"QUIT":
                self.reply("221 2.0.0 bye")
                return
            else:
                self.reply("250 2.0.0 ok")

    def _read_data(self):
        lines = []
        for raw in self.rfile:
            if raw == b".\r\n":
                return b"".join(lines)
            lines.append(raw[1:] if raw.startswith(b".") else raw)
        return None


def _path(line):
    """The address between the angle brackets of MAIL or RCPT."""
    return line[line.index(b"<") + 1:line.index(b">")].decode("latin-1")


class Sink(socketserver.ThreadingTCPServer):
    """An SMTP server that accepts and remembers everything."""

    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 256

    def __init__(self):
        super().__init__(("127.0.0.1", 0), _SinkSession)
        self.port = self.server_address[1]
        self.deliveries = []
        self._changed = threading.Condition()
        threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True).start()

    def record(self, delivery):
        """Called by a session for each message it accepted."""
        with self._changed:
            self.deliveries.append(delivery)
            self._changed.notify_all()

    def wait_for(self, predicate, what, timeout=30):
        """Wait until predicate(deliveries) holds; returns a copy of the deliveries."""
        with self._changed:
            assert self._changed.wait_for(lambda: predicate(self.deliveries), timeout), \
                f"the sink waited {timeout} s for {what}; it has {len(self.deliveries)} messages"
            return list(self.deliveries)

    def with_subject(self, subject):
        """Deliveries of the message with that subject."""
        with self._changed:
            return [d for d in self.deliveries if subject in d.headers("Subject")]

    def close(self):
        """Stop listening."""
        self.shutdown()
        self.server_close()


MAIN_CF = """\
compatibility_level = 3.6
queue_directory = {dir}/queue
data_directory = {dir}/data
command_directory = {root}/usr/sbin
daemon_directory = {root}/usr/lib/postfix/sbin
shlib_directory = {root}/usr/lib/postfix
meta_directory = {dir}/etc
import_environment = MAIL_CONFIG MAIL_DEBUG MAIL_LOGTAG TZ LD_LIBRARY_PATH
mail_owner = {owner}
setgid_group = {group}
default_privs = nobody
maillog_file = {dir}/mail.log
maillog_file_prefixes = {dir}
myhostname = mx.example.test
mydestination =
alias_maps =
local_recipient_maps =
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
mynetworks = 127.0.0.0/8
relay_domains = static:all
smtpd_relay_restrictions = reject_unauth_destination
smtpd_recipient_restrictions = reject_unauth_destination
relayhost = [127.0.0.1]:{sink}
smtp_dns_support_level = disabled
smtpd_peername_lookup = no
smtpd_authorized_xclient_hosts = 127.0.0.1
smtpd_forbid_bare_newline = yes
smtpd_client_connection_count_limit = 0
smtpd_error_sleep_time = 0
smtpd_soft_error_limit = 1000
smtpd_hard_error_limit = 1000
smtpd_recipient_limit = 200
smtpd_timeout = 120s
minimal_backoff_time = 1s
maximal_backoff_time = 2s
queue_run_delay = 1s
smtpd_milters = {milters}
milter_default_action = tempfail
milter_connect_timeout = 10s
milter_command_timeout = 30s
milter_content_timeout = 120s
milter_protocol = 6
"""

MASTER_CF = """\
127.0.0.1:{port} inet n - n - 60 smtpd
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
smtp unix - - n - - smtp
relay unix - - n - - smtp
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
"""

# Directories that master and its children expect, with their modes.
QUEUE = {"incoming": 0o700, "active": 0o700, "bounce": 0o700, "corrupt": 0o700,
         "defer": 0o700, "deferred": 0o700, "flush": 0o700, "hold": 0o700,
         "saved": 0o700, "trace": 0o700, "private": 0o700, "maildrop": 0o730,
         "public": 0o710}


def postfix_root():
    """Where Postfix's files are: "" for an installed one, or a private copy's root."""
    private = TOP / "build" / "postfix-root"
    for root in (os.environ.get("MXDROP_POSTFIX_ROOT"), "", str(private)):
        if root is not None and os.access(f"{root}/usr/lib/postfix/sbin/master", os.X_OK):
            return root
    raise Unavailable("Postfix is not installed")


def accounts():
    """Mail owner and set-gid group: Postfix's own, or two that every Debian has."""
    for owner, group in (("postfix", "postdrop"), ("uucp", "news")):
        try:
            return pwd.getpwnam(owner), grp.getgrnam(group)
        except KeyError:
            continue
    raise Unavailable("no accounts for Postfix on this system")


def write_postfix(directory, port, sink_port, milters):
    """Write a whole private instance below directory; returns (program, environment)."""
    if os.geteuid() != 0:
        raise Unavailable("Postfix needs root to start")
    root = postfix_root()
    owner, group = accounts()
    etc = directory / "etc"
    etc.mkdir(parents=True)
    values = {"dir": directory, "root": root, "owner": owner.pw_name, "group": group.gr_name,
              "sink": sink_port, "port": port, "milters": milters}
    (etc / "main.cf").write_text(MAIN_CF.format(**values))
    (etc / "master.cf").write_text(MASTER_CF.format(**values))
    (etc / "dynamicmaps.cf").write_text("")
    (directory / "data").mkdir()
    os.chown(directory / "data", owner.pw_uid, -1)
    (directory / "queue" / "pid").mkdir(parents=True)
    for name, mode in QUEUE.items():
        path = directory / "queue" / name
        path.mkdir()
        gid = group.gr_gid if name in ("maildrop", "public") else 0
        os.chown(path, owner.pw_uid, gid)
        path.chmod(mode)
    environment = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "MAIL_CONFIG": str(etc)}
    if root:
        environment["LD_LIBRARY_PATH"] = f"{root}/usr/lib/postfix"
    return f"{root}/usr/lib/postfix/sbin/master", environment


def queue_files(directory):
    """Messages that Postfix still holds."""
    found = []
    for name in ("incoming", "active", "deferred", "hold"):
        found += [p for p in (directory / "queue" / name).rglob("*") if p.is_file()]
    return found


class Result:
    """What one SMTP transaction came to."""

    def __init__(self):
        self.mail = self.data = None
        self.rcpts = {}

    @property
    def accepted(self):
        """Recipients that were accepted, if the message was."""
        if not self.data or self.data[0] != 250:
            return []
        return [r for r, (code, _) in self.rcpts.items() if code == 250]

    @property
    def final(self):
        """The last reply: (code, text)."""
        return self.data or next((r for r in reversed(list(self.rcpts.values()))), self.mail)


class Session:
    """A client's SMTP session; every reply is kept, none raises."""

    def __init__(self, port, helo="client.example.org", addr=None, name=None, timeout=60):
        self.smtp = smtplib.SMTP("127.0.0.1", port, local_hostname=helo, timeout=timeout)
        self.smtp.ehlo(helo)
        if addr:
            code, text = self.smtp.docmd(f"XCLIENT ADDR={addr} NAME={name or '[UNAVAILABLE]'}")
            self.greeting = (code, text.decode("latin-1"))
            self.smtp.ehlo(helo)

    def send(self, sender, recipients, data):
        """One transaction. DATA is sent when at least one recipient was accepted."""
        result = Result()
        result.mail = self._do(self.smtp.mail, sender)
        if result.mail[0] == 250:
            for recipient in recipients:
                result.rcpts[recipient] = self._do(self.smtp.rcpt, recipient)
            if any(code == 250 for code, _ in result.rcpts.values()):
                result.data = self._data(data)
            else:
                self._do(self.smtp.rset)
        else:
            self._do(self.smtp.rset)
        return result

    def _data(self, data):
        try:
            code, text = self.smtp.data(data)
        except smtplib.SMTPDataError as error:
            code, text = error.smtp_code, error.smtp_error
        return code, text.decode("latin-1")

    @staticmethod
    def _do(command, *arguments):
        try:
            code, text = command(*arguments)
        except smtplib.SMTPServerDisconnected as error:
            return 0, str(error)
        return code, text.decode("latin-1")

    def close(self):
        """QUIT, whatever the server thinks of it."""
        try:
            self.smtp.quit()
        except (smtplib.SMTPException, OSError):
            self.smtp.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def send(port, sender, recipients, data, **options):
    """One message over a session of its own."""
    with Session(port, **options) as session:
        return session.send(sender, recipients, data)


def message(subject, body="Hello.\r\n", sender="alice@example.org", to="bob@example.test",
            extra=()):
    """A plain message with CRLF line ends."""
    head = [f"From: Alice <{sender}>", f"To: <{to}>", f"Subject: {subject}",
            "Date: Mon, 23 Nov 2026 12:00:00 +0000",
            f"Message-ID: <{abs(hash((subject, body, time.monotonic())))}@example.org>",
            "MIME-Version: 1.0", "Content-Type: text/plain; charset=utf-8", *extra]
    return ("\r\n".join(head) + "\r\n\r\n" + body).encode()


def is_listening(port):
    """Whether somebody accepts connections on a loopback port."""
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
    except OSError:
        return False
    return True


# The EICAR test file and SpamAssassin's GTUBE string, in pieces so that no scanner of the
# host takes this file for the thing itself.
EICAR = "X5O!P%@AP[4\\PZX54(P^)7CC)7}$" + "EICAR-STANDARD-ANTIVIRUS-TEST-FILE" + "!$H+H*"
GTUBE = "XJS*C4JDBQADN1.NSBN3*2IDNEN*" + "GTUBE-STANDARD-ANTI-UBE-TEST-EMAIL" + "*C.34X"


def eicar_message(subject, **options):
    """A message whose attachment is the EICAR file."""
    body = ("--cut\r\nContent-Type: text/plain\r\n\r\nSee attachment.\r\n"
            "--cut\r\nContent-Type: application/octet-stream; name=eicar.com\r\n"
            "Content-Disposition: attachment; filename=eicar.com\r\n\r\n"
            + EICAR + "\r\n--cut--\r\n")
    text = message(subject, body, **options).decode()
    return text.replace("text/plain; charset=utf-8",
                        'multipart/mixed; boundary="cut"', 1).encode()
