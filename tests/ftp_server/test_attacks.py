"""What strangers and thieves try, row by row of a catalogue of attacks, and what it must not achieve.

===========================================  ======================================================================
attack                                       proven by
===========================================  ======================================================================
PORT to another address, or below 1,024      test_hostile.test_active_mode
PORT to the server itself                    test_bounce_to_the_server
PASV theft from another address              test_hostile.test_a_strangers_connection_is_dropped_without_a_word
PASV theft from the same address             test_one_connection_for_each_transfer, test_theft_of_a_bound_session
FTPS data hijack                             test_theft_of_a_bound_session, test_bound_accounts_are_served
PROT C after PASV                            test_protection_changed_in_between
clear data under PROT P                      test_clear_data, test_rights.test_data_must_be_protected_when_control_is
CCC, AUTH twice, AUTH after the login        test_no_way_back_from_tls
STARTTLS injection                           test_hostile.test_commands_sent_ahead_of_tls
TLS truncation                               test_evidence.test_tls_without_close_notify_is_suspect
data handshake never begun                   test_data_connection_that_never_speaks
transfers never begun, by the hundred        test_one_account_takes_no_more_than_half
killed client, reset                         test_evidence
ABOR, plain and in Telnet dress              test_abort_in_every_dress
ABOR behind the data                         test_abort_within_the_grace
REST and STOR on a stored document           test_no_deposit_in_the_middle
APPE to a stored document                    test_nothing_is_appended
RNTO over a stored document                  test_devices.test_rename_never_replaces
SITE CHMOD, MFMT, DELE, RMD, RNFR of others  test_others_documents
existence oracle                             test_others_documents, test_read_is_told_one_text
LIST, MLST, SIZE ... leaks                   test_rights.test_write_sees_only_its_own_session, test_others_documents,
                                             test_tracking.test_only_its_own
``..``, absolute paths                       test_rights.test_dossier_account_stays_in_its_dossier
backslash, drive, stream, reserved names     test_hostile.test_names_that_windows_cannot_hold
NUL, CR, ESC in names                        test_hostile.test_control_characters_in_names
names that look like others, LF              test_names_that_deceive
names of 252 bytes                           test_hostile.test_names_that_windows_cannot_hold
deep and many folders                        test_folders_without_end
50 MB without a line end                     test_a_line_without_end
600 connections from one address             test_many_sessions_of_one_address
never logs in                                test_login_deadline
data stalled                                 test_stalled_data
25,000 commands sent ahead                   test_commands_sent_ahead
brute force                                  test_guessing_ends_in_a_ban, test_a_known_device_outlives_a_ban
unknown users                                test_accounts.test_every_refusal_costs_the_same,
                                             test_rights.test_unknown_and_wrong_logins_read_alike
banner                                       test_strangers_learn_nothing
descriptors run out                          test_descriptors_run_out
descriptors leak                             test_rude_sessions_leave_nothing_open
disk full                                    test_hostile.test_full_disk, test_full_disk_over_tls
server killed, power cut                     test_leftovers, test_publishing.test_order_of_publication
server frozen, clock that jumps              test_interrupted, test_a_ban_ends_when_the_clock_goes_back
an account that was stolen                   test_changed_accounts, test_networks, test_quota
===========================================  ======================================================================
"""

import contextlib
import os
import resource
import socket
import ssl
import struct
import subprocess
import sys
import unicodedata
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
import scanners
from dialogue import READ, WRITE, Dialogue, deposited, finish, logged_in
from navette_server import NavetteServer, shared_server
from processes import descendants
from served import FIDUCIARY, PDF, JumpingClock, Served, serving, trusting
from waiting import still, until

import ftp_server.data_connection
import ftp_server.login
import ftp_server.room
import ftp_server.server
from ftp_server.bans import WINDOW, Bans, all_bans, lift
from ftp_server.board import Board
from ftp_server.server import database
from transfer.ftp_session import FtpSession

TEXT = b"no format, no end mark " * 3000
BOUND = f"{WRITE}_000205"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NavetteServer]:
    """A server that many tests share, each in a folder of its own; one of its accounts is bound."""
    with shared_server(tmp_path_factory.mktemp("attacks") / "navette", bound="000205") as running:
        yield running


def memory(server: NavetteServer) -> int:
    """Return the bytes of memory that the server's processes hold."""
    pages = [int(Path(f"/proc/{pid}/statm").read_text().split()[1]) for pid in descendants(server.pid)]
    return sum(pages) * os.sysconf("SC_PAGESIZE")


def open_files(pid: int) -> list[str]:
    """Return what the descriptors of a process lead to."""
    found = []
    for number in os.listdir(f"/proc/{pid}/fd"):
        with contextlib.suppress(FileNotFoundError):
            found.append(os.readlink(f"/proc/{pid}/fd/{number}"))
    return found


