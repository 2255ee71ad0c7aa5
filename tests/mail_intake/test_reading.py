"""Reading messages: what any mail program makes comes out whole, and what was made to hurt does no harm."""

import base64
import email.encoders
import email.policy
import json
import random
import struct
import subprocess
import sys
from email.message import EmailMessage
from email.mime.application import MIMEApplication
from email.mime.base import MIMEBase
from email.mime.multipart import MIMEMultipart
from email.mime.text import MIMEText
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from navette_server import ROOT

from mail_intake.addresses import addresses
from mail_intake.decoding import from_base64
from mail_intake.header import readable
from mail_intake.message import Fate, Message, read
from transfer.safe_names import safe_name

MESSAGES = sorted((Path(__file__).parent / "messages").glob("*.eml"))

NAMES = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Zl", "Zp"]), min_size=1, max_size=60)
LEFT_OUT_OR_OPENED = (".eml", ".ics", ".zip", ".msg", "signature.asc", "smime.p7s")
FILES = st.tuples(
    NAMES.filter(lambda name: name.strip() and not name.lower().endswith(LEFT_OUT_OR_OPENED)),
    st.binary(min_size=1, max_size=500).filter(lambda content: not content.startswith((b"\x78\x9f", b"PK"))),
    st.sampled_from(["base64", "quoted-printable"]),
    st.sampled_from(["attachment", "inline"]),
)
TREES = st.recursive(
    FILES | st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), max_size=40),
    lambda inner: st.lists(inner, min_size=1, max_size=4),
    max_leaves=8,
)


def built(tree: object, put_in: list[tuple[str, bytes]]) -> MIMEBase:
    """Make a part of a tree with the standard library, and note the files that were put into it."""
    if isinstance(tree, str):
        return MIMEText(tree, "plain", "utf-8")
    if isinstance(tree, list):
        part = MIMEMultipart("mixed")
        for each in tree:
            part.attach(built(each, put_in))
        return part
    name, content, encoding, disposition = tree  # type: ignore[misc]
    put_in.append((name, content))
    if encoding == "base64" or b"\r" in content or b"\n" in content:  # which belong to text in the other encoding
        file: MIMEBase = MIMEApplication(content)
    else:
        file = MIMEBase("application", "octet-stream")
        file.set_payload(content)
        email.encoders.encode_quopri(file)
    file.add_header("Content-Disposition", disposition, filename=("utf-8", "", name))
    return file


def files(message: Message) -> list[tuple[str, bytes]]:
    return [(part.name, part.content) for part in message.offered]


@settings(max_examples=300, deadline=None)
@given(TREES)
def test_every_file_of_a_generated_message_comes_out(tree: object) -> None:
    """However parts lie in parts, each file comes out once, in its place, with its name and its bytes."""
    put_in: list[tuple[str, bytes]] = []
    part = built(tree, put_in)
    told = files(read(part.as_bytes(policy=email.policy.SMTP)))
    assert [content for _, content in told] == [content for _, content in put_in]
    wanted = [name.replace("\\", "/").strip().rpartition("/")[2].strip() for name, _ in put_in]
    for (name, _), given_name in zip(told, wanted, strict=True):
        assert name.startswith(safe_name(given_name)) or not given_name


@settings(max_examples=200, deadline=None)
@given(NAMES.filter(str.strip), st.binary(min_size=1, max_size=300))
@example("\ud7a4", b"PK\x03\x04")
def test_a_name_survives_the_newer_library(name: str, content: bytes) -> None:
    """What the standard library's own policy makes of a name is read back."""
    message = EmailMessage()
    message["From"] = "jan@dupont.be"
    message.set_content("text")
    message.add_attachment(content, maintype="application", subtype="pdf", filename=name)
    part = read(message.as_bytes(policy=email.policy.SMTP)).parts[-1]
    last = name.replace("\\", "/").strip().rpartition("/")[2].strip()
    assert part.content == content
    if last and part.fate is Fate.DOCUMENT and len(last.split()) == len(last.split(" ")):
        assert part.name.startswith(safe_name(" ".join(last.split()))[:5])


@settings(max_examples=300)
@given(NAMES, st.emails())
def test_no_display_name_is_ever_the_sender(name: str, address: str) -> None:
    """Whatever stands before the address in angles, only the address is found, or nothing at all."""
    assert set(addresses(f"{name.replace('<', '')} <jan@dupont.be>")) <= {"jan@dupont.be"} or "," in name or ";" in name
    quoted = name.replace("\\", "").replace('"', "")
    assert addresses(f'"{quoted}" <jan@dupont.be>') == ["jan@dupont.be"]
    assert addresses(f'"{address}" <jan@dupont.be>') == ["jan@dupont.be"]


