"""Any bytes as commands, and any text as a name: what nobody thought of fails no session."""

import contextlib
import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from dialogue import Dialogue, deposited, logged_in
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from navette_server import NavetteServer, shared_server

from ftp_server.commands import ALIASES, COMMANDS
from transfer.safe_names import safe_name

ADDRESSES = (f"127.1.{high}.{low}" for high in range(256) for low in range(1, 255))
"""One for each session, so that none of them is banned for the wrong passwords of others."""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NavetteServer]:
    """A server that takes whatever comes; none of its sessions may fail, and it serves afterwards."""
    with shared_server(tmp_path_factory.mktemp("bytes") / "navette") as running:
        yield running
        assert deposited(running, "/afterwards")[:3] == "226"


ARGUMENTS = st.one_of(
    st.binary(max_size=60),
    st.text(max_size=40).map(lambda text: text.encode("utf-8", "surrogatepass")),
    st.sampled_from([b"", b" ", b"  ", b"/", b"..", b"-la", b"0", b"-1", b"\xc2\xb2", b"\xd9\xa1", b"9" * 400, b"TLS"]),
    st.sampled_from([b"|1|127.0.0.1|1|", b"|2|::1|9|", b"1,2,3,4,5,6", b"||||", b"|", b"127,0,0,1,999,999", b"A N"]),
    st.sampled_from([b"RECEIPT x", b"receipt \xff", b"UTF8 ON", b"MLST", b"all", b"1", b"2", b"a" * 2030, b"a/" * 900]),
)
NAMES = st.sampled_from([name.encode() for name in [*COMMANDS, *ALIASES] if name != "AUTH"])
LINES = st.one_of(
    st.binary(max_size=80),
    st.builds(lambda name, argument: name + b" " + argument, NAMES, ARGUMENTS),
    st.builds(lambda name, argument: name.lower() + argument, NAMES, ARGUMENTS),
    st.builds(lambda name: b"\xff\xf4\xff\xf2" + name, NAMES),
)
ENDS = st.sampled_from([b"\r\n", b"\n", b"\r\r\n"])
STREAMS = st.lists(st.builds(lambda line, end: line + end, LINES, ENDS), max_size=25).map(b"".join)
EXAMPLES = settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))


def exchanged(session: Dialogue, stream: bytes, cuts: list[int]) -> bytes:
    """Send a stream in pieces, and return all that the server says until it closes."""
    with contextlib.suppress(OSError):  # the server may have ended the session before all was sent
        for start, end in zip([0, *cuts], [*cuts, len(stream)], strict=True):
            session.send(stream[start:end])
        session.sock.shutdown(socket.SHUT_WR)
    return session.rest()


@EXAMPLES
@given(st.data(), STREAMS, st.booleans())
@example(None, b"REST \xc2\xb2\r\nALLO  \r\nALLO \xc2\xb2\r\nPORT \xc2\xb2,0,0,1,9,9\r\n", True)
@example(
    None, b"EPRT |1|127.0.0.1|\xc2\xb2|\r\nHASH \xff\r\nSITE RECEIPT \xed\xa0\x80\r\nUSER \xff\r\nPASS \xff\r\n", False
)
def test_any_bytes(server: NavetteServer, drawn: st.DataObject | None, stream: bytes, entered: bool) -> None:
    """Whatever comes, in whatever pieces, before and after the login: replies that are well formed, or the end."""
    places = st.lists(st.integers(0, len(stream)), max_size=6).map(sorted)
    cuts = drawn.draw(places) if drawn else []
    with Dialogue(server, next(ADDRESSES)) as session:
        if entered:
            assert session.log_in()[:3] == "230"
        answers = exchanged(session, stream, cuts)
    assert not answers or answers.endswith(b"\r\n")
    lines = answers.decode().split("\r\n")[:-1]
    asked = stream.count(b"\n")
    final = [line for line in lines if line[:3].isdecimal() and line[3:4] == " "]
    assert len(final) <= 2 * asked + 1  # USER behind a login and ABOR may get a second one; 421 and 500 end a session
    assert all(line[:3].isdecimal() or line.startswith(" ") for line in lines), lines
    assert not [line for line in final if line[:3] == "451"], lines


@EXAMPLES
@given(name=st.text(min_size=1, max_size=80).filter(lambda text: not set(text) & set("\0\r\n\x1b")))
@example(name="..")
@example(name=" ")
@example(name="a" * 79)
@example(name="/")
@example(name="\u0301")
@example(name="CON")
@example(name='"quoted" ""')
def test_any_name(server: NavetteServer, name: str) -> None:
    """Any text as a name is stored under a safe name, which is told, and is read back with the same bytes."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return
    content = b"%PDF-1.4\n" + os.urandom(16) + b"\n%%EOF\n"
    with logged_in(server) as session:
        told = session.store(f"/named/{name}", content)
        if told[:3] != "226":
            assert told[:3] == "553", told  # deeper than four folders
            return
        path = told[told.index('"') + 1 : told.rindex('"')].replace('""', '"')
        for part in Path(path.lstrip("/")).parts:
            assert safe_name(part) == part
        assert session.say(f"SIZE {path}") == f"213 {len(content)}"
        assert session.say("REIN")[:3] == "230"  # a document of a temporary name is published now
        assert content in server.published().values()
