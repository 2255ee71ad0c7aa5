"""The database copied into one file and back, and looked after; nothing is lost, doubled or shown."""

import sqlite3
from pathlib import Path

import pytest
from firm_rooms import Clock, add_dossiers, desk, folder, opened
from navette_server import navette

from dossiers import backup, journal, waiting_list
from dossiers import dossier as dossiers
from dossiers.designation import running_rounds
from dossiers.firm import Firm
from transfer.failures import Failure, PermanentFailure


@pytest.fixture
def kept(firm: Firm, tmp_path: Path) -> Path:
    """A backup of a firm with two dossiers, a secret, a delivered document and one that waits."""
    firm.settings.set("ftp.read_password", "Zeer-geheim-9X")
    with desk(firm) as at:
        for name, number in (("a.pdf", "000204"), ("b.pdf", None)):
            ((document, _),) = at.deliver((name, name.encode()), number=number).stored
            at.delivery.removed([document])
    file = tmp_path / "backup.db"
    backup.backup(firm, file)
    return file


def test_what_was_backed_up_comes_back_as_it_was(firm: Firm, kept: Path, clock: Clock) -> None:
    """All that happened since is undone in the database, what was there is kept aside, and work goes on after it."""
    before = journal.latest(firm)
    waiting_list.assign(firm, 2, "000204")
    dossiers.archive(firm, "000205")
    since = journal.latest(firm)
    _, aside = backup.restore(firm, kept)
    assert journal.latest(firm) == before
    assert [one.number for one in dossiers.every(firm)] == ["000204", "000205"]
    assert firm.settings.text("ftp.read_password") == "Zeer-geheim-9X"
    with desk(firm) as at:
        ((document, _),) = at.deliver(("c.pdf", b"c")).stored
    assert document.id == 3
    clock.turn(minutes=1)
    backup.restore(firm, aside)
    assert journal.latest(firm) == since


def test_a_backup_is_one_state_and_holds_no_secret(firm: Firm, kept: Path) -> None:
    """The file is whole, private data but no password and no key is in it, and nothing is left beside it."""
    with sqlite3.connect(kept) as copy:
        assert copy.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert copy.execute("SELECT count(*) FROM documents").fetchone() == (2,)
    copy.close()
    raw = kept.read_bytes()
    assert b"Zeer-geheim-9X" not in raw
    assert (firm.home / "firm" / "firm.key").read_bytes().strip() not in raw
    assert [path.name for path in kept.parent.iterdir() if "backup" in path.name] == ["backup.db"]


def test_a_backup_never_replaces_a_file(firm: Firm, kept: Path) -> None:
    """A name that is taken is refused, and a folder that is not there too."""
    before = kept.read_bytes()
    with pytest.raises(PermanentFailure, match=r"backup\.exists"):
        backup.backup(firm, kept)
    assert kept.read_bytes() == before
    with pytest.raises(PermanentFailure, match=r"backup\.no_folder"):
        backup.backup(firm, kept.parent / "missing" / "x.db")


@pytest.mark.parametrize("content", [None, b"", b"%PDF-1.7 not a database", b"SQLite format 3\0 but not really"])
def test_what_is_no_backup_is_refused_and_changes_nothing(firm: Firm, tmp_path: Path, content: bytes | None) -> None:
    """A missing file, another kind of file, a damaged one: the database stays as it is."""
    file = tmp_path / "other"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(Failure, match=r"backup\.not_one"):
        backup.restore(firm, file)
    assert len(dossiers.every(firm)) == 2


def test_nothing_is_restored_under_a_running_service(firm: Firm, kept: Path) -> None:
    """Whoever restores is told which machine runs; afterwards no lease of before can write."""
    with running_rounds(firm) as lease, pytest.raises(PermanentFailure, match=r"backup\.runs"):
        backup.restore(firm, kept)
    for _ in range(3):
        with running_rounds(firm):
            pass
    with running_rounds(firm) as stale:
        pass
    backup.restore(firm, kept)
    for old in (lease, stale):
        with pytest.raises(PermanentFailure, match=r"designation\.lost"), firm.database.write() as connection:
            old.fence(connection)


def test_a_backup_from_before_the_first_round_lets_no_epoch_come_back(home: Path, clock: Clock, tmp_path: Path) -> None:
    """It knows no lease yet; a program that held one since cannot write, however many run after the restoring."""
    with opened(home, clock) as firm:
        backup.backup(firm, tmp_path / "new.db")
        for _ in range(3):
            with running_rounds(firm) as stale:
                pass
        backup.restore(firm, tmp_path / "new.db")
        for _ in range(3):
            with running_rounds(firm) as lease:
                assert lease.epoch > stale.epoch


def test_a_sound_database_is_told_and_a_damaged_one_too(firm: Firm, kept: Path, home: Path, clock: Clock) -> None:
    """The check reads every table and opens every secret; damage on the disk has its code."""
    found = backup.check(firm)
    assert (found.dialect, found.documents) == ("sqlite", 2)
    firm.close()
    file = home / "firm" / "firm.db"
    raw = bytearray(file.read_bytes())
    for at in range(4096 * 4, len(raw), 4096):
        raw[at : at + 200] = b"\xff" * 200
    file.write_bytes(raw)
    with pytest.raises(Failure, match=r"database\.damaged"), opened(home, clock) as damaged:
        backup.check(damaged)


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("en", ("is sound", "Keep", "is restored")),
        ("fr", ("est saine", "Gardez aussi", "est restaurée")),
        ("nl", ("is in orde", "Bewaar ook", "is teruggezet")),
    ],
)
def test_the_commands_say_what_they_did(
    firm: Firm, home: Path, tmp_path: Path, language: str, words: tuple[str, ...]
) -> None:
    """Check, backup and restore, each in a sentence."""
    run = ("--language", language, "db")
    file = tmp_path / "copy.db"
    assert words[0] in navette(home, *run, "check").stdout
    assert words[1] in navette(home, *run, "backup", file).stdout
    add_dossiers(firm, "000300")
    assert words[2] in navette(home, *run, "restore", file).stdout
    assert len(dossiers.every(firm)) == 2
    assert folder(firm).parent.name == "000204 Client 000204"
