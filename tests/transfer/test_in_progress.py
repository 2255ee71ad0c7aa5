"""Names of files that somebody is still writing."""

import pytest

from transfer.in_progress import OWN_PREFIX, is_in_progress


@pytest.mark.parametrize(
    "name",
    [
        *("scan.pdf.part", "scan.PDF.FILEPART", "a.partial", "b.tmp", "c.TEMP", "d.crdownload", "e.download", ".x.swp"),
        *("~$facture.docx", ".~lock.facture.odt#", "._scan.pdf", "facture.docx~", "base.lock", OWN_PREFIX + "17"),
    ],
)
def test_unfinished_names_are_known(name: str) -> None:
    """What scanners, browsers, office programs, macOS and Navette itself call an unfinished file is left alone."""
    assert is_in_progress(name)


@pytest.mark.parametrize(
    "name", ["scan.pdf", "part.pdf", "temp", "a.partie", "tmp.pdf", "~facture.pdf", "lock", "x.parts"]
)
def test_finished_names_are_not(name: str) -> None:
    """A name that only resembles one of an unfinished file is an ordinary file."""
    assert not is_in_progress(name)