@given(st.binary(max_size=400), st.integers(1, 100), st.sampled_from([b"\n", b"\r\n"]))
def test_base64_of_any_line_length_is_read(content: bytes, width: int, end: bytes) -> None:
    """Lines may be of any length and end in either way."""
    encoded = base64.b64encode(content)
    lines = end.join(encoded[at : at + width] for at in range(0, len(encoded), width))
    assert from_base64(lines) == from_base64(lines + end) == content


@given(st.text(max_size=200))
def test_decoding_words_never_fails(text: str) -> None:
    """Any text can stand where encoded words may."""
    assert isinstance(readable(f"=?utf-8?Q?{text}?= {text} =?{text}?B?{text}?="), str)


def spoiled(raw: bytes, source: random.Random, other: bytes) -> bytes:
    """Damage a message as lines, disks and bad programs do."""
    at, to = sorted(source.randrange(len(raw) + 1) for _ in range(2))
    way = source.randrange(6)
    if way == 0:
        return raw[:at]
    if way == 1:
        return raw[:at] + raw[to:]
    if way == 2:
        return raw[:at] + source.randbytes(source.randrange(1, 20)) + raw[at:]
    if way == 3:
        return raw[:at] + other + raw[to:]
    if way == 4:
        return raw[:to] + raw[at:]
    lines = raw.split(b"\n")
    source.shuffle(lines)
    return b"\n".join(lines)


SPAWNING = ("winmail", "outlook", "pdf-locked", "pdf-open")


def test_no_damage_ends_a_reading() -> None:
    """5,000 damaged messages are all read, and all of what is said of them has its bytes and a name."""
    source = random.Random(20261124)
    originals = [path.read_bytes() for path in MESSAGES if not path.name.startswith(SPAWNING)]
    for _ in range(5_000):
        raw = source.choice(originals)
        for _ in range(source.randrange(1, 4)):
            raw = spoiled(raw, source, source.choice(originals)[:2_000]) or b"x"
        told = read(raw)
        assert len({part.path for part in told.parts}) == len(told.parts)
        for part in told.parts:
            assert part.name == safe_name(part.name)
            assert (part.fate is Fate.DOCUMENT) == (part.reason is None)
            assert part.content or part.fate is not Fate.DOCUMENT


SIZE = 400_000
BOUNDARY = b'Content-Type: multipart/mixed; boundary="b"\r\n\r\n'
TRAPS = {
    "bad header lines": b"x\n" * SIZE + b"From: a@b.be\n\n",
    "folded lines": b"Subject: x" + b"\r\n y" * SIZE,
    "semicolons": b"Content-Type: multipart/mixed" + b";" * SIZE,
    "parameters": b"Content-Type: multipart/mixed" + b"; a=b" * SIZE,
    "encoded words": b"Subject: " + b"=?utf-8?Q?a?= " * SIZE,
    "half words": b"Subject: " + b"=?utf-8?" * SIZE,
    "addresses": b"From: " + b"<" * SIZE + b"\r\nTo: " + b'"(' * SIZE,
    "commas": b"To: " + b"a@b.be," * SIZE,
    "boundaries": BOUNDARY + b"--b\r\n" * SIZE,
    "closings": BOUNDARY + b"--b--\r\n" * SIZE,
    "dashes": b"Content-Type: multipart/mixed\r\n\r\n" + b"--a:\n" * SIZE,
    "nested": b"".join(b'Content-Type: multipart/mixed; boundary="%d"\n\n--%d\n' % (n, n) for n in range(2_000)),
    "uuencode": b"\r\n" + b"begin 644 a\n" * SIZE,
    "uuencode lines": b"\r\nbegin 644 a\n" + b"#86)C\n" * SIZE,
    "base64 pieces": b"Content-Type: a/b; name=x\nContent-Transfer-Encoding: base64\n\n" + b"YQ==" * SIZE,
    "base64 dirt": b"Content-Type: a/b; name=x\nContent-Transfer-Encoding: base64\n\n" + b"a\n\n* " * SIZE + b"=",
    "html": b"Content-Type: text/html\n\n" + b"<a <script <" * SIZE,
    "quoted-printable": b"Content-Transfer-Encoding: quoted-printable\n\n" + b"=\n" * SIZE,
    "pdf": b'Content-Type: a/b; name="a.pdf"\n\n%PDF-' + b"/Encrypt " * SIZE,
}