def test_bounce_to_the_server(server: NavetteServer) -> None:
    """PORT and EPRT to the server's own port are refused: it never speaks to itself."""
    with logged_in(server) as session:
        assert session.say(f"PORT 127,0,0,1,{server.port // 256},{server.port % 256}")[:3] == "501"
        assert session.say(f"EPRT |1|127.0.0.1|{server.port}|")[:3] == "501"
        assert session.say("STOR /bounce/a.pdf")[:3] == "425"


def test_one_connection_for_each_transfer(server: NavetteServer) -> None:
    """A second connection to the passive port is neither taken for this transfer nor for the next one."""
    with logged_in(server) as session:
        address = session.passive()
        data = session.data(address)
        assert session.say("STOR /single/first.pdf")[:3] == "150"
        thief = session.data(address)
        thief.sendall(b"the thief's bytes")
        data.sendall(PDF)
        finish(data)
        assert session.reply()[:3] == "226"
        assert session.store("/single/second.pdf", PDF)[:3] == "226"
        thief.close()
    assert server.published("single") == {"first.pdf": PDF, "second.pdf": PDF}


def test_theft_of_a_bound_session(server: NavetteServer) -> None:
    """Of a bound account, whoever did not begin its session cannot send for it: 522, with a session of his own too."""
    with logged_in(server, BOUND, tls=True) as victim, logged_in(server, BOUND, tls=True) as other:
        assert isinstance(other.sock, ssl.SSLSocket)
        for session in (None, other.sock.session):
            for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
                context = trusting() if session is None else other.context
                assert context is not None
                context.maximum_version = version
                data = victim.data(victim.passive())
                assert victim.say("STOR stolen.pdf")[:3] == "150"
                with contextlib.suppress(OSError):
                    thief = context.wrap_socket(data, session=session)
                    assert not thief.session_reused
                    thief.sendall(PDF)
                    finish(thief)
                assert victim.reply()[:3] == "522"
                data.close()
        assert victim.say("NOOP")[:3] == "200"
        assert victim.store("own.pdf", PDF)[:3] == "226"
    assert server.published("000205") == {"own.pdf": PDF}


def test_bound_accounts_are_served(server: NavetteServer, tmp_path: Path) -> None:
    """A bound account works with our own sessions, lftp and curl, several documents in one session; never in clear."""
    document = tmp_path / "lftp.pdf"
    document.write_bytes(PDF + b"l%%EOF")
    with FtpSession(server.connection(BOUND)) as session, document.open("rb") as file:
        for n in range(3):
            file.seek(0)
            assert session.store(file, f"/clients/ours-{n}.pdf").path == f"/clients/ours-{n}.pdf"
    scanners.lftp_tls(server.connection(BOUND), "/clients", [document])
    scanners.curl_tls(server.connection(BOUND), "/clients", [document.rename(tmp_path / "curl.pdf")])
    with logged_in(server, BOUND) as session, session.data(session.passive()):
        assert session.say("STOR clear.pdf")[:3] == "150"
        assert session.reply()[:3] == "522"
    assert set(server.published("000205/clients")) == {f"ours-{n}.pdf" for n in range(3)} | {"lftp.pdf", "curl.pdf"}


def test_protection_changed_in_between(server: NavetteServer) -> None:
    """A passive port that was opened under another PROT is not used any more: no clear bytes where TLS was meant."""
    with logged_in(server, tls=True) as session:
        data = session.data(session.passive())
        assert session.say("PROT C")[:3] == "200"
        assert session.say("STOR /flip/a.pdf")[:3] == "425"
        data.close()
        with session.data(session.passive()):
            assert session.say("STOR /flip/a.pdf")[:3] == "521"
        assert session.say("PROT P")[:3] == "200"
        assert session.say("STOR /flip/a.pdf")[:3] == "425"
        for line, code in (("PROT S", "536"), ("PROT E", "536"), ("PROT", "501")):
            assert session.say(line)[:3] == code
        assert session.store("/flip/b.pdf", PDF)[:3] == "226"
    assert server.published("flip") == {"b.pdf": PDF}


def test_clear_data(server: NavetteServer) -> None:
    """Bytes in the clear on a protected data connection are refused with 522 and stored nowhere."""
    with logged_in(server, tls=True) as session:
        data = session.data(session.passive())
        assert session.say("STOR /clear/a.pdf")[:3] == "150"
        data.sendall(PDF)
        data.close()
        assert session.reply()[:3] == "522"
        assert session.store("/clear/b.pdf", PDF)[:3] == "226"
    assert server.published("clear") == {"b.pdf": PDF}


