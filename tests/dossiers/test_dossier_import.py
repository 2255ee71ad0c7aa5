"""Dossiers from a table: each line has its report, a faulty one keeps no other back, and nothing happens twice."""

from pathlib import Path

import pytest
from firm_rooms import START, opened
from navette_server import navette

from dossiers import addresses
from dossiers import dossier as dossiers
from dossiers.dossier import Dossier
from dossiers.dossier_import import Deed, import_dossiers
from dossiers.firm import Firm
from transfer.failures import PermanentFailure

TABLE = """Numéro;Nom;Langue;Entreprise;E-mails
000204;Boulangerie Éclair;FR;BE 0202.239.951;info@eclair.be compta@eclair.be
000205;Client 000205;;;
A-1;'=Garage;nl;0739.484.052;
000206;Faute;fr;0202.239.952;
000206;Sans faute;fr;;info@eclair.be
000207;;fr;;
205;Zéros perdus;fr;;
A-1;Encore;fr;;
000208;Langue;de;;
00/9;Numéro;fr;;
000210;Trop;fr;;;x;y
000211;Dernier;en;;
"""

REPORT = [
    (2, "000204", Deed.CHANGED, None),
    (3, "000205", Deed.UNCHANGED, None),
    (4, "A-1", Deed.ADDED, None),
    (5, "000206", Deed.REFUSED, "dossier.bad_enterprise"),
    (6, "000206", Deed.REFUSED, "dossier_csv.twice"),
    (7, "000207", Deed.REFUSED, "dossier.bad_name"),
    (8, "205", Deed.REFUSED, "dossier_csv.zeros_lost"),
    (9, "A-1", Deed.REFUSED, "dossier_csv.twice"),
    (10, "000208", Deed.REFUSED, "dossier.bad_language"),
    (11, "00/9", Deed.REFUSED, "account.bad_dossier"),
    (12, "", Deed.REFUSED, "sheet.too_many_cells"),
    (13, "000211", Deed.ADDED, None),
]


def imported(firm: Firm, table: str | bytes, only_check: bool = False) -> list[tuple[int, str, Deed, str | None]]:
    """Import a table and return its report with the codes."""
    raw = table if isinstance(table, bytes) else table.encode()
    reports = import_dossiers(firm, raw, only_check)
    return [(one.line, one.number, one.deed, one.failure.code if one.failure else None) for one in reports]


def test_every_line_has_its_report_and_only_sound_ones_count(firm: Firm) -> None:
    """Sound lines add and change dossiers, faulty ones say why; what a line leaves open stays as it was."""
    folder = dossiers.find(firm, "000204").folder(firm.root, START)
    assert imported(firm, TABLE) == REPORT
    found = {each.number: each for each in dossiers.every(firm)}
    assert sorted(found) == ["000204", "000205", "000211", "A-1"]
    template = found["000205"].template
    assert found["000204"] == Dossier("000204", "Boulangerie Éclair", "fr", template, "0202239951", "Client 000204")
    assert found["000204"].folder(firm.root, START) == folder
    assert found["A-1"] == Dossier("A-1", "=Garage", "nl", template, "0739484052")
    assert addresses.every(firm) == dict.fromkeys(("compta@eclair.be", "info@eclair.be"), "000204")


def test_importing_again_changes_nothing(firm: Firm) -> None:
    """The same table once more finds every sound line done."""
    imported(firm, TABLE)
    again = imported(firm, TABLE)
    assert {deed for _, _, deed, code in again if code is None} == {Deed.UNCHANGED}
    assert [code for *_, code in again] == [code for *_, code in REPORT]


def test_a_check_reports_the_same_and_keeps_nothing(firm: Firm) -> None:
    """Who only checks sees what an import would do."""
    before = dossiers.every(firm)
    assert imported(firm, TABLE, only_check=True) == REPORT
    assert (dossiers.every(firm), addresses.every(firm)) == (before, {})


