"""One session with servers that refuse, lie, stall or die."""

import io
import socket
import ssl
import struct
import threading
import time
from dataclasses import replace

import pytest
from pytest_localftpserver.plugin import PytestLocalFTPServer
from scripted_server import Answer, ScriptedServer, fingerprint
from session_faults import PASSWORD, code_of, in_session, opened, to

from transfer.client_ini import Connection, Security
from transfer.failures import Failure
from transfer.ftp_session import FtpSession


def hang_up(server: ScriptedServer, _: str) -> None:
    server.hang_up()


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        ("530 Login incorrect", ("session.login_refused", False)),
        (f"530 PASS {PASSWORD} is wrong", ("session.login_refused", False)),
        ("421 Too many connections", ("session.busy", True)),
    ],
)
def test_a_refused_login_never_repeats_the_password(reply: str, expected: tuple[str, bool]) -> None:
    """A refused login names the account; the password is in no text of the failure, not even one the server repeats."""
    with ScriptedServer({"PASS": reply}) as server:
        assert code_of(opened(to(server))) == expected


@pytest.mark.parametrize(
    ("welcome", "expected"),
    [
        ("421 Closed on Sundays", ("session.busy", True)),
        ("550 Go away", ("session.refused", False)),
        ("SSH-2.0-OpenSSH_9.2", ("session.unreachable", True)),
        (b"\xff\xfe\0garbage", ("session.unreachable", True)),
        ("2" * 20_000, ("session.unreachable", True)),
        (hang_up, ("session.unreachable", True)),
    ],
)
def test_a_strange_greeting_is_a_failure_with_a_code(welcome: Answer, expected: tuple[str, bool]) -> None:
    """A server that is busy, closes at once, or is no FTP server at all is told in a sentence."""
    with ScriptedServer({}, welcome) as server:
        assert code_of(opened(to(server), timeout=1)) == expected


def test_a_server_that_is_not_there_is_unreachable() -> None:
    """A port without a server is unreachable, and a name without an address is unknown; both may pass."""
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    nowhere = Connection("127.0.0.1", port, "u", PASSWORD, Security.NONE)
    assert code_of(opened(nowhere)) == ("session.unreachable", True)
    assert code_of(opened(replace(nowhere, host="no-such-host.invalid"))) == ("session.unknown_host", True)
    assert code_of(opened(replace(nowhere, host="a" * 70 + ".example"))) == ("session.unknown_host", True)


def test_a_silent_server_is_given_up() -> None:
    """A server that accepts and says nothing counts as gone after the timeout, and closing does not wait again."""
    with ScriptedServer({"FEAT": lambda *_: None}) as server:
        start = time.monotonic()
        assert code_of(opened(to(server), timeout=0.3)) == ("session.interrupted", True)
        assert time.monotonic() - start < 2


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        ("550 Not here", ("session.refused", False)),
        ("553 Name not allowed", ("session.refused", False)),
        ("552 Quota exceeded", ("session.full", True)),
        ("452 Disk full", ("session.full", True)),
        ("425 No data connection", ("session.busy", True)),
        ("nonsense", ("session.interrupted", True)),
        (hang_up, ("session.interrupted", True)),
    ],
)
def test_a_refused_deposit_says_why(reply: Answer, expected: tuple[str, bool]) -> None:
    """A full server may have room later; a refusal needs a person; a server that hangs up is tried again."""
    with ScriptedServer({"STOR": reply}) as server:
        assert code_of(in_session(to(server), lambda session: session.store(io.BytesIO(b"abc"), "/a"))) == expected


def dying(server: ScriptedServer, _: str) -> None:
    server.say("150 go on")
    server.data().recv(1000)
    server.hang_up()


def complaining(server: ScriptedServer, _: str) -> str:
    server.say("150 go on")
    with server.data() as data:
        data.recv(1000)
        data.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    return "552 Quota exceeded"


@pytest.mark.parametrize(
    ("answer", "expected"), [(dying, ("session.interrupted", True)), (complaining, ("session.full", True))]
)
def test_a_deposit_that_breaks_in_the_middle(answer: Answer, expected: tuple[str, bool]) -> None:
    """A server that dies in the middle is an interruption; one that closes and says why is believed."""
    with ScriptedServer({"STOR": answer}) as server:
        content = io.BytesIO(b"x" * 30_000_000)
        assert code_of(in_session(to(server), lambda session: session.store(content, "/a"), timeout=1)) == expected


