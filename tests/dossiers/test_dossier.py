"""Dossiers: what may be declared, and the folder each one gets."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from firm_rooms import START, Clock

from dossiers import addresses
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
        (Dossier("000206", "X", "fr", "{root}/{dossier}/{year} {kind}"), "dossier.kind_alone"),
        (Dossier("000206", "X", "fr", "{root}/{dossier}/{kind}{year}"), "dossier.kind_alone"),
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


def test_the_template_of_the_manual_gives_the_folder_it_promises() -> None:
    """Root, dossier, year, month and kind stand where the template has them; without a kind its level goes."""
    dossier = Dossier("000204", "Boulangerie: Éclair", "fr", "{root}/{dossier}/{year}/{month}/{kind}")
    at = ROOT / "000204 Boulangerie_ Éclair" / "2026" / "11"
    assert dossier.folder(ROOT, START, "Achats") == at / "Achats"
    assert dossier.folder(ROOT, START) == at
    assert dossier.folder(ROOT, START, "../../etc") == at / "__.._etc"


def test_what_is_not_said_stays_when_a_dossier_changes(firm: Firm) -> None:
    """Each value changes alone; the folder keeps the name that documents already lie under."""
    before = dossiers.find(firm, "000204")
    folder = before.folder(firm.root, START)
    dossiers.change(firm, "000204", name="New name")
    dossiers.change(firm, "000204", language="nl")
    dossiers.change(firm, "000204", enterprise="BE 0202.239.951")
    after = dossiers.find(firm, "000204")
    assert after == Dossier("000204", "New name", "nl", before.template, "0202239951", folder_name=before.name)
    assert after.folder(firm.root, START) == folder
    dossiers.change(firm, "000204", name="Another", enterprise="")
    assert dossiers.find(firm, "000204").folder(firm.root, START) == folder
    assert dossiers.find(firm, "000204").enterprise is None
    assert dossiers.change(firm, "000204", name=before.name).folder_name is None


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"name": " "}, "dossier.bad_name"),
        ({"language": "de"}, "dossier.bad_language"),
        ({"enterprise": "0202.239.952"}, "dossier.bad_enterprise"),
        ({"template": "{root}/{dossier}/{hour}"}, "dossier.bad_template"),
        ({"template": "{root}/000205 Client 000205/{year}"}, "dossier.folder_taken"),
    ],
)
def test_a_change_that_cannot_be_is_refused(firm: Firm, change: dict[str, str], code: str) -> None:
    """A refused change leaves the dossier as it was."""
    before = dossiers.find(firm, "000204")
    with pytest.raises(PermanentFailure) as refused:
        dossiers.change(firm, "000204", **change)
    assert refused.value.code == code
    assert dossiers.find(firm, "000204") == before


def test_a_name_that_was_given_up_cannot_give_its_folder_to_another_client(firm: Firm) -> None:
    """The folder of a renamed dossier still is its folder, whoever else would like to be called so."""
    dossiers.change(firm, "000204", name="New name")
    with pytest.raises(PermanentFailure, match=r"dossier\.folder_taken"):
        dossiers.add(firm, Dossier("000206", "X", "fr", "{root}/000204 Client 000204/{year}"))


def test_an_archived_dossier_keeps_its_number_and_folder(firm: Firm, clock: Clock) -> None:
    """It shows only to who asks, can be opened again, and nobody else gets its number or folder meanwhile."""
    dossiers.archive(firm, "000204")
    assert [one.number for one in dossiers.every(firm)] == ["000205"]
    assert [one.archived for one in dossiers.every(firm, archived=True)] == [clock.now, None]
    with pytest.raises(PermanentFailure, match=r"dossier\.archived"):
        dossiers.find_open(firm, "000204")
    for other, code in (
        (Dossier("000204", "X", "fr"), r"dossier\.number_taken"),
        (Dossier("000206", "X", "fr", "{root}/000204 Client 000204/{year}"), r"dossier\.folder_taken"),
    ):
        with pytest.raises(PermanentFailure, match=code):
            dossiers.add(firm, other)
    dossiers.reopen(firm, "000204")
    assert dossiers.find_open(firm, "000204").archived is None


def test_an_address_stands_for_one_dossier_only(firm: Firm) -> None:
    """A client's address, in capitals or not, is found for its dossier and refused for any other."""
    assert addresses.add(firm, "000204", "  Info@Boulangerie.BE ") == "info@boulangerie.be"
    addresses.add(firm, "000204", "info@boulangerie.be")
    with pytest.raises(PermanentFailure, match=r"address\.taken"):
        addresses.add(firm, "000205", "INFO@boulangerie.be")
    assert addresses.every(firm) == {"info@boulangerie.be": "000204"}
    with pytest.raises(PermanentFailure, match=r"address\.unknown"):
        addresses.release(firm, "000205", "info@boulangerie.be")
    addresses.release(firm, "000204", "Info@boulangerie.be")
    assert addresses.every(firm) == {}


@pytest.mark.parametrize("text", ["", "info", "@b.be", "a@b", "a@b..be", "a b@c.be", "a@b.be, c@d.be", "<a@b.be>"])
def test_what_is_no_address_is_refused(firm: Firm, text: str) -> None:
    """Only a single plain address can stand for a dossier."""
    with pytest.raises(PermanentFailure, match=r"address\.bad"):
        addresses.add(firm, "000204", text)
