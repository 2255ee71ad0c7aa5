"""What scanners, cameras and old clients do, row by row of a catalogue of devices, and what they must be answered.

====  =======================================================  ====================================================
row   what the device does                                     proven by
====  =======================================================  ====================================================
1     active mode only                                         test_hostile.test_active_mode, test_late_listener
2     passive mode only                                        test_hostile.test_passive_range_is_never_left,
                                                               test_public_address
3     ``TYPE i``                                               test_types
4     ``TYPE A N``, ``TYPE L 8``                               test_types, test_publishing.test_bytes_stay_as_they_are
5     ``MODE S``, ``STRU F``                                   test_mode_and_structure
6     ALLO                                                     test_evidence.test_announced_size
7     CWD per component, SIZE of a probe, ``//``               test_folder_by_folder
8     CWD to a missing folder, then XMKD                       test_missing_folder
9     MKD first, then CWD                                      test_existing_folder
10    uploads a file to try, and deletes it                    test_probe, test_probe_of_a_known_format
11    uploads under a temporary name, and renames it           test_temporary_name and the four after it
12    looks whether the folder can be browsed                  test_empty_list
13    adds date and time where a name is taken                 test_publishing.test_a_name_never_replaces_another
14    the same counter name again and again                    test_publishing.test_a_name_never_replaces_another
15    STOU                                                     test_name_of_the_servers_making
16    pauses between pages                                     test_publishing.test_half_a_file_is_invisible,
                                                               test_pause_between_pages
17    ``OPTS UTF8 ON`` before the login                        test_options_before_the_login
18    LF instead of CRLF                                       test_hostile.test_line_ends_and_telnet_marks
19    QUIT right behind the data                               test_hostile.test_quit_behind_the_data
20    names in other code pages; short logins, passwords       test_hostile.test_latin_names_do_not_collide,
                                                               test_code_pages, test_short_enough_to_type
21    TLS without session reuse                                test_no_session_reuse
22    TLS without close_notify                                 test_evidence.test_tls_without_close_notify_is_suspect,
                                                               test_switch_for_devices_without_close_notify
23    TLS 1.0 only                                             refused: test_hostile.test_old_tls_is_refused; the
                                                               listener of its own for such printers: not here
24    implicit FTPS                                            a listener of its own: not here
25    odd commands                                             test_odd_commands
====  =======================================================  ====================================================
"""

import socket
import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest
from dialogue import READ, WRITE, Dialogue, finish, logged_in
from navette_server import NavetteServer, navette, shared_server
from served import FIDUCIARY, PDF, serving, trusting
from waiting import until

import ftp_server.server
from ftp_server.data_connection import IDLE

TEXT = b"no format, no end mark " * 3000


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NavetteServer]:
    """A server that all tests share, each in a folder of its own."""
    with shared_server(tmp_path_factory.mktemp("devices") / "navette") as running:
        yield running


def evidence(server: NavetteServer, folder: str) -> list[tuple[object, ...]]:
    """Return name and evidence of what is on record for a folder."""
    return server.rows("select name, evidence from deposits where folder = ? order by name", folder)


def test_late_listener(server: NavetteServer) -> None:
    """Row 1: a device that listens only after its PORT was answered gets its connection when the transfer begins."""
    with logged_in(server) as session, socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        port = listening.getsockname()[1]
        assert session.say(f"PORT 127,0,0,1,{port // 256},{port % 256}")[:3] == "200"
        listening.listen(1)
        assert session.say("STOR /active/scan.pdf")[:3] == "150"
        data, _ = listening.accept()
        data.sendall(PDF)
        data.close()
        assert session.reply()[:3] == "226"
        assert session.say(f"EPRT |1|127.0.0.1|{port}|")[:3] == "200"
        assert session.say("NLST /active")[:3] == "150"
        data, _ = listening.accept()
        with data:
            assert data.recv(100) == b"scan.pdf\r\n"
        assert session.reply()[:3] == "226"
    assert server.published("active") == {"scan.pdf": PDF}


def test_public_address(tmp_path: Path) -> None:
    """Row 2: behind NAT, PASV tells the outside address; EPSV tells the port alone."""
    with serving(tmp_path, public_address="203.0.113.9") as served, logged_in(served) as session:
        host, port = session.passive()
        assert host == "203.0.113.9"
        assert f"|||{port}|" in session.say("EPSV")
        assert f"|||{port}|" in session.say("EPSV 1")