def test_no_way_back_from_tls(server: NavetteServer) -> None:
    """There is no CCC, no second AUTH, and no AUTH for a session that logged in in the clear."""
    with logged_in(server, tls=True) as session:
        assert session.say("CCC")[:3] == "500"
        assert session.say("AUTH TLS")[:3] == "503"
        assert session.say("REIN")[:3] == "230"
        assert session.say("AUTH TLS")[:3] == "503"
    with logged_in(server) as session:
        assert session.say("AUTH TLS")[:3] == "503"
        assert session.say("PROT P")[:3] == "503"
        assert session.say("NOOP")[:3] == "200"
    with Dialogue(server) as session:
        assert session.say("AUTH KERBEROS_V4")[:3] == "504"


def test_data_connection_that_never_speaks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever never opens the data connection, or never shakes hands on it, is told so; others are served meanwhile."""
    monkeypatch.setattr(ftp_server.data_connection, "OPENING", 1.0)
    with serving(tmp_path) as served, contextlib.ExitStack() as opened:
        silent = [opened.enter_context(logged_in(served, tls=True)) for _ in range(4)]
        for session in silent[:2]:
            session.passive()
        for session in silent[2:]:
            opened.enter_context(session.data(session.passive()))
        for session in silent:
            assert session.say("STOR a.pdf")[:3] == "150"
        assert deposited(served, "/meanwhile")[:3] == "226"
        assert [session.reply()[:3] for session in silent] == ["425", "425", "522", "522"]
        assert silent[0].store("late.pdf", PDF)[:3] == "226"
        assert set(served.published()) == {"meanwhile/alive.pdf", "late.pdf"}


@pytest.mark.parametrize("address", ["127.0.0.1", "127.0.0.{}"])
def test_one_account_takes_no_more_than_half(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    """An account that begins transfers and sends nothing, from one address or many, leaves half of the threads free."""
    monkeypatch.setattr(ftp_server.data_connection, "OPENING", 3.0)
    with serving(tmp_path, transfers=4) as served, contextlib.ExitStack() as opened:
        silent = [opened.enter_context(Dialogue(served, address.format(n + 10))) for n in range(8)]
        for session in silent:
            session.send(f"USER {WRITE}\r\nPASS {served.passwords[WRITE]}\r\nPASV\r\nSTOR a.pdf\r\n".encode())

        def heard(reply: bytes) -> int:
            """Return how many of the sessions were told so, and have not read it yet."""
            return sum(reply in session.sock.recv(10_000, socket.MSG_PEEK) for session in silent)

        assert until(still(lambda: heard(b"\n150"))) == 2
        assert deposited(served, "/a", login=f"{WRITE}_000204")[:3] == "226"
        assert heard(b"\n425") == 0
        assert [[session.reply()[:3] for _ in range(5)] for session in silent] == [
            ["331", "230", "227", "150", "425"]
        ] * 8


@pytest.mark.parametrize("dress", ["plain", "telnet", "urgent", "urgent, in two", "urgent, halves"])
def test_abort_in_every_dress(server: NavetteServer, dress: str) -> None:
    """ABOR ends an upload with 426 and 226, as a line, behind Telnet's marks, and with the mark sent as urgent."""
    folder = f"abort-{dress}"
    with logged_in(server) as session:
        data = session.begin(f"STOR {folder}/a.pdf")
        data.sendall(PDF[:5000])
        if dress == "plain":
            session.send(b"ABOR\r\n")
        elif dress == "telnet":
            session.send(b"\xff\xf4\xff\xf2ABOR\r\n")
        elif dress == "urgent":
            session.sock.send(b"\xff\xf4\xff\xf2", socket.MSG_OOB)
            session.send(b"ABOR\r\n")
        elif dress == "urgent, in two":
            session.sock.send(b"\xff\xf4\xff", socket.MSG_OOB)
            session.send(b"\xf2ABOR\r\n")
        else:
            session.sock.send(b"\xf4", socket.MSG_OOB)
            session.sock.send(b"\xff", socket.MSG_OOB)
            session.send(b"ABOR\r\n")
        assert session.reply()[:3] == "426"
        assert session.reply()[:3] == "226"
        data.close()
        assert session.say("ABOR")[:3] == "225"
        assert session.store(f"{folder}/b.pdf", PDF)[:3] == "226"
    assert server.published(folder) == {"b.pdf": PDF}


def test_abort_within_the_grace(server: NavetteServer) -> None:
    """A cancel that closes the data connection first and then says ABOR publishes nothing that nothing else proves."""
    with logged_in(server) as session:
        data = session.begin("STOR /cancelled/a.txt")
        data.sendall(TEXT)
        data.close()
        session.send(b"ABOR\r\n")
        assert session.reply()[:3] == "426"
        assert session.reply()[:3] == "226"
        assert session.say("NOOP")[:3] == "200"
    assert server.published("cancelled") == {}


