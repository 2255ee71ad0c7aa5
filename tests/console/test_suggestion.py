"""Suggestions: which dossier is proposed for a real document, with which reasons, and when none is."""

import hashlib
import time
from pathlib import Path

import pytest
from firm_rooms import Clock, desk, opened
from sample_documents import pdf, ubl

from console.preview import Previews
from console.suggestion import Register, Seen, Suggestion, Weight
from dossiers import dossier as dossiers
from dossiers.dossier import Dossier
from dossiers.enterprise import numbers_in
from dossiers.senders import history

BAKERY = Dossier("000204", "Boulangerie Dupont SRL", "fr", enterprise="0202239951")
GARAGE = Dossier("000317", "Garage De Smet BV", "nl", enterprise="0403227515")
TWIN = Dossier("000318", "Garage De Smet & Zonen NV", "nl")
SHORT = Dossier("000400", "ABC SA", "fr")
REGISTER = Register([BAKERY, GARAGE, TWIN, SHORT], {"jan@desmet.be": "000317"})


def suggested(tmp_path: Path, content: bytes, sender: str = "", **filed: int) -> Suggestion:
    """Read a document as the console does, and ask for a suggestion."""
    path = tmp_path / "document"
    path.write_bytes(content)
    look = Previews(tmp_path / "cache").look(hashlib.sha256(content).hexdigest(), path)
    parties = look.invoice or {"supplier": {"numbers": ()}, "customer": {"numbers": ()}}
    seen = Seen(look.text, sender, parties["supplier"]["numbers"], parties["customer"]["numbers"])
    return REGISTER.suggest(seen, {number.removeprefix("d"): count for number, count in filed.items()})


def number(suggestion: Suggestion) -> str | None:
    return suggestion.dossier.number if suggestion.dossier else None


def codes(suggestion: Suggestion) -> list[list[str]]:
    return [[reason.code for reason in candidate.reasons] for candidate in suggestion.candidates]


@pytest.mark.parametrize("written", ["BE 0202.239.951", "BE0202239951", "0202 239 951", "TVA BE202.239.951"])
def test_an_enterprise_number_in_a_pdf_names_its_dossier(tmp_path: Path, written: str) -> None:
    """However it is written, a number that checks and belongs to a dossier proposes it, and says so."""
    found = suggested(tmp_path, pdf(f"Facture {written}"))
    assert number(found) == "000204"
    assert codes(found) == [["suggestion.enterprise"]]
    assert found.candidates[0].reasons[0].seen == "0202.239.951"


def test_a_number_that_does_not_check_names_nobody(tmp_path: Path) -> None:
    """A telephone number that happens to have ten digits is no enterprise number."""
    assert numbers_in("0202.239.950, 0475 12 34 56, BE68 5390 0754 7034") == []
    assert number(suggested(tmp_path, pdf("Facture BE 0202.239.950"))) is None


def test_a_name_in_the_text_names_its_dossier_without_its_legal_form(tmp_path: Path) -> None:
    """Capitals, accents and SRL or S.A. make no difference; words that only begin alike do."""
    assert number(suggested(tmp_path, pdf("BOULANGERIE DUPONT, rue Haute 1"))) == "000204"
    assert suggested(tmp_path, pdf("Boulangerie Dupontel")).candidates == ()
    assert suggested(tmp_path, pdf("ABC alphabet")).candidates == ()  # too short a name


def test_the_longer_of_two_names_is_said_beside_the_shorter(tmp_path: Path) -> None:
    """Two dossiers whose names both stand in the text: none is proposed, both are shown."""
    found = suggested(tmp_path, pdf("Garage De Smet & Zonen"))
    assert number(found) is None
    assert {candidate.dossier.number for candidate in found.candidates} == {"000317", "000318"}


def test_an_electronic_invoice_names_the_dossier_of_its_customer(tmp_path: Path) -> None:
    """The buyer's number of a UBL invoice is certain."""
    found = suggested(tmp_path, ubl("2026-001"))
    assert number(found) == "000204"
    assert codes(found) == [["suggestion.customer"]]
    assert found.candidates[0].weight[0] == Weight.CERTAIN