@pytest.mark.parametrize("words", ["I", "i", "A", "a", "A N", "a n", "I N", "L 8", "l 8", "L8"])
def test_types(server: NavetteServer, words: str) -> None:
    """Rows 3, 4: every way to say a type gets 200, before the login too, and no byte changes."""
    folder = "type-" + words.replace(" ", "-")
    content = b"a\nb\r\nc\rd\0" * 2000 + words.encode()
    with Dialogue(server) as session:
        assert session.say(f"TYPE {words}")[:3] == "200"
        assert session.log_in()[:3] == "230"
        assert session.say(f"TYPE {words}")[:3] == "200"
        assert session.store(f"{folder}/scan.bin", content)[:3] == "226"
    assert server.published(folder) == {"scan.bin": content}


def test_mode_and_structure(server: NavetteServer) -> None:
    """Row 5: MODE S and STRU F get 200 in either case, and what would change the bytes 504."""
    with logged_in(server) as session:
        for line in ("MODE S", "mode s", "STRU F", "stru f"):
            assert session.say(line)[:3] == "200"
        for line in ("MODE B", "MODE Z", "STRU R"):
            assert session.say(line)[:3] == "504"
        assert session.store("/stream/scan.pdf", PDF)[:3] == "226"


def test_folder_by_folder(server: NavetteServer) -> None:
    """Row 7: a device goes down folder by folder, asks the size of a probe file that is not there, and uploads."""
    with logged_in(server) as session:
        for line in ("CWD /", "CWD camera", "CWD 2026", "CWD //camera//2026/11"):
            assert session.say(line)[:3] == "250"
        assert session.say("PWD") == '257 "/camera/2026/11"'
        assert session.say("SIZE test.txt")[:3] == "550"
        assert session.store("a.pdf", PDF)[:3] == "226"
        assert session.say("SIZE //camera/2026//11/a.pdf") == f"213 {len(PDF)}"
        assert session.say("CDUP")[:3] == "250"
        assert session.say("XPWD") == '257 "/camera/2026"'
    assert server.published("camera") == {"2026/11/a.pdf": PDF}


def test_missing_folder(server: NavetteServer) -> None:
    """Row 8: where CWD is followed by XMKD for each level, each step is a success; a folder appears with its file."""
    with logged_in(server) as session:
        assert session.say("CWD /made/one")[:3] == "250"
        assert session.say("XMKD /made")[:3] == "257"
        assert session.say("XMKD /made/one")[:3] == "257"
        assert session.say("XCWD /made/one")[:3] == "250"
        assert server.published("made") == {}
        assert not (server.home / "server" / "fiduciaries" / FIDUCIARY / "files" / "made").exists()
        assert session.store("a.pdf", PDF)[:3] == "226"
    assert server.published("made") == {"one/a.pdf": PDF}


def test_existing_folder(server: NavetteServer) -> None:
    """Row 9: a folder that is there already is made with success again, also by another session, and tells nothing."""
    for _ in range(2):
        with logged_in(server) as session:
            assert session.say("MKD again") == session.say("MKD again") == '257 "/again" is there.'
            assert session.say("CWD again")[:3] == "250"
            assert session.store("a.pdf", PDF)[:3] == "226"
            assert session.say("MKD /again")[:3] == "257"


def test_probe(server: NavetteServer) -> None:
    """Row 10: a test file that its own session deletes is never delivered, and is on record as a test."""
    with logged_in(server) as session:
        assert session.store("/probe/testfile", b"test")[:3] == "226"
        assert session.say("SIZE /probe/testfile") == "213 4"
        assert server.published("probe") == {}
        assert session.say("DELE /probe/testfile")[:3] == "250"
        assert session.say("SIZE /probe/testfile")[:3] == "550"
        assert session.say("DELE /probe/testfile")[:3] == "550"
    assert server.published("probe") == {}
    until(lambda: evidence(server, "/probe") == [("testfile", "test")], 5, "the record of a test")


