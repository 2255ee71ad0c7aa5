"""Electronic invoices: what is read from one, and what is not read at all."""

import time

import pytest
from sample_documents import ubl

from dossiers import invoice
from transfer.failures import PermanentFailure

CAC, CBC = "CommonAggregateComponents-2", "CommonBasicComponents-2"
CREDIT = f"""<?xml version="1.0" encoding="UTF-8"?>
<CreditNote xmlns="urn:oasis:names:specification:ubl:schema:xsd:CreditNote-2"
 xmlns:cac="urn:oasis:names:specification:ubl:schema:xsd:{CAC}"
 xmlns:cbc="urn:oasis:names:specification:ubl:schema:xsd:{CBC}">
 <cbc:ID>NC 7</cbc:ID><cbc:IssueDate>2026-02-01</cbc:IssueDate><cbc:DocumentCurrencyCode>EUR</cbc:DocumentCurrencyCode>
 <cac:AdditionalDocumentReference><cac:Attachment><cbc:EmbeddedDocumentBinaryObject mimeCode="application/pdf"
  filename="note.pdf">JVBERi0=</cbc:EmbeddedDocumentBinaryObject></cac:Attachment></cac:AdditionalDocumentReference>
 <cac:AccountingSupplierParty><cac:Party><cbc:EndpointID schemeID="9925">BE0403227515</cbc:EndpointID>
  <cac:PartyLegalEntity><cbc:RegistrationName>Garage  De Smet</cbc:RegistrationName>
  <cbc:CompanyID>0403.227.515</cbc:CompanyID></cac:PartyLegalEntity></cac:Party></cac:AccountingSupplierParty>
 <cac:AccountingCustomerParty><cac:Party><cbc:EndpointID schemeID="0106">12345678</cbc:EndpointID>
  <cac:PartyName><cbc:Name>Bakkerij</cbc:Name></cac:PartyName></cac:Party></cac:AccountingCustomerParty>
 <cac:PaymentMeans><cbc:PaymentDueDate>2026-03-01</cbc:PaymentDueDate><cbc:PaymentID>+++1+++</cbc:PaymentID></cac:PaymentMeans>
 <cac:TaxTotal><cbc:TaxAmount currencyID="EUR">21.00</cbc:TaxAmount></cac:TaxTotal>
 <cac:LegalMonetaryTotal><cbc:TaxExclusiveAmount currencyID="EUR">100.00</cbc:TaxExclusiveAmount>
  <cbc:PayableAmount currencyID="EUR">121.00</cbc:PayableAmount></cac:LegalMonetaryTotal>
 <cac:CreditNoteLine><cbc:CreditedQuantity>2</cbc:CreditedQuantity><cbc:LineExtensionAmount>100.00</cbc:LineExtensionAmount>
  <cac:Item><cbc:Name>Vidange</cbc:Name></cac:Item></cac:CreditNoteLine>
</CreditNote>""".encode()


def test_a_credit_note_is_read_whole() -> None:
    """Parties with their Belgian numbers, dates, amounts, lines and the names of its files."""
    found = invoice.read(CREDIT)
    assert found is not None
    assert found.is_credit
    assert found.supplier == invoice.Party("Garage De Smet", ("0403227515",), "")
    assert found.customer == invoice.Party("Bakkerij", (), "12345678")
    assert (found.number, found.date, found.due, found.reference) == ("NC 7", "2026-02-01", "2026-03-01", "+++1+++")
    assert (found.without_vat, found.vat, found.payable, found.currency) == ("100.00", "21.00", "121.00", "EUR")
    assert found.lines == (invoice.Line("Vidange", "2", "100.00"),)
    assert found.files == ("note.pdf",)


def test_another_xml_is_no_invoice() -> None:
    """Well-formed XML of another kind is nothing wrong, and no invoice."""
    assert invoice.read(b"<Invoice><ID>1</ID></Invoice>") is None
    assert invoice.read(ubl("1")) is not None


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        (CREDIT[:400], "invoice.damaged"),
        (b"no xml", "invoice.damaged"),
        (b'<?xml version="1.0" encoding="martian"?><a/>', "invoice.damaged"),
        (b'<!DOCTYPE a SYSTEM "file:///etc/passwd"><a/>', "invoice.has_dtd"),
        (b'<!DOCTYPE a [<!ENTITY b SYSTEM "http://127.0.0.1:9/">]><a>&b;</a>', "invoice.has_dtd"),
    ],
)
def test_what_is_no_sound_xml_is_refused(raw: bytes, code: str) -> None:
    """Torn XML, unknown encodings, and whatever brings a DTD or entities."""
    with pytest.raises(PermanentFailure) as refused:
        invoice.read(raw)
    assert refused.value.code == code


def test_an_invoice_of_many_lines_is_bounded() -> None:
    """A hundred thousand lines are counted, two hundred are read, in a moment."""
    line = CREDIT[CREDIT.index(b" <cac:CreditNoteLine>") : CREDIT.index(b"</CreditNote>")]
    before = time.monotonic()
    found = invoice.read(CREDIT.replace(line, line * 100_000))
    assert found is not None
    assert (len(found.lines), found.lines_in_all) == (invoice.MOST_LINES, 100_000)
    assert time.monotonic() - before < 10
