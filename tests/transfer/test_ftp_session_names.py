"""Names, listings and removals in one session with servers that speak old or odd dialects."""

import io
from collections.abc import Callable
from dataclasses import replace

import pytest
from scripted_server import Answer, ScriptedServer
from session_faults import code_of, in_session, receipt, to

from transfer import ftp_wire
from transfer.ftp_listing import Listed, from_facts, from_list
from transfer.ftp_session import FtpSession, RemoteFile

MLSD = "211-all\r\n SIZE\r\n MLST type*;size*;\r\n211 End"


@pytest.mark.parametrize("path", ["/a\r\nDELE /b", "/a\n", "/\ud800"])
def test_a_name_cannot_smuggle_a_command(path: str) -> None:
    """A path with a line end, or one that no bytes stand for, is refused before anything is sent."""
    steps: list[Callable[[FtpSession], object]] = [
        lambda session: session.store(io.BytesIO(b"x"), path),
        lambda session: session.retrieve(path, io.BytesIO()),
        lambda session: session.remove(receipt(path)),
        lambda session: session.remove_all([receipt("/c"), receipt(path)]),
        lambda session: session.size(path),
        lambda session: session.make_folder(path),
        lambda session: session.rename("/c", path),
        lambda session: list(session.walk(path)),
    ]
    with ScriptedServer({"RNFR": "350 go on"}) as server, FtpSession(to(server), 5) as session:
        for step in steps:
            assert code_of(lambda step=step: step(session)) == ("session.bad_name", False)
    assert not any(b"DELE" in line or b"/a" in line for line in server.heard)


def test_names_in_an_old_encoding_are_fetched_and_removed_byte_by_byte() -> None:
    """A file that a scanner named in Latin-1 is listed, retrieved and removed under exactly its own bytes."""
    name = "facturée.pdf".encode("latin-1")
    answers: dict[str, Answer] = {"FEAT": MLSD, "DELE": "250 gone"}
    with ScriptedServer(answers) as server:
        server.answer("MLSD", server.sends(b"type=file;size=3;modify=20261124100000; " + name + b"\r\n"))
        server.answer("RETR", server.sends(b"abc"))
        with FtpSession(to(server), 5) as session:
            (file,) = session.walk()
            file.path.encode()
            session.retrieve(file.path, io.BytesIO())
            session.remove(receipt(file.path))
            session.remove_all([receipt(file.path)])
    assert [line for line in server.heard if line.startswith((b"RETR", b"DELE"))] == [
        b"RETR /" + name,
        b"DELE /" + name,
        b"DELE /" + name,
    ]


def test_replies_in_an_old_encoding_end_nothing() -> None:
    """A greeting or a refusal with Latin-1 accents is read like any other."""
    refusal = "550 Accès refusé".encode("latin-1")
    with ScriptedServer({"STOR": refusal}, "220 Serveur prêt".encode("latin-1")) as server:
        action = in_session(to(server), lambda session: session.store(io.BytesIO(b"x"), "/a"))
        assert code_of(action) == ("session.refused", False)


def test_forged_names_are_left_out_of_a_listing() -> None:
    """Names that would lead elsewhere are left out, and odd sizes are not believed."""
    lines = [
        *("type=cdir;; .", "type=pdir;; ..", "type=file;size=1; ../etc/passwd", "type=file;size=1; a/b"),
        *("type=file;size=1; ", "type=OS.unix=slink:/etc;size=1; link", "garbage", "type=file;size=²; deux"),
        *(f"type=file;size={'9' * 5000}; neuf", "type=file; sans rien"),
        *("Type=File;Size=7;Modify=20261124100000.123; é  x", "type=dir;; sous"),
    ]
    listings = iter(["\r\n".join(lines), "type=file;size=3;modify=20261124100000; .x\n"])

    def answer(server: ScriptedServer, _: str) -> str | bytes | None:
        sent = server.sends(next(listings).encode())
        assert callable(sent)
        return sent(server, "")

    with (
        ScriptedServer({"FEAT": MLSD, "MLSD": answer, "MDTM": "500 no"}) as server,
        FtpSession(to(server), 5) as session,
    ):
        assert list(session.walk()) == [
            RemoteFile("/deux", None, None),
            RemoteFile("/neuf", None, None),
            RemoteFile("/sans rien", None, None),
            RemoteFile("/é  x", 7, "20261124100000"),
            RemoteFile("/sous/.x", 3, "20261124100000"),
        ]