def test_no_deposit_in_the_middle(server: NavetteServer) -> None:
    """REST gets 350 for 0 only; whatever follows another offset, the stored document keeps its bytes."""
    with logged_in(server) as session:
        assert session.store("/middle/a.pdf", PDF)[:3] == "226"
        for offset in ("10", "1000000", "-1", "x", "9" * 30):
            assert session.say(f"REST {offset}")[0] == "5"
            assert session.store("/middle/a.pdf", b"%PDF-1.4\n" + offset.encode() + b"%%EOF")[:3] == "226"
        assert session.say("REST 0")[:3] == "350"
    stored = server.published("middle")
    assert stored["a.pdf"] == PDF
    assert len(stored) == 6
    with logged_in(server, READ, tls=True) as session:
        assert session.say("REST 10")[:3] == "350"
        assert session.fetch("RETR /middle/a.pdf") == PDF[10:]
        assert session.say("REST 10000000")[:3] == "350"
        assert session.fetch("RETR /middle/a.pdf") == b""
        assert session.fetch("RETR /middle/a.pdf") == PDF


def test_nothing_is_appended(server: NavetteServer) -> None:
    """APPE makes a document beside the one that is there; what may be only the rest of one is never published."""
    with logged_in(server) as session:
        assert session.store("/append/a.pdf", PDF)[:3] == "226"
        assert session.store("/append/a.pdf", PDF + b"\n", b"APPE")[:3] == "226"
        assert session.store("/append/a.pdf", PDF[1000:], b"APPE")[:3] == "426"
        assert session.say(f"ALLO {len(PDF) - 2000}")[:3] == "200"
        assert session.store("/append/a.pdf", PDF[2000:], b"APPE")[:3] == "426"
        assert session.store("/append/a.pdf", PDF[1000:])[:3] == "226"
    assert server.published("append") == {"a.pdf": PDF, "a(2).pdf": PDF + b"\n", "a(3).pdf": PDF[1000:]}


OTHERS = "SIZE MDTM MLST HASH XSHA256 XMD5 XCRC DELE RNFR RETR RMD SITE~CHMOD~777 SITE~RECEIPT MFMT~20260101120000"


def test_others_documents(server: NavetteServer) -> None:
    """What is there and what is not get the same reply to every command of an account that did not deposit it."""
    with logged_in(server) as session:
        assert session.store("/oracle/there.pdf", PDF)[:3] == "226"
    until(lambda: server.rows("select id from deposits where folder = '/oracle'"), 5, "the row")
    for login in (WRITE, f"{WRITE}_000204"):
        with logged_in(server, login) as session:
            for command in OTHERS.split():
                if command == "SITE~RECEIPT" and login == WRITE:  # it deposited it, in an earlier session
                    continue
                line = command.replace("~", " ")
                there, missing = (session.say(f"{line} /oracle/{name}.pdf") for name in ("there", "none"))
                assert there[0] == "5"
                assert there == missing
            for command in ("LIST /oracle", "NLST /oracle", "MLSD /oracle", "LIST /oracle/there.pdf"):
                assert session.fetch(command) == b""
            assert session.say("STAT /oracle") == session.say("STAT /none")
    assert server.published("oracle") == {"there.pdf": PDF}


def test_read_is_told_one_text(server: NavetteServer) -> None:
    """READ gets one text for what is missing, a file where a folder is asked for, and a path above its root."""
    with logged_in(server) as session:
        assert session.store("/one-text/a.pdf", PDF)[:3] == "226"
    with logged_in(server, READ, tls=True) as session:
        paths = ("/one-text/a.pdf", "/nowhere", "/../../staging", "/one-text/../../trash", "/one-text/a.pdf/x")
        assert {session.say(f"CWD {path}") for path in paths} == {"550 There is no such folder."}
        paths = ("/one-text", "/nowhere", "/../staging", "/../certificate.key", "/one-text/a.pdf/x", "/")
        assert {session.say(f"SIZE {path}") for path in paths} == {"550 There is no such file."}
        for path in paths:
            data = session.data(session.passive())
            assert session.say(f"RETR {path}") == "550 There is no such file."
            data.close()


DECEIVING = (
    "invoice\u202efdp.exe",
    "a\u200b.pdf",
    "a.pdf",
    "A.PDF",
    "bell\x07.pdf",
    "del\x7f.pdf",
    "line\u2028two.pdf",
)


