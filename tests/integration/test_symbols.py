"""Symbols that no unit test brings about: a message for each, through the real scanner."""
import struct

import scand_wire as wire
from test_scand import (HEAD, scand_fixture,  # noqa: F401 pylint: disable=unused-import
                        with_attachment)
from test_scand_settings import zipped

MIME = HEAD + b"MIME-Version: 1.0\r\n"
MULTIPART = MIME + b"Content-Type: multipart/mixed; boundary=b1\r\n\r\n"
# A compound file that is one chain of 4,000 streams.
ENTRIES = b"".join(bytes(66) + b"\2\0" + struct.pack("<IIII", 2 ** 32 - 1, number + 1, 0, 0)
                   + bytes(44) for number in range(4000))
COMPOUND = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(504) + ENTRIES
# By symbol; what a reader sees of each is said in the detector's table.
MESSAGES = {
    "MX_ATTACH_CONTROL": with_attachment(b"x", b"=?utf-8?Q?a=01b.txt?="),
    "MX_ATTACH_DOUBLE": with_attachment(b"x", b"invoice.pdf.exe"),
    "MX_ATTACH_PADDED": with_attachment(b"x", b"invoice.pdf" + b" " * 60 + b".exe"),
    "MX_ATTACH_TRAILING": with_attachment(b"x", b"invoice.exe. ."),
    "MX_ARCHIVE_BROKEN": with_attachment(zipped(b"abc" * 999)[:60], b"a.zip"),
    "MX_ARCHIVE_LIMIT": with_attachment(zipped(*[b""] * 12000), b"a.zip"),
    "MX_DOC_LIMIT": with_attachment(COMPOUND, b"a.doc"),
    "MX_MIME_8BIT_HEADER": MULTIPART + b"--b1\r\nContent-Type: text/plain;"
                           b" name=\"Gr\xfc\xdfe.txt\"\r\n\r\nx\r\n--b1--\r\n",
    "MX_MIME_BAD_HEADER": MULTIPART + b"--b1\r\nno colon here\r\n\r\nx\r\n--b1--\r\n",
    "MX_MIME_EMPTY_PART": MULTIPART + b"--b1\r\nContent-Type: text/plain\r\n--b1--\r\n",
    "MX_MIME_NO_PARTS": MULTIPART + b"a preamble and nothing else\r\n--b1--\r\n",
}


def test_each_symbol_has_a_message(scand):
    """Each is found in its own."""
    client = scand().client
    missed = {}
    for symbol, message in MESSAGES.items():
        found = wire.symbols(client.scan(message, deadline_ms=60000))
        if symbol not in found:
            missed[symbol] = found
    assert not missed


def test_phishing_heuristic(scand, tmp_path):
    """A link that shows a protected name and leads elsewhere."""
    (tmp_path / "a.pdb").write_text("H:bank.example\n")
    (tmp_path / "b.ndb").write_text("Never.Found:0:*:6e6576657268657265\n")
    body = (b'<html><body><a href="http://198.51.100.7/x">https://www.bank.example/login</a>'
            b"</body></html>\r\n")
    one = scand(signatures=str(tmp_path))
    found = wire.symbols(one.client.scan(MIME + b"Content-Type: text/html\r\n\r\n" + body))
    assert "MX_CLAMAV_PHISHING" in found, found


def test_rule_that_would_take_for_ever(scand, tmp_path):
    """It is left out, and that is said."""
    (tmp_path / "a.cf").write_text("body SITE_SLOW /^((?:a+)+)+\\1[bc]$/\n")
    one = scand(detectors="[rules]", rules=f"{{dirs: ['{tmp_path}'], cache_dir: ''}}")
    found = wire.symbols(one.client.scan(HEAD + b"\r\n" + b"a" * 900 + b"\r\n"))
    assert "MX_RULES_LIMIT" in found, found
