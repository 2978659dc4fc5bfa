"""A private Sendmail in front of the filter, built from deploy/sendmail/mxdrop.mc as a
postmaster would: m4 makes its configuration, everything it writes is below one directory.

Its program is never installed (it would replace the machine's MTA): install-packages.sh
unpacks it. It runs in namespaces of its own: under a qualified host name, without which it waits
a minute before it starts, and with the cluster's directory as /run/mxdrop, as the sample
names it, because it takes no socket below a directory that others may write to.
"""
import os
import pathlib
import shutil

import mta

# Started as the only thing in namespaces of its own.
START = """\
hostname mx.example.test
mount -t tmpfs -o mode=755 tmpfs /run
mkdir /run/mxdrop
mount --bind {cluster} /run/mxdrop
exec {root}/usr/libexec/sendmail/sendmail -bD -C{dir}/sendmail.cf
"""

# Load limits are lifted: a busy test machine must not change what Sendmail answers.
SENDMAIL_MC = """\
divert(0)dnl
include(`{root}/usr/share/sendmail/cf/m4/cf.m4')dnl
OSTYPE(`linux')dnl
define(`confDOMAIN_NAME', `mx.example.test')dnl
define(`confPID_FILE', `{dir}/pid')dnl
define(`QUEUE_DIR', `{dir}/queue')dnl
define(`STATUS_FILE', `')dnl
define(`ALIAS_FILE', `')dnl
define(`HELP_FILE', `')dnl
define(`SMART_HOST', `esmtp:[127.0.0.1]')dnl
define(`ESMTP_MAILER_ARGS', `TCP $h {sink}')dnl
define(`confDEF_USER_ID', `nobody:nogroup')dnl
define(`confTO_IDENT', `0')dnl
define(`confQUEUE_LA', `100000')dnl
define(`confREFUSE_LA', `100000')dnl
define(`confDELAY_LA', `100000')dnl
define(`confDONT_PROBE_INTERFACES', `True')dnl
DAEMON_OPTIONS(`Family=inet, Name=MTA, Port={port}, Addr=127.0.0.1')dnl
FEATURE(`no_default_msa')dnl
FEATURE(`promiscuous_relay')dnl
FEATURE(`accept_unresolvable_domains')dnl
FEATURE(`nocanonify')dnl
{filter}
MAILER(`smtp')dnl
"""


def sendmail_root():
    """Where install-packages.sh unpacked Sendmail."""
    root = pathlib.Path(os.environ.get("MXDROP_SENDMAIL_ROOT",
                                       mta.TOP / "build" / "sendmail-root"))
    if not os.access(root / "usr/libexec/sendmail/sendmail", os.X_OK):
        raise mta.Unavailable("Sendmail is not unpacked (deploy/install-packages.sh test)")
    if not shutil.which("m4"):
        raise mta.Unavailable("m4 is not installed")
    return root


def write_sendmail(directory, port, sink_port, cluster, run):
    """Make a whole private instance below directory; returns the command that starts it.

    cluster: directory of the filter's socket. run: harness.run.
    """
    if os.geteuid() != 0:
        raise mta.Unavailable("Sendmail needs root to start")
    if run(["unshare", "--uts", "--mount", "true"], check=False).returncode != 0:
        raise mta.Unavailable("no namespaces of one's own here")
    root = sendmail_root()
    (directory / "queue").mkdir(parents=True, mode=0o700)
    sample = (mta.TOP / "deploy" / "sendmail" / "mxdrop.mc").read_text()
    (directory / "sendmail.mc").write_text(SENDMAIL_MC.format(
        root=root, dir=directory, sink=sink_port, port=port, filter=sample))
    made = run(["m4", f"-D_CF_DIR_={root}/usr/share/sendmail/cf/",
                str(directory / "sendmail.mc")])
    (directory / "sendmail.cf").write_text(made.stdout)
    (directory / "start.sh").write_text(START.format(root=root, dir=directory, cluster=cluster))
    return ["unshare", "--uts", "--mount", "sh", "-e", str(directory / "start.sh")]