def half(server: ScriptedServer, _: str) -> None:
    server.say("150 here it comes")
    server.data().sendall(b"half")
    server.hang_up()


@pytest.mark.parametrize("answer", [half, "150 but no data connection answers"])
def test_a_download_that_breaks_in_the_middle_is_a_failure(answer: Answer) -> None:
    """Half a file from a server that dies is an interruption, not a file."""
    with ScriptedServer({"RETR": answer, "QUIT": hang_up}) as server:
        action = in_session(to(server), lambda session: session.retrieve("/a", io.BytesIO()), timeout=0.5)
        assert code_of(action) == ("session.interrupted", True)


@pytest.mark.parametrize("pasv", ["227 nonsense", "227 Entering (127,0,0,1)", "421 no"])
def test_a_server_that_offers_no_data_connection(pasv: str) -> None:
    """A PASV reply that cannot be used is a failure that may pass."""
    with ScriptedServer({}) as server:
        server.pasv = pasv
        code, temporary = code_of(in_session(to(server), lambda session: session.store(io.BytesIO(b"x"), "/a")))
        assert temporary
        assert code in {"session.interrupted", "session.busy"}


def test_a_closed_data_port_names_the_firewall() -> None:
    """When the server answers but its data port does not, the failure says that no file can pass."""
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    with ScriptedServer({}) as server:
        server.pasv = f"227 Entering passive mode (127,0,0,1,{port // 256},{port % 256})"
        action = in_session(to(server), lambda session: session.store(io.BytesIO(b"x"), "/a"))
        assert code_of(action) == ("session.no_data_connection", True)


def test_a_stored_name_is_read_from_the_reply() -> None:
    """The path that the server says it stored under is taken, quotes doubled or not, and completed when it is short."""
    told = iter(
        ['226 "/000204/l\'""Été"" 2.pdf" stored', '226 Stored as "scan(2).pdf"', "226 Transfer complete", '226 "x']
    )

    def answer(server: ScriptedServer, _: str) -> str:
        server.say("150 go on")
        with server.data() as data:
            while data.recv(1000):
                pass
        return next(told)

    with ScriptedServer({"STOR": answer}) as server, FtpSession(to(server), 5) as session:
        stored = [session.store(io.BytesIO(b"x"), "/000204/scan.pdf") for _ in range(4)]
    assert [one.path for one in stored] == [
        '/000204/l\'"Été" 2.pdf',
        "/000204/scan(2).pdf",
        "/000204/scan.pdf",
        "/000204/scan.pdf",
    ]
    assert {one.told.sha256 for one in stored} == {None}


def test_a_broken_off_deposit_is_reset_and_the_session_stays_in_step() -> None:
    """After a callback raises, the server sees a reset and no end of file, and its answer goes to no later command."""
    seen = list[type[OSError] | bytes]()

    def answer(server: ScriptedServer, path: str) -> str:
        server.say("150 go on")
        received = b""
        try:
            with server.data() as data:
                while block := data.recv(65_536):
                    received += block
            seen.append(received[:3])
        except OSError as error:
            seen.append(type(error))
            return "426 broken off"
        return f'226 "{path}"'

    def raising(_: int) -> None:
        raise KeyboardInterrupt

    with ScriptedServer({"STOR": answer}) as server, FtpSession(to(server), 5) as session:
        with pytest.raises(KeyboardInterrupt):
            session.store(io.BytesIO(b"x" * 3_000_000), "/torn", None, raising)
        assert session.store(io.BytesIO(b"abc"), "/next").path == "/next"
    assert seen == [ConnectionResetError, b"abc"]