@pytest.mark.parametrize("trap", TRAPS.values(), ids=TRAPS)
@pytest.mark.timeout(60)
def test_what_was_made_to_take_long_does_not(trap: bytes) -> None:
    """A megabyte that makes a careless reader take hours is read in seconds."""
    read(trap)


def test_a_message_of_too_many_parts_is_held_as_a_whole() -> None:
    """More parts than a message has are not read one by one, and nothing of them is lost."""
    raw = BOUNDARY + b"--b\r\nContent-Type: a/b; name=x\r\n\r\nx\r\n" * 1_001
    (part,) = read(raw).parts
    assert (part.fate, part.reason, part.content) == (Fate.HELD, "waiting.too_many_parts", raw)


LARGE = """
import resource, sys
from mail_intake.message import read
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
with open(sys.argv[1], "rb") as file:
    told = read(file.read())
print(sum(len(part.content) for part in told.parts), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""


def test_a_large_message_takes_little_more_than_its_own_size(tmp_path: Path) -> None:
    """Reading a message of 150 MB takes less than 450 MB."""
    content = b"%PDF-1.4\n" + bytes(range(256)) * 430_000
    encoded = base64.encodebytes(content)
    head = BOUNDARY + b'--b\r\nContent-Type: application/pdf; name="a.pdf"\r\nContent-Transfer-Encoding: base64\r\n\r\n'
    path = tmp_path / "large.eml"
    path.write_bytes(head + encoded + b"\r\n--b--\r\n")
    told = subprocess.run([sys.executable, "-c", LARGE, path], capture_output=True, text=True, cwd=ROOT, check=True)
    size, grown = map(int, told.stdout.split())
    assert size == len(content)
    assert path.stat().st_size > 148_000_000
    assert grown * 1024 < 450_000_000


def winmail_bomb() -> bytes:
    """Return a winmail.dat of a few bytes that promises two thousand million values."""
    properties = struct.pack("<IHHI", 1, 0x1003, 0x1234, 0x7FFFFFFF)
    opened = struct.pack("<BHHI", 1, 0x9003, 6, len(properties)) + properties
    return struct.pack("<IH", 0x223E9F78, 1) + opened + struct.pack("<H", sum(properties) & 0xFFFF) + b"\0" * 16


BURSTING = """
import json, resource, sys
from mail_intake.message import read
told = read(sys.stdin.buffer.read())
parts = [(part.name, part.fate.value, part.reason) for part in told.parts]
print(json.dumps([parts, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024]))
"""


@pytest.mark.timeout(120)
def test_a_file_that_bursts_its_reader_only_waits() -> None:
    """What takes all memory in the cage is held, and neither this process nor the rest of the mail suffers."""
    message = EmailMessage()
    message["From"] = "jan@dupont.be"
    message.set_content("text")
    message.add_attachment(winmail_bomb(), maintype="application", subtype="ms-tnef", filename="winmail.dat")
    message.add_attachment(b"%PDF-1.4 %%EOF", maintype="application", subtype="pdf", filename="facture.pdf")
    words = [sys.executable, "-c", BURSTING]  # a program of its own: of its children, one alone is measured
    ended = subprocess.run(words, input=message.as_bytes(), capture_output=True, cwd=ROOT, check=True)
    parts, largest = json.loads(ended.stdout)
    assert parts == [
        ["winmail.dat", Fate.HELD.value, "waiting.unreadable"],
        ["facture.pdf", Fate.DOCUMENT.value, None],
    ]
    assert largest < 900_000_000


def test_zips_together_cannot_fill_the_memory() -> None:
    """The bound holds for all archives of a message together, not for each alone."""
    import io
    import zipfile

    stored = io.BytesIO()
    with zipfile.ZipFile(stored, "w", zipfile.ZIP_DEFLATED) as opened:
        for n in range(90):
            opened.writestr(f"{n}.bin", b"\0" * 1024 * 1024)
    message = EmailMessage()
    message.set_content("text")
    for n in range(4):
        message.add_attachment(stored.getvalue(), maintype="application", subtype="zip", filename=f"{n}.zip")
    held = [part for part in read(message.as_bytes()).parts if part.fate is Fate.HELD]
    assert [(part.name, part.reason) for part in held] == [
        ("2.zip", "waiting.archive_too_large"),
        ("3.zip", "waiting.archive_too_large"),
    ]