def test_names_that_deceive(server: NavetteServer) -> None:
    """Names with invisible or turning characters, and twins, are stored apart under plain names, each on one line."""
    names = [*DECEIVING, unicodedata.normalize("NFD", "é.pdf"), "é.pdf", "É.pdf"]
    with logged_in(server) as session:
        for n, name in enumerate(names):
            assert session.store(f"/deceive/{name}", PDF + bytes([n]))[:3] == "226"
        assert session.say("SIZE /deceive/x\nNOOP")[:3] == "550"
        assert session.reply()[:3] == "200"
    stored = server.published("deceive")
    assert sorted(stored.values()) == sorted(PDF + bytes([n]) for n in range(len(names)))
    assert len({unicodedata.normalize("NFC", name).casefold() for name in stored}) == len(names)
    assert not [name for name in stored for each in name if unicodedata.category(each) in {"Cc", "Cf", "Zl", "Zp"}]
    with logged_in(server, READ, tls=True) as session:
        listed = session.fetch("NLST /deceive").decode().splitlines()
        assert sorted(listed) == sorted(stored)
        for name in listed:
            assert session.fetch(f"RETR /deceive/{name}") == stored[name]


def test_folders_without_end(server: NavetteServer) -> None:
    """Thousands of folders and deep ones leave nothing on the disk; deeper than four is refused."""
    with logged_in(server) as session:
        session.send(b"".join(b"MKD /many/%d\r\n" % n for n in range(2000)))
        assert {session.reply()[:3] for _ in range(2000)} == {"257"}
        for command in ("MKD", "CWD", "STOR", "SIZE"):
            assert session.say(f"{command} " + "deep/" * 300 + "a.pdf")[:3] == "553"
        for _ in range(4):
            assert session.say("CWD deep")[:3] == "250"
        assert session.say("CWD deep")[:3] == "553"
        assert session.say("PWD") == '257 "/deep/deep/deep/deep"'
        with session.data(session.passive()):
            assert session.say("STOR deep/a.pdf")[:3] == "553"
    assert server.published("many") == server.published("deep") == {}
    assert not (server.home / "server" / "fiduciaries" / FIDUCIARY / "files" / "many").exists()


def test_a_line_without_end(server: NavetteServer) -> None:
    """50 MB without a line end, before and after the login, end the session, hold no memory and delay nobody."""
    assert deposited(server, "/endless")[:3] == "226"
    before = memory(server)
    for login in (None, WRITE):
        with Dialogue(server) as session:
            if login:
                session.log_in(login)
            with contextlib.suppress(ConnectionError):
                for _ in range(50):
                    session.send(b"X" * 1_000_000)
            assert session.rest().count(b"\r\n") <= 1
    assert deposited(server, "/endless")[:3] == "226"
    assert memory(server) - before < 16_000_000


def test_a_flood_holds_up_nobody(server: NavetteServer) -> None:
    """A stranger who goes on sending after the server has said goodbye does not keep it from serving others."""
    with contextlib.ExitStack() as opened:
        for n in range(2):
            command = [sys.executable, "-c", FLOOD, server.host, str(server.port)]
            child = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
            opened.callback(child.wait)
            opened.callback(child.kill)
            assert child.stdout
            opened.enter_context(child.stdout)
            assert child.stdout.readline() == b"flooding\n"
            assert deposited(server, f"/flood-{n}")[:3] == "226"


FLOOD = """
import socket, sys, time
block = b"X" * 1_000_000
end = time.monotonic() + 20
told = False
while time.monotonic() < end:
    with socket.create_connection((sys.argv[1], int(sys.argv[2]))) as sock:
        try:
            while time.monotonic() < end:
                sock.sendall(block)
                if not told:
                    told = print("flooding", flush=True) is None
        except OSError:
            pass
"""


def test_many_sessions_of_one_address(server: NavetteServer) -> None:
    """600 connections from one address: 200 are greeted, the others get 421, and every other address is let in."""
    with contextlib.ExitStack() as opened:
        greetings = []
        for _ in range(600):
            session = Dialogue(server, "127.0.0.77")
            opened.enter_context(session)
            greetings.append(session.greeting[:3])
        assert greetings.count("220") == 200
        assert greetings.count("421") == 400
        assert deposited(server, "/others-get-in")[:3] == "226"

    def let_in() -> bool:
        with Dialogue(server, "127.0.0.77") as session:
            return session.greeting[:3] == "220"

    until(let_in, 5, "the address to be let in again")


