"""Secrets are kept sealed, with a key that is not in the database."""

import threading
from pathlib import Path

import pytest
from cryptography.fernet import Fernet, InvalidToken
from firm_rooms import Clock, opened
from sqlalchemy import insert, select

from dossiers import backup, ftp_access, new_key, tables
from dossiers import dossier as dossiers
from dossiers.firm import Firm
from dossiers.sealing import Seal
from transfer.failures import PermanentFailure

SECRET = "Zeer-geheim-9X"


def test_a_secret_cannot_be_read_in_the_files_of_the_database(firm: Firm) -> None:
    """Neither the database nor its write-ahead log holds a password in clear."""
    firm.settings.set("ftp.read_password", SECRET)
    ftp_access.give_write_account(firm, dossiers.find(firm, "000204"), "WRITE_570013_000204", SECRET)
    written = b"".join(path.read_bytes() for path in (firm.home / "firm").glob("firm.*"))
    assert b"WRITE_570013_000204" in written
    assert SECRET.encode() not in written
    assert firm.settings.text("ftp.read_password") == SECRET


def test_only_its_owner_can_read_the_key(firm: Firm) -> None:
    """The key file is readable and writable by its owner, and the folder closed to all others."""
    assert (firm.home / "firm" / "firm.key").stat().st_mode & 0o777 == 0o600
    assert (firm.home / "firm").stat().st_mode & 0o777 == 0o700


def test_sealing_twice_gives_two_texts(tmp_path: Path) -> None:
    """Nobody can see in the database that two passwords are the same."""
    seal = Seal(tmp_path / "key")
    first, second = seal.seal(SECRET), seal.seal(SECRET)
    assert first != second
    assert seal.open(first) == seal.open(second) == SECRET


def test_a_secret_sealed_with_another_key_is_refused(firm: Firm, clock: Clock) -> None:
    """A key that was replaced is told by its code; the sealed secret is not shown."""
    firm.settings.set("ftp.read_password", SECRET)
    (firm.home / "firm" / "firm.key").unlink()
    with opened(firm.home, clock) as again, pytest.raises(PermanentFailure, match=r"sealing\.wrong_key"):
        again.settings.text("ftp.read_password")


@pytest.mark.parametrize("content", [b"", b"not a key"])
def test_a_damaged_key_is_refused(tmp_path: Path, content: bytes) -> None:
    """A key file that is empty or overwritten is told by its code."""
    (tmp_path / "key").write_bytes(content)
    with pytest.raises(PermanentFailure, match=r"sealing\.key_unreadable"):
        Seal(tmp_path / "key")


def test_of_many_that_make_the_key_one_wins(tmp_path: Path) -> None:
    """All that open a home at once end up with the same key, and no draft of it is left."""
    seals: list[Seal] = []
    threads = [threading.Thread(target=lambda: seals.append(Seal(tmp_path / "key"))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    sealed = seals[0].seal(SECRET)
    assert [seal.open(sealed) for seal in seals] == [SECRET] * 8
    assert [path.name for path in tmp_path.iterdir()] == ["key"]


def test_a_new_key_reaches_every_secret_and_every_program(home: Path, firm: Firm, clock: Clock) -> None:
    """The key from before opens nothing that is in the database now; a program that runs goes on with the new one."""
    firm.settings.set("ftp.read_password", SECRET)
    ftp_access.give_write_account(firm, dossiers.find(firm, "000204"), "WRITE_570013_000204", SECRET)
    stolen = (firm.home / "firm" / "firm.key").read_bytes()
    with opened(home, clock) as running:
        assert new_key.rotate(firm) == 2
        assert running.settings.text("ftp.read_password") == SECRET
        running.settings.set("alarms.smtp_password", SECRET)
    assert firm.settings.text("alarms.smtp_password") == SECRET
    assert (firm.home / "firm" / "firm.key").stat().st_mode & 0o777 == 0o600
    with firm.database.read() as connection:
        rows = connection.execute(select(tables.settings).where(tables.settings.c.name.like("%password"))).all()
        sealed = [row.value for row in rows]
        sealed += connection.scalars(
            select(tables.dossiers.c.write_password).where(tables.dossiers.c.number == "000204")
        )
    assert len(sealed) == 3
    for one in sealed:
        with pytest.raises(InvalidToken):
            Fernet(stolen.strip()).decrypt(one.encode())
        assert firm.seal.open(one) == SECRET


def test_a_backup_from_before_a_new_key_can_still_be_opened(firm: Firm, tmp_path: Path) -> None:
    """Earlier keys stay in the key file."""
    firm.settings.set("ftp.read_password", SECRET)
    backup.backup(firm, tmp_path / "before.db")
    new_key.rotate(firm)
    new_key.rotate(firm)
    backup.restore(firm, tmp_path / "before.db")
    assert firm.settings.text("ftp.read_password") == SECRET


def test_a_secret_that_no_key_opens_stops_the_sealing_anew(firm: Firm) -> None:
    """Either all are sealed anew or none is."""
    firm.settings.set("ftp.read_password", SECRET)
    with firm.database.write() as connection:
        connection.execute(insert(tables.settings).values(name="alarms.smtp_password", value="damaged"))
    with firm.database.read() as connection:
        before = connection.execute(select(tables.settings)).all()
    with pytest.raises(PermanentFailure, match=r"sealing\.wrong_key"):
        new_key.rotate(firm)
    with firm.database.read() as connection:
        assert connection.execute(select(tables.settings)).all() == before