def test_probe_that_is_kept(server: NavetteServer) -> None:
    """Row 10: a tiny file that its session does not delete is a document like others, once the session ends."""
    with logged_in(server) as session:
        assert session.store("/kept/note.txt", b"one line")[:3] == "226"
        assert server.published("kept") == {}
        assert session.say("QUIT")[:3] == "221"
        until(lambda: server.published("kept") == {"note.txt": b"one line"}, 5, "the note")


def test_probe_of_a_known_format(server: NavetteServer) -> None:
    """Row 10: a document that its own session deletes right away is taken back; another session cannot."""
    with logged_in(server) as session, logged_in(server) as other:
        assert session.store("/taken-back/page.pdf", PDF)[:3] == "226"
        assert other.say("DELE /taken-back/page.pdf")[:3] == "550"
        assert server.published("taken-back") == {"page.pdf": PDF}
        assert session.say("DELE /taken-back/page.pdf")[:3] == "250"
    assert server.published("taken-back") == {}
    assert evidence(server, "/taken-back") == [("page.pdf", "test")]


@pytest.mark.parametrize("name", ["page.pdf", "page.tmp"])
def test_sent_again_after_it_was_deleted(server: NavetteServer, name: str) -> None:
    """Row 10: what its session deleted and sends again is a document like others: no retry of what was taken back."""
    folder = f"anew-{name}"
    with logged_in(server) as session:
        assert session.store(f"{folder}/{name}", PDF)[:3] == "226"
        assert session.say(f"DELE {folder}/{name}")[:3] == "250"
        assert session.store(f"{folder}/{name}", PDF)[:3] == "226"
    until(lambda: server.published(folder) == {name: PDF}, 5, "the document")


@pytest.mark.parametrize("name", [".scan.pdf", "scan.tmp", "scan.PART", "scan.pdf.filepart", "a.partial", "a.temp"])
def test_temporary_name(server: NavetteServer, name: str) -> None:
    """Row 11: under a temporary name a document waits until it is renamed, and is published under its name at once."""
    folder = "renamed-" + name.strip(".")
    with logged_in(server) as session:
        assert session.store(f"{folder}/{name}", PDF)[:3] == "226"
        assert server.published(folder) == {}
        assert session.say(f"RNFR {folder}/{name}")[:3] == "350"
        assert session.say(f"RNTO {folder}/scan.pdf") == f'250 It is now "/{folder}/scan.pdf".'
        assert server.published(folder) == {"scan.pdf": PDF}
        assert session.say(f"SIZE {folder}/scan.pdf") == f"213 {len(PDF)}"
        assert session.say(f"SIZE {folder}/{name}")[:3] == "550"
    assert server.published(folder) == {"scan.pdf": PDF}


def test_temporary_name_that_stays(server: NavetteServer) -> None:
    """Row 11: a document that is never renamed is published at the session's end, by QUIT, by REIN or by a cut."""
    for ending in (b"QUIT\r\n", b"REIN\r\n", b""):
        folder = f"stays-{ending[:4].decode()}"
        with logged_in(server) as session:
            assert session.store(f"{folder}/scan.tmp", PDF)[:3] == "226"
            assert server.published(folder) == {}
            session.send(ending)
            if ending:
                session.reply()
        until(lambda folder=folder: server.published(folder) == {"scan.tmp": PDF}, 5, "the document")


def test_rename_never_replaces(server: NavetteServer) -> None:
    """Row 11: RNTO onto a taken name gives the document a counter and tells so; the other one stays as it was."""
    with logged_in(server) as session:
        assert session.store("/twice/scan.pdf", PDF)[:3] == "226"
        for n, name in enumerate(("a.tmp", "b.pdf"), 2):
            assert session.store(f"/twice/{name}", PDF + name.encode() + b"%%EOF")[:3] == "226"
            assert session.say(f"RNFR /twice/{name}")[:3] == "350"
            assert session.say("RNTO /twice/scan.pdf") == f'250 It is now "/twice/scan({n}).pdf".'
    assert server.published("twice") == {
        "scan.pdf": PDF,
        "scan(2).pdf": PDF + b"a.tmp%%EOF",
        "scan(3).pdf": PDF + b"b.pdf%%EOF",
    }


