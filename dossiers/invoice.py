"""Reads an electronic invoice in UBL (Peppol BIS) for people and for suggestions; never follows an entity or a DTD."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from xml.etree.ElementTree import Element, ParseError

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import fromstring

from dossiers.enterprise import enterprise_number
from transfer.failures import PermanentFailure

MOST_LINES = 200
"""So many lines of an invoice are read; ``lines_in_all`` says how many there are."""

_LONGEST = 300
_INVOICE = re.compile(r"\{urn:oasis:names:specification:ubl:schema:xsd:(?:Invoice|CreditNote)-2\}(Invoice|CreditNote)")
_CBC = "{urn:oasis:names:specification:ubl:schema:xsd:CommonBasicComponents-2}"
_CAC = "{urn:oasis:names:specification:ubl:schema:xsd:CommonAggregateComponents-2}"
_BELGIAN_SCHEMES = {"0208", "9925"}


@dataclass(frozen=True)
class Party:
    """A supplier or a customer; ``numbers`` are the Belgian enterprise numbers that it gives, ten digits each."""

    name: str
    numbers: tuple[str, ...]
    identifier: str
    """What it calls itself by where that is no Belgian number, else empty."""


@dataclass(frozen=True)
class Line:
    """One line as it stands there: text, quantity, amount without VAT."""

    text: str
    quantity: str
    amount: str


@dataclass(frozen=True)
class Invoice:
    """What a person looks for on an invoice; amounts are texts as they stand there, ``currency`` is EUR or another."""

    is_credit: bool
    number: str
    date: str
    due: str
    supplier: Party
    customer: Party
    currency: str
    without_vat: str
    vat: str
    payable: str
    reference: str
    lines: tuple[Line, ...]
    lines_in_all: int
    files: tuple[str, ...]
    """Names of the files inside it."""


def read(raw: bytes) -> Invoice | None:
    """Return the invoice that an XML file holds, None when it is none; ``invoice.damaged`` when it is no XML."""
    try:
        root = fromstring(raw, forbid_dtd=True)
    except DefusedXmlException:
        raise PermanentFailure("invoice.has_dtd") from None
    except (ParseError, ValueError, LookupError):  # the latter two for an encoding that nobody knows
        raise PermanentFailure("invoice.damaged") from None
    kind = _INVOICE.fullmatch(root.tag)
    if kind is None:
        return None
    totals = f"{_CAC}LegalMonetaryTotal"
    lines = root.findall(f"{_CAC}{kind[1]}Line")
    return Invoice(
        is_credit=kind[1] == "CreditNote",
        number=_text(root, f"{_CBC}ID"),
        date=_text(root, f"{_CBC}IssueDate"),
        due=_text(root, f"{_CBC}DueDate") or _text(root, f"{_CAC}PaymentMeans/{_CBC}PaymentDueDate"),
        supplier=_party(root, "AccountingSupplierParty"),
        customer=_party(root, "AccountingCustomerParty"),
        currency=_text(root, f"{_CBC}DocumentCurrencyCode") or _currency(root, f"{totals}/{_CBC}PayableAmount"),
        without_vat=_text(root, f"{totals}/{_CBC}TaxExclusiveAmount"),
        vat=_text(root, f"{_CAC}TaxTotal/{_CBC}TaxAmount"),
        payable=_text(root, f"{totals}/{_CBC}PayableAmount"),
        reference=_text(root, f"{_CAC}PaymentMeans/{_CBC}PaymentID"),
        lines=tuple(map(_line, lines[:MOST_LINES])),
        lines_in_all=len(lines),
        files=tuple(_files(root)),
    )


def _party(root: Element, role: str) -> Party:
    party = root.find(f"{_CAC}{role}/{_CAC}Party")
    if party is None:
        return Party("", (), "")
    legal = f"{_CAC}PartyLegalEntity"
    name = _text(party, f"{legal}/{_CBC}RegistrationName") or _text(party, f"{_CAC}PartyName/{_CBC}Name")
    told = [party.find(f"{_CBC}EndpointID"), party.find(f"{legal}/{_CBC}CompanyID")]
    told += party.findall(f"{_CAC}PartyTaxScheme/{_CBC}CompanyID")
    identifiers = [(each.get("schemeID", ""), _clean(each.text)) for each in told if each is not None]
    numbers = dict.fromkeys(number for scheme, each in identifiers if (number := _belgian(scheme, each)))
    other = "" if numbers else next((each for _, each in identifiers if each), "")
    return Party(name, tuple(numbers), other)


def _belgian(scheme: str, identifier: str) -> str | None:
    """Return a Belgian enterprise number, or None for one of another country, or one that does not check."""
    if scheme not in _BELGIAN_SCHEMES | {"", "VAT", "BE:CBE", "BE:EN", "BE:VAT"}:
        return None
    try:
        return enterprise_number(identifier)
    except PermanentFailure:
        return None


def _line(line: Element) -> Line:
    name = _text(line, f"{_CAC}Item/{_CBC}Name") or _text(line, f"{_CAC}Item/{_CBC}Description")
    quantity = line.find(f"{_CBC}InvoicedQuantity")
    quantity = line.find(f"{_CBC}CreditedQuantity") if quantity is None else quantity
    return Line(name, _clean(None if quantity is None else quantity.text), _text(line, f"{_CBC}LineExtensionAmount"))


def _files(root: Element) -> Iterator[str]:
    for each in root.iter(f"{_CBC}EmbeddedDocumentBinaryObject"):
        yield _clean(each.get("filename")) or _clean(each.get("mimeCode"))


def _text(element: Element, path: str) -> str:
    return _clean(element.findtext(path))


def _currency(element: Element, path: str) -> str:
    found = element.find(path)
    return "" if found is None else _clean(found.get("currencyID"))


def _clean(text: str | None) -> str:
    return " ".join((text or "").split())[:_LONGEST]