def test_an_invoice_between_two_clients_proposes_neither(tmp_path: Path) -> None:
    """Supplier and customer are both dossiers: it is a sale of one and a purchase of the other."""
    supplier = (
        b"<cac:AccountingSupplierParty><cac:Party><cac:PartyTaxScheme><cbc:CompanyID>BE0403227515</cbc:CompanyID>"
        b"</cac:PartyTaxScheme></cac:Party></cac:AccountingSupplierParty><cac:AccountingCustomerParty>"
    )
    found = suggested(tmp_path, ubl("7").replace(b"<cac:AccountingCustomerParty>", supplier))
    assert number(found) is None
    assert sorted(codes(found)) == [["suggestion.customer"], ["suggestion.supplier"]]


def test_what_speaks_for_another_dossier_is_said(tmp_path: Path) -> None:
    """A certain sign wins over a probable one, and the other dossier is named beside it."""
    found = suggested(tmp_path, pdf("Garage De Smet BV, klant BE 0202.239.951"))
    assert number(found) == "000204"
    assert [candidate.dossier.number for candidate in found.against] == ["000317"]


def test_certain_signs_that_disagree_propose_nothing(tmp_path: Path) -> None:
    """The sender's address says one dossier and the number in the text another: a person decides."""
    found = suggested(tmp_path, pdf("BE 0202.239.951"), sender="Jan@DeSmet.be")
    assert number(found) is None
    assert {candidate.dossier.number for candidate in found.candidates} == {"000204", "000317"}


def test_the_senders_habit_proposes_and_a_mixed_past_only_hints(tmp_path: Path) -> None:
    """Ten of ten documents make a habit; six of ten do not, nor does a single one."""
    scan = pdf("scan")
    assert number(suggested(tmp_path, scan, "x@y.be", d000204=10)) == "000204"
    assert number(suggested(tmp_path, scan, "x@y.be", d000204=6, d000317=4)) is None
    assert number(suggested(tmp_path, scan, "x@y.be", d000204=1)) is None
    reason = suggested(tmp_path, scan, "x@y.be", d000204=6, d000317=4).candidates[0].reasons[0]
    assert (reason.count, reason.of, reason.seen) == (6, 10, "x@y.be")


def test_an_archived_dossier_is_never_proposed() -> None:
    """No document goes there any more."""
    archived = Dossier("000204", BAKERY.name, "fr", enterprise=BAKERY.enterprise, archived=Clock()())
    assert (
        Register([archived], {"a@b.be": "000204"}).suggest(Seen("0202.239.951", "a@b.be"), {"000204": 9})
        == Suggestion()
    )


def test_ten_thousand_dossiers_are_searched_at_once() -> None:
    """A suggestion among 10,000 dossiers takes well under a tenth of a second."""
    many = [Dossier(f"{n:06}", f"Client numéro {n} Établissements", "fr") for n in range(10_000)]
    register = Register(many, {})
    before = time.perf_counter()
    found = register.suggest(Seen("lorem ipsum " * 800 + "client NUMERO 4711 etablissements"), {})
    assert time.perf_counter() - before < 0.1
    assert number(found) == "004711"


def test_history_is_where_a_senders_documents_lie(tmp_path: Path) -> None:
    """Only documents in dossiers count, and only those of that sender."""
    with opened(tmp_path / "home", Clock()) as firm:
        for each in (BAKERY, GARAGE):
            dossiers.add(firm, each)
        with desk(firm) as work:
            for place, n in (("000204", 3), ("000317", 1), (None, 2)):
                files = [(f"{place} {each}.pdf", pdf(f"{place} {each}")) for each in range(n)]
                work.deliver(*files, number=place)
        with firm.database.write() as connection:
            connection.exec_driver_sql("UPDATE documents SET sender = 'x@y.be' WHERE name NOT LIKE '%0.pdf'")
        assert history(firm, "x@y.be") == {"000204": 2}
        assert history(firm, "") == {}