def test_rename_of_what_is_not_ones_own(server: NavetteServer) -> None:
    """Row 11: RNFR of another session's document, and RNTO without RNFR, are refused and change nothing."""
    with logged_in(server) as session, logged_in(server) as other:
        assert session.store("/others/scan.pdf", PDF)[:3] == "226"
        assert other.say("RNFR /others/scan.pdf") == other.say("RNFR /others/nothing.pdf")
        assert other.say("RNTO /others/mine.pdf")[:3] == "503"
    assert server.published("others") == {"scan.pdf": PDF}


def test_a_retry_under_a_temporary_name(server: NavetteServer) -> None:
    """Row 11: the same document sent and renamed twice, as after a lost reply, is there once."""
    for _ in range(2):
        with logged_in(server) as session:
            assert session.store("/retried/scan.tmp", PDF)[:3] == "226"
            assert session.say("RNFR /retried/scan.tmp")[:3] == "350"
            assert session.say("RNTO /retried/scan.pdf")[:3] == "250"
    assert server.published("retried") == {"scan.pdf": PDF}


@pytest.mark.parametrize("command", ["LIST", "LIST -al", "LIST /nowhere", "NLST", "NLST *", "MLSD", "MLSD /nowhere"])
def test_empty_list(server: NavetteServer, command: str) -> None:
    """Row 12: a device that looks at a folder before it sends gets an empty list, never a refusal."""
    with logged_in(server) as session:
        assert session.fetch(command) == b""


def test_name_of_the_servers_making(server: NavetteServer) -> None:
    """Row 15: STOU tells the name with its extension in the 150, which is the name the document gets."""
    with logged_in(server) as session:
        session.say("CWD unique")
        for line, extension in ((b"STOU page.pdf", ".pdf"), (b"STOU", "")):
            data = session.data(session.passive())
            session.send(line + b"\r\n")
            told = session.reply()
            assert told.startswith("150 FILE: ")
            name = told.removeprefix("150 FILE: ")
            data.sendall(PDF + line + b"%%EOF")
            data.close()
            assert f'"/unique/{name}"' in session.reply()
            assert Path(name).suffix == extension
            assert server.published("unique")[name] == PDF + line + b"%%EOF"


def test_pause_between_pages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Row 16: a pause between two pages longer than a session may be idle ends nothing; it may last two minutes."""
    assert IDLE >= 120
    monkeypatch.setattr(ftp_server.server, "_IDLE", 0.2)
    monkeypatch.setattr(ftp_server.server, "_SWEEP", 0.1)
    with serving(tmp_path) as served, logged_in(served) as idle, logged_in(served) as session:
        data = session.begin("STOR scan.pdf")
        data.sendall(PDF[:1000])
        assert idle.reply()[:3] == "421"
        assert served.published() == {}
        data.sendall(PDF[1000:])
        finish(data)
        assert session.reply()[:3] == "226"
        assert served.published() == {"scan.pdf": PDF}


def test_options_before_the_login(server: NavetteServer) -> None:
    """Row 17: OPTS UTF8 ON gets 200 before and after the login, in any case and with NLST behind it."""
    with Dialogue(server) as session:
        for line in ("OPTS UTF8 ON", "opts utf8 on", "OPTS UTF-8", "OPTS UTF8 NLST"):
            assert session.say(line)[:3] == "200"
        assert session.log_in()[:3] == "230"
        assert session.say("OPTS UTF8 ON")[:3] == "200"


def test_code_pages(server: NavetteServer) -> None:
    """Row 20: names that are alike but for letters of CP437, Shift-JIS or CP1252 stay apart: none is lost."""
    names = [
        b"\x82.pdf",
        b"\x8a.pdf",
        b"\x81\x8d.pdf",
        "請求書".encode("shift-jis"),
        "見積書".encode("shift-jis"),
        b"\xe9",
    ]
    with logged_in(server) as session:
        for n, name in enumerate(names):
            assert session.store(b"pages/" + name, PDF + bytes([n]))[:3] == "226"
            assert session.say(b"SIZE pages/" + name) == f"213 {len(PDF) + 1}"
    assert len(server.published("pages")) == len(names)


def test_short_enough_to_type(server: NavetteServer) -> None:
    """Row 20: logins and passwords are ASCII and at most 32 characters long."""
    for login, password in server.passwords.items():
        assert login.isascii()
        assert password.isalnum()
        assert max(len(login), len(password)) <= 32


def test_no_session_reuse(server: NavetteServer) -> None:
    """Row 21: a device whose data connections begin TLS sessions of their own is served, with TLS 1.2 and 1.3."""
    for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
        with logged_in(server, tls=True) as session:
            data = session.data(session.passive())
            assert session.say(f"STOR tls/{version.name}.pdf")[:3] == "150"
            context = trusting()
            context.maximum_version = version
            protected = context.wrap_socket(data)
            assert not protected.session_reused
            protected.sendall(PDF)
            finish(protected)
            assert session.reply()[:3] == "226"
    assert server.published("tls") == {"TLSv1_2.pdf": PDF, "TLSv1_3.pdf": PDF}


def test_switch_for_devices_without_close_notify(server: NavetteServer) -> None:
    """Row 22: an account for devices that never say close_notify has its documents judged by what they hold."""
    login = f"{WRITE}_000204"
    navette(server.home, "server", "account", "close-notify", login, "optional")
    until(lambda: server.rows("select close_notify from accounts where login = ?", login) == [(0,)])
    half, replies = PDF[: len(PDF) // 2], {}
    for name, content in (("whole.pdf", PDF), ("half.pdf", half), ("text.txt", TEXT)):
        with logged_in(server, login, tls=True) as session:
            data = session.begin(f"STOR {name}")
            data.sendall(content)
            data.shutdown(socket.SHUT_WR)
            replies[name] = session.reply()[:3]
            data.close()
    assert replies == {"whole.pdf": "226", "half.pdf": "426", "text.txt": "226"}
    assert server.published("000204") == {"whole.pdf": PDF, "text.txt": TEXT}


ODD = (
    """