def test_an_address_of_another_dossier_is_never_taken_over(firm: Firm) -> None:
    """Neither from a dossier that was there, nor from one that an earlier line has added."""
    addresses.add(firm, "000204", "a@b.be")
    table = "number,name,email\n1,One,c@d.be\n2,Two,c@d.be\n3,Three,a@b.be\n"
    assert [code for *_, code in imported(firm, table)] == [None, "address.taken", "address.taken"]
    assert addresses.every(firm) == {"a@b.be": "000204", "c@d.be": "1"}


def test_two_lines_never_get_one_folder(firm: Firm) -> None:
    """A folder that is another dossier's, or an earlier line's, is refused."""
    table = "number;name;folder\n1;One;/srv/x\n2;Two;/srv/X\n3;Three;{root}/000204 Client 000204/{year}\n"
    assert [code for *_, code in imported(firm, table)] == [None, "dossier.folder_taken", "dossier.folder_taken"]


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        (b"name;language\nx;fr\n", "sheet.no_column"),
        (b"number;password\n1;x\n", "sheet.unknown_column"),
        (b"number;name\n", "sheet.empty"),
        (b"PK\x03\x04\0\0", "sheet.not_readable"),
        (b'number;name\n1;"open\n', "sheet.not_readable"),
    ],
)
def test_what_is_no_table_of_dossiers_is_refused_whole(firm: Firm, raw: bytes, code: str) -> None:
    """A table that cannot be understood changes nothing."""
    with pytest.raises(PermanentFailure) as refused:
        import_dossiers(firm, raw)
    assert refused.value.code == code
    assert len(dossiers.every(firm)) == 2


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "cp1252"])
def test_tables_of_any_spreadsheet_are_read(firm: Firm, encoding: str) -> None:
    """A table saved on Windows or a Mac keeps its accents."""
    imported(firm, TABLE.encode(encoding))
    assert dossiers.find(firm, "000204").name == "Boulangerie Éclair"


def test_ten_thousand_dossiers_are_one_transaction(firm: Firm) -> None:
    """A large firm's table is imported whole, in seconds."""
    lines = [f"D{n};Client {n};fr;client{n}@example.be" for n in range(10_000)]
    reports = imported(firm, "\n".join(["number;name;language;email", *lines]))
    assert {deed for _, _, deed, _ in reports} == {Deed.ADDED}
    assert len(dossiers.every(firm)) == 10_002


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("en", ("line 2", "changed", "refused", "Import ended: 2 added, 1 changed, 1 unchanged, 8 refused.")),
        (
            "fr",
            ("ligne 2", "modifié", "refusé", "Importation terminée : 2 ajoutés, 1 modifiés, 1 inchangés, 8 refusés."),
        ),
        (
            "nl",
            (
                "regel 2",
                "gewijzigd",
                "geweigerd",
                "Import voltooid: 2 toegevoegd, 1 gewijzigd, 1 ongewijzigd, 8 geweigerd",
            ),
        ),
    ],
)
def test_the_command_reports_line_by_line_in_three_languages(
    tmp_path: Path, clock, language: str, words: tuple[str, ...]
) -> None:
    """Each line is told with its deed and the code of its fault; the exit code says whether one was refused."""
    home = tmp_path / "home"
    with opened(home, clock) as firm:
        dossiers.add(firm, Dossier("000204", "Client 000204", "fr"))
        dossiers.add(firm, Dossier("000205", "Client 000205", "fr"))
    table = tmp_path / "dossiers.csv"
    table.write_text(TABLE, encoding="utf-8")
    told = navette(home, "--language", language, "dossier", "import", table, check=False)
    assert told.returncode == 1
    assert told.stdout.count("\n") == len(REPORT) + 1
    for word in (*words, "[dossier.bad_enterprise]", "[dossier_csv.zeros_lost]"):
        assert word in told.stdout
    listed = navette(home, "dossier", "list", "--all").stdout
    assert "0202239951" in listed
    assert "=Garage" in listed
