"""Dossiers: what may be declared, and the folder each one gets."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from firm_rooms import START

from dossiers import dossier as dossiers
from dossiers.dossier import Dossier, enterprise_number
from dossiers.firm import Firm
from transfer.failures import PermanentFailure

ROOT = Path("/srv/dossiers")


def test_a_dossier_gets_a_folder_by_number_name_and_year() -> None:
    """By default documents go to root, number and name, year."""
    dossier = Dossier("000204", "Boulangerie Éclair", "fr")
    assert dossier.folder(ROOT, START) == ROOT / "000204 Boulangerie Éclair" / "2026"


def test_the_year_is_the_one_on_the_wall(monkeypatch: pytest.MonkeyPatch) -> None:
    """A document of New Year's first minute in Brussels goes to the new year."""
    import time

    monkeypatch.setenv("TZ", "Europe/Brussels")
    time.tzset()
    try:
        folder = Dossier("000204", "X", "fr", "{root}/{year}-{month}").folder(
            ROOT, datetime(2026, 12, 31, 23, 1, tzinfo=UTC)
        )
    finally:
        monkeypatch.undo()
        time.tzset()
    assert folder == ROOT / "2027-01"


@pytest.mark.parametrize("name", ["../../etc", "a/b\\c", "CON", "x" * 300, "nul.", "  "])
def test_no_name_leads_out_of_the_root(name: str) -> None:
    """Whatever a dossier is called, its folder stays one level below the root, with a name that Windows takes."""
    folder = Dossier("000204", name, "fr").folder(ROOT, START)
    assert folder.parent.parent == ROOT
    assert ".." not in folder.parts


def test_the_folder_that_must_exist_is_the_one_that_is_given() -> None:
    """What stands before the first placeholder is never made: it may be a drive that is away."""
    assert Dossier("1", "X", "fr").anchor(ROOT) == ROOT
    assert Dossier("1", "X", "fr", "/mnt/compta/X").anchor(ROOT) == Path("/mnt/compta/X")
    assert Dossier("1", "X", "fr", "/mnt/compta/X/{year}").anchor(ROOT) == Path("/mnt/compta/X")
    assert Dossier("1", "X", "fr", "/mnt/compta/in-{number}").anchor(ROOT) == Path("/mnt/compta")


@pytest.mark.parametrize(
    ("dossier", "code"),
    [
        (Dossier("00/204", "X", "fr"), "account.bad_dossier"),
        (Dossier("000206", "  ", "fr"), "dossier.bad_name"),
        (Dossier("000206", "x" * 201, "fr"), "dossier.bad_name"),
        (Dossier("000206", "X", "de"), "dossier.bad_language"),
        (Dossier("000204", "X", "fr"), "dossier.number_taken"),
        (Dossier("000206", "X", "fr", "{root}/{password}"), "dossier.bad_template"),
        (Dossier("000206", "X", "fr", "{root}/{name!r}"), "dossier.bad_template"),
        (Dossier("000206", "X", "fr", "{root}/{year:>999999999}"), "dossier.bad_template"),
        (Dossier("000206", "X", "fr", "{root}/{"), "dossier.bad_template"),
        (Dossier("000206", "X", "fr", "{root}/../elsewhere"), "dossier.bad_template"),
        (Dossier("000206", "X", "fr", "relative/{number}"), "dossier.bad_template"),
        (Dossier("000206", "X", "fr", "/tmp/{root}"), "dossier.bad_template"),
        (Dossier("000206", "X", "fr", "{root}/000204 client 000204/{year}"), "dossier.folder_taken"),
        (Dossier("000206", "X", "fr", enterprise="0202.239.952"), "dossier.bad_enterprise"),
        (Dossier("000206", "X", "fr", enterprise="BE 12"), "dossier.bad_enterprise"),
    ],
)
def test_a_dossier_that_cannot_be_is_refused(firm: Firm, dossier: Dossier, code: str) -> None:
    """Each refusal has its code, and nothing is kept of it."""
    with pytest.raises(PermanentFailure) as refused:
        dossiers.add(firm, dossier)
    assert refused.value.code == code
    assert [one.number for one in dossiers.every(firm)] == ["000204", "000205"]


def test_numbers_that_differ_in_capitals_only_are_the_same(firm: Firm) -> None:
    """A folder of Windows could not hold both, so neither can the firm; either way of typing finds the dossier."""
    dossiers.add(firm, Dossier("Abc-1", "X", "nl"))
    assert dossiers.find(firm, "aBC-1").number == "Abc-1"
    with pytest.raises(PermanentFailure, match=r"dossier\.number_taken"):
        dossiers.add(firm, Dossier("ABC-1", "Y", "nl"))


def test_an_unknown_number_is_told(firm: Firm) -> None:
    """Looking for a dossier that is not there says so."""
    with pytest.raises(PermanentFailure, match=r"dossier\.unknown"):
        dossiers.find(firm, "999999")


def test_an_enterprise_number_is_kept_as_ten_digits(firm: Firm) -> None:
    """BE, dots, blanks and a missing leading zero do not matter."""
    assert enterprise_number("BE 0202.239.951") == enterprise_number("202239951") == "0202239951"
    added = dossiers.add(firm, Dossier("000206", "  Jean   Dupont ", "fr", enterprise="BE0739.484.052"))
    assert dossiers.find(firm, "000206") == added == Dossier("000206", "Jean Dupont", "fr", enterprise="0739484052")