def test_a_session_is_over_when_the_server_does_not_answer_to_a_broken_transfer(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A late answer can never be taken for that to another command: the session then refuses to go on."""
    monkeypatch.setattr("transfer.ftp_session._BROKEN_OFF_SECONDS", 0.2)

    def mute(server: ScriptedServer, _: str) -> None:
        server.say("150 go on")
        server.data()

    def raising(_: int) -> None:
        raise KeyboardInterrupt

    with ScriptedServer({"STOR": mute}) as server, FtpSession(to(server), 5) as session:
        with pytest.raises(KeyboardInterrupt):
            session.store(io.BytesIO(b"x" * 300_000), "/torn", None, raising)
        assert code_of(lambda: session.size("/a")) == ("session.interrupted", True)


@pytest.mark.parametrize("security", Security)
def test_another_thread_can_end_a_transfer(security: Security, tls_server: PytestLocalFTPServer) -> None:
    """A transfer to a server that takes nothing more ends at once when the session is abandoned."""
    certificate = tls_server.cert_path
    stalled = threading.Event()

    def stalling(server: ScriptedServer, _: str) -> None:
        server.say("150 go on")
        server.data().recv(1)
        stalled.set()

    tls = security is Security.TLS
    with ScriptedServer({"STOR": stalling}, certificate=certificate if tls else None) as server:
        session = FtpSession(to(server, security, fingerprint(certificate) if tls else None), 60)
        ending = threading.Thread(target=lambda: stalled.wait(10) and session.abandon())
        ending.start()
        start = time.monotonic()

        def action() -> None:
            with session:
                session.store(io.BytesIO(b"x" * 50_000_000), "/a")

        assert code_of(action) == ("session.interrupted", True)
        ending.join()
        assert time.monotonic() - start < 10


def test_tls_ends_a_deposit_with_its_closing_message_only_when_it_is_whole(tls_server: PytestLocalFTPServer) -> None:
    """The server can tell a whole upload from a broken one: close_notify comes after the last byte and never before."""
    certificate = tls_server.cert_path
    endings = list[str]()

    def answer(server: ScriptedServer, _: str) -> str:
        server.say("150 go on")
        try:
            with server.data() as data:
                while data.recv(65_536):
                    pass
                endings.append("close_notify")
        except OSError as error:
            endings.append("reset" if isinstance(error, ConnectionResetError | ssl.SSLEOFError) else repr(error))
            return "426 broken off"
        return "226 done"

    def raising(_: int) -> None:
        raise KeyboardInterrupt

    with (
        ScriptedServer({"STOR": answer}, certificate=certificate) as server,
        FtpSession(to(server, Security.TLS, fingerprint(certificate)), 5) as session,
    ):
        session.store(io.BytesIO(b"x" * 300_000), "/a")
        with pytest.raises(KeyboardInterrupt):
            session.store(io.BytesIO(b"x" * 3_000_000), "/b", None, raising)
        session.store(io.BytesIO(b""), "/c")
    assert endings == ["close_notify", "reset", "close_notify"]


def test_nothing_is_said_before_the_certificate_is_checked(tls_server: PytestLocalFTPServer) -> None:
    """A server with another certificate hears neither account nor password."""
    certificate = tls_server.cert_path
    with ScriptedServer({}, certificate=certificate) as server:
        assert code_of(opened(to(server, Security.TLS, "0" * 64))) == ("session.fingerprint_differs", False)
        assert server.heard == [b"AUTH TLS"]


@pytest.mark.parametrize("announced", ["202 ok", "502 unknown", "552 too large"])
def test_what_is_announced_is_answered_before_the_transfer(announced: str) -> None:
    """ALLO goes with the command that follows it; whatever is answered to it, the replies stay in step."""

    def answer(server: ScriptedServer, _: str) -> str:
        server.say("150 go on")
        with server.data() as data:
            while data.recv(1000):
                pass
        return "226 stored"

    with ScriptedServer({"ALLO": announced, "STOR": answer}) as server, FtpSession(to(server), 5) as session:
        for _ in range(2):
            assert session.store(io.BytesIO(b"x"), "/a", 1).sent.size == 1
    assert server.heard[-7:-1] == [b"ALLO 1", b"PASV", b"STOR /a"] * 2


@pytest.mark.parametrize(
    ("answers", "code"),
    [
        ({"RNFR": "350 go on", "RNTO": "250 done"}, None),
        ({"RNFR": "550 none", "RNTO": "503 what first"}, "session.refused"),
        ({"RNFR": "350 go on", "RNTO": "553 taken"}, "session.refused"),
    ],
)
def test_both_answers_to_a_renaming_are_taken(answers: dict[str, Answer], code: str | None) -> None:
    """Renaming sends both commands at once; after a refusal of either the session is in step."""
    with ScriptedServer({**answers, "MDTM": "213 20261124072306"}) as server, FtpSession(to(server), 5) as session:
        try:
            session.rename("/a.part", "/a")
            told = None
        except Failure as failure:
            told = failure.code
        assert told == code
        assert session.modified("/a") == "20261124072306"
