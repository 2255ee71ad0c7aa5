"""Secrets are kept sealed, with a key that is not in the database."""

import threading
from pathlib import Path

import pytest
from firm_rooms import Clock, opened

from dossiers import dossier as dossiers
from dossiers import ftp_access
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