def test_an_endless_listing_is_broken_off(monkeypatch: pytest.MonkeyPatch) -> None:
    """A listing that does not end is given up before it fills the memory."""
    monkeypatch.setattr(ftp_wire, "_LONGEST_LISTING", 1_000_000)
    with ScriptedServer({"FEAT": MLSD}) as server:
        server.answer("MLSD", server.sends(b"type=file;size=1; x\r\n" * 200_000))
        assert code_of(in_session(to(server), lambda session: list(session.walk()))) == ("session.interrupted", True)


def test_a_server_without_machine_listing_is_read_and_asked_for_times() -> None:
    """Where only LIST is known, files come from its lines and their times from MDTM."""
    listing = (
        "total 2\r\n"
        "-rw-r--r--    1 1000     1000            3 Nov 24 03:46 scan 1.pdf\r\n"
        "lrwxrwxrwx    1 1000     1000            3 Nov 24 03:46 link -> scan 1.pdf\r\n"
    )
    with ScriptedServer({"MDTM": "213 20261124034600"}) as server:
        server.answer("LIST", server.sends(listing.encode()))
        with FtpSession(to(server), 5) as session:
            assert list(session.walk()) == [RemoteFile("/scan 1.pdf", 3, "20261124034600")]


@pytest.mark.parametrize(
    ("features", "size", "gone"),
    [
        ("211-all\r\n SIZE\r\n211 End", "550 none", True),
        ("211-all\r\n SIZE\r\n211 End", "213 3", False),
        ("502 unknown", "502 unknown", False),
    ],
)
def test_a_refused_removal_counts_only_when_the_file_is_gone(features: str, size: str, gone: bool) -> None:
    """A DELE that is refused is as good as done only if the server says that the file is not there."""
    answers: dict[str, Answer] = {"FEAT": features, "SIZE": size, "DELE": "550 no"}
    with ScriptedServer(answers) as server, FtpSession(to(server), 5) as session:
        assert session.remove_all([receipt("/a")]) == ([receipt("/a")] if gone else [])
        if gone:
            session.remove(receipt("/a"))
        else:
            assert code_of(lambda: session.remove(receipt("/a"))) == ("session.refused", False)


def test_one_busy_file_does_not_hide_what_was_removed() -> None:
    """Of many removals sent ahead, each reply counts for its own file, also behind one that is busy."""
    replies = iter(["250 gone", "450 busy", "250 gone"])
    answers: dict[str, Answer] = {"DELE": lambda *_: next(replies), "SIZE": "213 3"}
    with ScriptedServer(answers) as server, FtpSession(to(server), 5) as session:
        receipts = [receipt("/a"), receipt("/b"), receipt("/c")]
        assert session.remove_all(receipts) == [receipts[0], receipts[2]]
        assert session.size("/b") == 3


def test_a_session_asks_for_utf8_names() -> None:
    """A server that offers UTF-8 is told to use it, and a password with accents arrives in it."""
    answers: dict[str, Answer] = {"FEAT": "211-all\r\n UTF8\r\n211 End", "OPTS": "501 no"}
    with ScriptedServer(answers) as server, FtpSession(replace(to(server), password="pâsse"), 5):
        pass
    assert b"OPTS UTF8 ON" in server.heard
    assert "PASS pâsse".encode() in server.heard


@pytest.mark.parametrize(
    ("line", "listed"),
    [
        ("-rw-r--r--   1 root     root         7 Nov 24  2025 a  b.pdf", Listed("a  b.pdf", False, 7, None)),
        ("-rw-rw-rw-+  1 ftp      7 Dec  1 03:46  blank first", Listed(" blank first", False, 7, None)),
        ("drwxr-xr-x   2 0        0         4096 Nov 24 03:46 000204", Listed("000204", True, 4096, None)),
        ("-rw-r--r-- 1 501 20 12 2026-11-24 03:46 é 12 Nov 24 03:46 x", Listed("é 12 Nov 24 03:46 x", False, 12, None)),
        ("11-24-26  03:46AM                  123 scan 1.pdf", Listed("scan 1.pdf", False, 123, None)),
        ("11-24-2026  15:46       <DIR>          000204", Listed("000204", True, None, None)),
        ("lrwxrwxrwx 1 root root 7 Nov 24 03:46 a -> b", None),
        ("total 12", None),
        ("", None),
        ("-rw-r--r--", None),
    ],
)
def test_lines_of_list_are_read_in_both_dialects(line: str, listed: Listed | None) -> None:
    """Unix servers and IIS list files and folders each in their way; blanks in names are kept."""
    assert from_list(line) == listed


def test_facts_come_in_any_order_and_case() -> None:
    """A line of MLSD is read whatever the case and order of its facts, and a name keeps its blanks."""
    line = "Modify=20261124034600;UNIX.mode=0644;SIZE=12;Type=file;  two blanks "
    assert from_facts(line) == Listed(" two blanks ", False, 12, "20261124034600")