def test_login_deadline(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who does not log in has until the deadline, whether he is silent, drips bytes, or keeps the server talking."""
    assert ftp_server.server._LOGIN_DEADLINE == 30
    monkeypatch.setattr(ftp_server.server, "_LOGIN_DEADLINE", 1.0)
    monkeypatch.setattr(ftp_server.server, "_SWEEP", 0.1)
    with serving(tmp_path) as served, contextlib.ExitStack() as opened:
        kept = opened.enter_context(logged_in(served))
        silent, dripping, noop, user, greeted = (opened.enter_context(Dialogue(served)) for _ in range(5))
        handshake = opened.enter_context(Dialogue(served))
        assert handshake.say("AUTH TLS")[:3] == "234"
        greeted.sock.settimeout(10)

        def ended(session: Dialogue, line: bytes) -> bool:
            try:
                session.send(line)
                return not line.endswith(b"\n") or session.reply()[:3] == "421"
            except (OSError, EOFError):
                return True

        until(lambda: ended(noop, b"NOOP\r\n"), 5, "the end of the NOOP loop")
        until(lambda: ended(user, b"USER someone\r\n"), 5, "the end of the USER loop")
        for _ in range(20):
            ended(dripping, b"U")
        assert b"421" in silent.rest()
        assert b"421" in dripping.rest()
        handshake.rest()
        assert kept.say("NOOP")[:3] == "200"


def test_stalled_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A sender that sends no byte for too long gets 426; a collector that takes none as well; nothing is published."""
    monkeypatch.setattr(ftp_server.data_connection, "IDLE", 0.5)
    with serving(tmp_path) as served:
        with logged_in(served) as session:
            data = session.begin("STOR a.pdf")
            data.sendall(PDF[:3000])
            assert session.reply()[:3] == "426"
            data.close()
            assert session.store("big.bin", b"x" * 20_000_000)[:3] == "226"
        assert set(served.published()) == {"big.bin"}
        assert served.suspects() == [PDF[:3000]]
        with logged_in(served, READ, tls=True) as session:
            data = session.begin("RETR big.bin")
            assert session.reply()[:3] == "426"
            data.close()
            assert session.say("NOOP")[:3] == "200"


def test_commands_sent_ahead(server: NavetteServer) -> None:
    """25,000 commands sent ahead are answered one by one, or end the session; another one deposits meanwhile."""
    with logged_in(server) as session, socket.socket() as stranger:
        stranger.settimeout(20)
        stranger.connect((server.host, server.port))
        with contextlib.suppress(ConnectionError):
            stranger.sendall(b"NOOP\r\n" * 25_000)
        session.send(b"PWD\r\n" * 2000)
        assert deposited(server, "/ahead")[:3] == "226"
        assert {session.reply()[:3] for _ in range(2000)} == {"257"}
        data = session.begin("STOR /ahead/b.pdf")
        with contextlib.suppress(ConnectionError):
            session.send(b"NOOP\r\n" * 5000)
        assert "421" in session.rest().decode()
        data.close()


def guesses(served: Served, source: str, tries: int, login: str = WRITE) -> list[str]:
    """Give so many wrong passwords at the same time, in a session each, and return the replies."""
    with contextlib.ExitStack() as opened:
        sessions = [opened.enter_context(Dialogue(served, source)) for _ in range(tries)]
        for n, session in enumerate(sessions):
            session.send(f"USER {login}\r\nPASS wrong{n}\r\n".encode())
        replies = [[session.reply()[:3] for _ in range(2)] for session in sessions]
        assert {reply[0] for reply in replies} == {"331"}
        return [reply[1] for reply in replies]


def entered(served: Served, source: str, login: str = WRITE) -> bool:
    """Tell whether the right password is let in from an address."""
    with Dialogue(served, source) as session:
        return session.log_in(login)[:3] == "230"


def test_guessing_ends_in_a_ban(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """15 wrong passwords from one address bring a ban in which even the right one is refused; others log in."""
    monkeypatch.setattr(ftp_server.login, "_FAILED_PAUSE", 0.1)
    with serving(tmp_path, safe=("127.0.0.9/32",)) as served:
        assert guesses(served, "127.0.0.66", 15) == ["530"] * 15
        assert not entered(served, "127.0.0.66")
        assert entered(served, "127.0.0.67")
        assert guesses(served, "127.0.0.9", 20) == ["530"] * 20
        assert entered(served, "127.0.0.9")
        assert [(ban.address, ban.times) for ban in all_bans(served.server._database)] == [("127.0.0.66", 1)]


def test_parallel_guessing_gets_no_more_tries(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Twenty connections that guess at the same time get fifteen checks together, not fifteen each."""
    monkeypatch.setattr(ftp_server.login, "_FAILED_PAUSE", 0.1)
    with serving(tmp_path) as served:
        checks: list[str] = []
        verify = served.server.accounts.verify

        def counted(login: str, password: str, peer: str) -> object:
            checks.append(password)
            return verify(login, password, peer)

        monkeypatch.setattr(served.server.accounts, "verify", counted)
        assert guesses(served, "127.0.0.66", 20) == ["530"] * 20
        assert len(checks) == 15


def test_a_known_device_outlives_a_ban(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A device whose password was right before keeps logging in, though its neighbour guessed until the ban."""
    monkeypatch.setattr(ftp_server.login, "_FAILED_PAUSE", 0.1)
    with serving(tmp_path) as served:
        assert deposited(served, "/before")[:3] == "226"
        assert guesses(served, "127.0.0.1", 16, f"{WRITE}_000204") == ["530"] * 16
        assert not entered(served, "127.0.0.1", f"{WRITE}_000204")
        assert deposited(served, "/after")[:3] == "226"


def test_bans_grow(tmp_path: Path) -> None:
    """Each ban of an address lasts twice as long as the one before, up to a day; lifting it lets the address in."""
    now = [1_800_000_000.0]
    with closing(database(tmp_path)) as opened:
        bans = Bans(opened, Board(), clock=lambda: now[0])
        lengths = []
        for _ in range(10):
            tries = 0
            while bans.may_try("203.0.113.7"):
                tries += 1
            assert tries == 15
            (ban,) = all_bans(opened)
            lengths.append(ban.until - now[0])
            now[0] = ban.until - 1
            assert not bans.may_try("203.0.113.7")
            assert bans.may_try("203.0.113.8")
            now[0] = ban.until + WINDOW
        assert lengths == [min(300 * 2**n, 86_400) for n in range(10)]
        now[0] = ban.until - 1
        lift(opened, "203.0.113.7")
        bans.refresh()
        assert bans.may_try("203.0.113.7")


def test_a_ban_ends_when_the_clock_goes_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An address that was banned by a clock a year ahead may log in again once the clock is right."""
    monkeypatch.setattr(ftp_server.login, "_FAILED_PAUSE", 0.1)
    clock = JumpingClock()
    clock.ahead = 365 * 86_400.0
    with serving(tmp_path, clock=clock) as served:
        assert guesses(served, "127.0.0.66", 15) == ["530"] * 15
        assert not entered(served, "127.0.0.66")
        clock.ahead = 0.0
        assert entered(served, "127.0.0.66")


def test_a_right_password_counts_as_no_try(tmp_path: Path) -> None:
    """An office whose devices log in with right passwords all day is never banned."""
    with closing(database(tmp_path)) as opened:
        bans = Bans(opened, Board())
        for _ in range(100):
            assert bans.may_try("203.0.113.7")
            bans.was_right("203.0.113.7")
        assert all_bans(opened) == []


def test_strangers_learn_nothing(server: NavetteServer) -> None:
    """Before the login nothing tells a program, a version, a name or an address; most commands get 530."""
    with Dialogue(server) as session:
        assert session.greeting == "220 Navette ready."
        for command in (
            "STAT",
            "LIST",
            "PWD",
            "PASV",
            "EPSV",
            "SIZE a",
            "CWD /",
            "STOR a",
            "RETR a",
            "SITE HELP",
            "ABOR",
        ):
            assert session.say(command) == "530 Log in with USER and PASS first."
        told = " ".join(session.say(command) for command in ("HELP", "SYST", "FEAT")).lower()
        assert "pyftpdlib" not in told
        assert "python" not in told
        assert session.say("USER root") == session.say(f"USER {WRITE}")


def test_descriptors_run_out(tmp_path: Path) -> None:
    """A server without a descriptor left goes on listening: it serves again as soon as some sessions have ended."""
    server = NavetteServer(tmp_path / "navette")
    server.add_accounts()
    server.start(None, "--processes", "1")
    try:
        assert deposited(server, "/before")[:3] == "226"
        (pid,) = {*descendants(server.pid)} or {server.pid}
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (len(open_files(pid)) + 20,) * 2)
        with contextlib.ExitStack() as opened:
            for _ in range(60):
                stranger = opened.enter_context(socket.socket())
                stranger.connect((server.host, server.port))
            until(lambda: "server.no_descriptors" in server.log.read_text(), 10, "the descriptors to run out")
            assert server.running

        def served() -> bool:
            with contextlib.suppress(OSError, EOFError, AssertionError):
                return deposited(server, "/after")[:3] == "226"
            return False

        until(served, 15, "the server to serve again")
    finally:
        server.stop()
    assert set(server.published()) == {"before/alive.pdf", "after/alive.pdf"}


def test_rude_sessions_leave_nothing_open(server: NavetteServer) -> None:
    """Sessions that vanish at every moment, with resets and half-made TLS, leave no descriptor open."""

    def sockets() -> int:
        return sum(len([each for each in open_files(pid) if each.startswith("socket:")]) for pid in processes)

    processes = descendants(server.pid)
    before = until(still(sockets))

    def rude(n: int) -> None:
        session = Dialogue(server)
        if n % 4:
            session.log_in()
            session.passive()
        if n % 4 == 1:
            data = session.begin("STOR /rude/a.pdf")
            data.sendall(PDF[:1000])
            data.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            data.close()
        elif n % 4 == 2:
            session.data(session.passive()).close()
        elif not n % 4:
            session.say("AUTH TLS")
            session.send(b"\x16\x03\x01\x02")
        session.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        session.sock.close()

    for n in range(80):
        rude(n)
    until(lambda: sockets() <= before, 10, "the sockets to be closed")
    assert server.published("rude") == {}


def test_full_disk_over_tls(tmp_path: Path) -> None:
    """Over TLS too, a disk that fills up is answered with 452 at once, and nothing of the document is kept."""
    disk = tmp_path / "disk"
    disk.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=72m", "tmpfs", str(disk)], check=True)
    try:
        with serving(disk / "server") as served, logged_in(served, tls=True) as session:
            data = session.begin("STOR big.bin")
            with contextlib.suppress(OSError):
                for _ in range(100):
                    data.sendall(b"x" * 1_000_000)
            assert session.reply()[:3] == "452"
            data.close()
            assert served.staged() == []
            assert session.store("small.pdf", PDF)[:3] == "226"
            assert served.published() == {"small.pdf": PDF}
    finally:
        subprocess.run(["umount", str(disk)], check=True)


def test_changed_accounts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A reset, a disabled and an ended account lose their open sessions within seconds, transfers included."""
    monkeypatch.setattr(ftp_server.server, "_SWEEP", 0.2)
    with serving(tmp_path) as served:
        accounts = served.server.accounts
        for change in (
            lambda: accounts.enable(WRITE, False),
            lambda: accounts.expire(WRITE, 1.0),
            lambda: served.passwords.update(accounts.reset(WRITE)),
        ):
            accounts.enable(WRITE, True)
            accounts.expire(WRITE, None)
            with logged_in(served) as idle, logged_in(served) as sending, logged_in(served, f"{WRITE}_000204") as other:
                data = sending.begin("STOR a.pdf")
                data.sendall(PDF[:1000])
                change()
                assert idle.reply()[:3] == "421"
                assert sending.reply()[:3] == "426"
                assert sending.reply()[:3] == "421"
                data.close()
                assert other.say("NOOP")[:3] == "200"
        assert served.published() == {}
        assert deposited(served, "/new")[:3] == "226"


def test_networks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An account that is bound to networks cannot be entered from elsewhere, though the password is right."""
    monkeypatch.setattr(ftp_server.login, "_FAILED_PAUSE", 0.1)
    with serving(tmp_path) as served:
        served.server.accounts.set_networks(WRITE, ["127.0.0.2/32"])
        with Dialogue(served) as session:
            assert session.log_in()[:3] == "530"
        with Dialogue(served, "127.0.0.2") as session:
            assert session.log_in()[:3] == "230"
            assert session.store("a.pdf", PDF)[:3] == "226"


def test_quota(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A fiduciary whose quota is full gets 452 before a byte is sent, until documents are collected."""
    monkeypatch.setattr(ftp_server.room, "_AGE", 0.0)
    tried: list[int] = []

    def replies() -> list[str]:
        """Try to deposit under a new name; tell the first reply and the last."""
        tried.append(0)
        with logged_in(served) as session, session.data(session.passive()) as data:
            first = session.say(f"STOR {len(tried)}.pdf")[:3]
            if first != "150":
                return [first]
            data.sendall(PDF)
            data.close()
            return [first, session.reply()[:3]]

    with serving(tmp_path) as served:
        served.server.accounts.set_quota(FIDUCIARY, 100_000)
        assert replies() == ["150", "226"]
        assert replies() == ["150", "226"]
        until(lambda: replies() == ["452"], 5, "the quota to count")
        with logged_in(served, READ, tls=True) as session:
            for path in served.published():
                assert session.say(f"DELE {path}")[:3] == "250"
        assert replies() == ["150", "226"]


def test_refusals_of_commands_sent_ahead(server: NavetteServer) -> None:
    """Of deletions sent ahead each gets its own reply, also those of paths that nobody can have."""
    with logged_in(server) as session:
        assert session.store("/ahead-of/a.pdf", PDF)[:3] == "226"
        names = ["none.pdf", "a/" * 20 + "x.pdf", "ahead-of/a.pdf", "ahead-of/a.pdf"]
        session.send("".join(f"DELE {name}\r\n" for name in names).encode() + b"NOOP\r\n")
        assert [session.reply()[:3] for _ in range(5)] == ["550", "550", "250", "550", "200"]