CLNT scanner 1.0|SITE UTIME 20260101120000 a.pdf|SITE UMASK 022|SITE CHMOD 644 a.pdf|SITE HELP|SITE|CSID Name=x
HOST ftp.example|LANG fr|ACCT none|MDTM 20260101120000 a.pdf|AVBL|AVBL /|MFMT 20260101120000 a.pdf|MFF x a.pdf
STAT /|STAT -l a.pdf|STAT|XCUP|SMNT /|NOOP x|HELP STOR|REIN x|XRMD old|RMD old|THMB JPEG 10 10 a.jpg|DSIZ|ESTA
OPTS HASH SHA-1|OPTS MLST type|SYST|CPSV|SSCN ON|ADAT x|CCC|PBSZ 0|PROT P|EPSV ALL|EPSV 7|XSHA1 a|MD5 a|COMB a b
RNTO a|ABOR|GET a|ls|put a b|site exec|\x7f|.|-|é|REST 5|REST ²|ALLO ²|ALLO  |ALLO x|TYPE X|PORT 1,2|EPRT |
""".strip()
    .replace("\n", "|")
    .split("|")
)


def test_odd_commands(server: NavetteServer) -> None:
    """Row 25: whatever a client asks for, before and after the login, gets one reply, and the session goes on."""
    for login in (None, WRITE):
        for line in ODD:
            with Dialogue(server) as session:
                if login:
                    assert session.log_in(login)[:3] == "230"
                reply = session.say(line)
                assert reply[0] in "25", (line, reply)
                assert session.say("NOOP") == "200 Yes.", line


def test_odd_commands_in_one_session(server: NavetteServer) -> None:
    """Row 25: all odd commands one after the other end no session, and it still deposits after them."""
    with logged_in(server) as session:
        for line in ODD:
            if not line.startswith(("REIN", "EPSV")):
                session.say(line)
        assert session.store("/odd/scan.pdf", PDF)[:3] == "226"
    assert server.published("odd") == {"scan.pdf": PDF}


def test_read_collects_what_devices_sent(server: NavetteServer) -> None:
    """READ lists and retrieves what a device deposited, by the same odd ways of speaking."""
    with logged_in(server) as session:
        assert session.store("/both/scan.pdf", PDF)[:3] == "226"
    with logged_in(server, READ, tls=True) as session:
        assert session.say("CWD //both")[:3] == "250"
        assert session.say("TYPE A N")[:3] == "200"
        assert session.fetch("NLST") == b"scan.pdf\r\n"
        assert session.fetch("RETR scan.pdf") == PDF
