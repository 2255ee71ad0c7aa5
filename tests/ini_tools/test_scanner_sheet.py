"""The scanner sheet: what is typed into a device, its QR code, and the address book that a Canon reads."""

import csv
import re
from dataclasses import replace

import pytest

from ini_tools.scanner_sheet import ScannerSheet, canon_address_book, qr_code
from transfer.client_ini import Connection, Security
from transfer.failures import PermanentFailure
from transfer.language import LANGUAGES, Language

CONNECTION = Connection("ftp.example.be", 21, "WRITE_570013_000204", "Geheim-4711", fingerprint="ab" * 32)
SHEET = ScannerSheet("Boulangerie Dupont", "000204", CONNECTION, "/")


@pytest.mark.parametrize("login", ["READ_570013", "read_570013"])
def test_a_read_account_is_never_handed_to_a_scanner(login: str) -> None:
    """What can collect documents is refused before anything is printed."""
    with pytest.raises(PermanentFailure, match=r"scanner.read_account"):
        replace(SHEET, connection=replace(CONNECTION, user=login))


@pytest.mark.parametrize("code", LANGUAGES)
def test_the_sheet_says_all_that_is_typed(code: str) -> None:
    """Host, port, login, password, folder, protection and mode, in three languages."""
    values = dict(SHEET.values(Language(code, "ini_tools")))
    assert list(values) == ["host", "port", "user", "password", "folder", "security", "passive", "fingerprint"]
    assert (values["host"], values["password"], values["folder"]) == ("ftp.example.be", "Geheim-4711", "/")
    assert "FTPS" in values["security"]


def test_without_tls_there_is_no_fingerprint() -> None:
    """A plain connection has no certificate to compare."""
    plain = replace(SHEET, connection=replace(CONNECTION, security=Security.NONE))
    assert "fingerprint" not in dict(plain.values(Language("en", "ini_tools")))


def test_the_qr_code_is_a_drawing_without_styles() -> None:
    """It is an SVG of paths with a title, which a strict content policy lets through."""
    drawn = qr_code(SHEET, Language("nl", "ini_tools"))
    assert drawn.startswith("<svg ")
    assert "<title>QR-code" in drawn
    assert not re.search(r"style=|<script|href", drawn)


def test_an_account_is_known_to_be_of_one_dossier_or_of_all() -> None:
    """What is to be revoked alone is told from what all dossiers share."""
    assert SHEET.is_own
    assert not replace(SHEET, connection=replace(CONNECTION, user="WRITE_570013")).is_own
    assert not replace(SHEET, connection=replace(CONNECTION, user="scans@example.be")).is_own


def test_a_canon_address_book_has_a_destination_for_each_dossier() -> None:
    """The head, the columns and one FTP destination a line; names are cut to what a device shows."""
    other = ScannerSheet(
        "Garage, « De Smet » en Zonen", "000317", replace(CONNECTION, port=2121, password='a"b,c'), "/"
    )
    lines = canon_address_book([SHEET, other]).split("\r\n")
    assert lines[0] == "# Canon AddressBook CSV version: 0x0002"
    assert lines[4] == ""
    first, second = csv.DictReader(lines[5:])
    assert (first["objectclass"], first["protocol"], first["url"]) == ("remotefilesystem", "ftp", "ftp.example.be")
    assert (first["path"], first["username"], first["pwd"]) == ("/", "WRITE_570013_000204", "Geheim-4711")
    assert (second["url"], second["pwd"], second["indxid"]) == ("ftp.example.be:2121", 'a"b,c', "202")
    assert all(len(row["cn"]) <= 24 for row in (first, second))
    with pytest.raises(PermanentFailure, match=r"scanner.canon_too_many"):
        canon_address_book([SHEET] * 1601)
