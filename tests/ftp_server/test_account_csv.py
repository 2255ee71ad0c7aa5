"""Accounts as a table: written, read back, and made all or none."""

import os
import stat
import string
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ftp_server import account_csv
from ftp_server.account import Account, Fiduciary
from ftp_server.account_csv import RowsFailure, read, text
from ftp_server.account_import import import_accounts, to_make
from ftp_server.accounts import Accounts
from ftp_server.database import Database
from ftp_server.new_file import write_new
from ftp_server.quota import quota_of, quota_text
from transfer.accounts import AccountKind, AccountName
from transfer.failures import PermanentFailure
from transfer.sheet import RowFault, table_of

NOW = 1_800_000_000.0


@pytest.fixture
def accounts(tmp_path: Path) -> Iterator[Accounts]:
    """The accounts of an empty server."""
    database = Database(f"sqlite:///{tmp_path / 'server.db'}")
    database.migrate()
    yield Accounts(database, lambda: NOW)
    database.close()


def told(accounts: Accounts) -> tuple[list[Fiduciary], list[Account]]:
    """Return all that a table keeps of the fiduciaries and accounts."""
    return list(accounts.fiduciaries()), [replace(each, stamp="") for each in accounts.list()]


def codes(faults: list[RowFault]) -> list[tuple[int, str]]:
    return [(fault.line, fault.failure.code) for fault in faults]


def refused(accounts: Accounts, table: str) -> list[tuple[int, str]]:
    """Import a table that must be refused as a whole; return line and code of all that is wrong."""
    before = told(accounts)
    with pytest.raises(RowsFailure) as caught:
        import_accounts(accounts, table.encode(), NOW)
    assert caught.value.code == "account_csv.refused"
    assert caught.value.values == {"number": len(caught.value.faults)}
    assert told(accounts) == before
    return codes(caught.value.faults)


def refused_whole(raw: bytes) -> tuple[str, object]:
    with pytest.raises(PermanentFailure) as caught:
        read(raw)
    return caught.value.code, caught.value.values.get("line")


def test_a_table_makes_fiduciaries_and_dossiers(accounts: Accounts) -> None:
    """A row without dossier makes a firm's two accounts, one with a dossier that dossier's account."""
    made = import_accounts(
        accounts,
        (
            b"fiduciary;name;dossier;tls_required;expires;networks;quota_mib\n"
            b"570013;Cabinet A;000204;yes;2026-12-31;203.0.113.0/24 ::1;\n"
            b"570013;Cabinet A;;;;;500\n"
            b"\n"
            b"570014;;;no;;;\n"
        ),
        NOW,
    )
    firms, found = told(accounts)
    assert firms == [Fiduciary("570013", "Cabinet A", 500 * 2**20, NOW), Fiduciary("570014", "", None, NOW)]
    assert {each.name.login: (each.tls_required, each.networks, each.quota) for each in found} == {
        "READ_570013": (True, (), 500 * 2**20),
        "WRITE_570013": (False, (), 500 * 2**20),
        "WRITE_570013_000204": (True, ("203.0.113.0/24", "::1/128"), 500 * 2**20),
        "READ_570014": (True, (), None),
        "WRITE_570014": (False, (), None),
    }
    assert made.keys() == {each.name.login for each in found}
    assert len(set(made.values())) == 5
    assert all(accounts.verify(login, password) for login, password in made.items() if "204" not in login)


def test_dossiers_of_a_firm_that_is_there(accounts: Accounts) -> None:
    """A table can add dossiers to a firm; the firm's name beside its number must then be the one it has."""
    accounts.add_fiduciary("570013", "Cabinet A")
    made = import_accounts(accounts, b"fiduciary,name,dossier\n570013,Cabinet A,000204\n570013,,000205\n", NOW)
    assert made.keys() == {"WRITE_570013_000204", "WRITE_570013_000205"}
    assert refused(accounts, "fiduciary,name,dossier\n570013,Cabinet B,000206\n") == [(2, "account_csv.other_name")]


def test_all_that_is_wrong_is_told_at_once(accounts: Accounts) -> None:
    """Every bad cell and row is told with its line, and nothing at all is made."""
    accounts.add_fiduciary("570013", "Cabinet A")
    accounts.add_dossier("570013", "000204")
    accounts.set_quota("570013", 2**20)
    table = (
        "fiduciary;name;account;dossier;tls_required;expires;networks;quota_mib\n"
        "570014;New;;;;;;\n"
        "57001;;;;;;;\n"
        ";;;;;;;5\n"
        "570015;;;;maybe;soon;office;-1\n"
        "570014;;;a b;;;;\n"
        "570014;;READ;000204;;;;\n"
        "570014;;BOTH;;;;;\n"
        "570013;;;;;;;\n"
        "570013;;;000204;;;;\n"
        "570016;;;000204;;;;\n"
        "570014;;WRITE;;;;;\n"
        "570013;;;000300;;;;7\n"
        "570014;;;Abc;;;;\n"
        "570014;;;aBC;;;;\n"
        "570014;Old;;000301;;;;\n"
        "570013;;;CON;;;;;;;\n"
        "570014;a\x07b;;000302;;;;\n"
    )
    assert refused(accounts, table) == [
        (3, "account.bad_fiduciary"),
        (4, "account.bad_fiduciary"),
        (5, "account_csv.bad_yes_no"),
        (5, "account.bad_date"),
        (5, "account.bad_network"),
        (5, "account.bad_quota"),
        (6, "account.bad_dossier"),
        (7, "account_csv.read_of_dossier"),
        (8, "account_csv.bad_kind"),
        (9, "account.exists"),
        (10, "account.exists"),
        (11, "account_csv.no_fiduciary"),
        (12, "account_csv.twice"),
        (13, "account_csv.other_quota"),
        (15, "account_csv.twice"),
        (16, "account_csv.other_name"),
        (17, "account.bad_dossier"),
        (18, "account.bad_name"),
    ]


@pytest.mark.parametrize(
    "header",
    [
        "Fiduciaire;Nom;Dossier;TLS exigé;Fin;Réseaux;Quota Mio",
        "KANTOOR;naam;dossier;tls verplicht;einde;netwerken;limiet MiB",
        "fiduciary;name;dossier;tls_required;expires;networks;quota_mib",
        "fiduciary ;Name; dossier;TLS-required;Expires;networks;quota mib;;;",
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16"])
@pytest.mark.parametrize("delimiter", [";", ",", "\t"])
def test_tables_of_any_spreadsheet(header: str, encoding: str, delimiter: str) -> None:
    """Separators, letters and line ends of any spreadsheet are read, with columns in three languages."""
    table = f"{header}\r\n570013;Élan;000204;OUI;31/12/2026;10.0.0.0/8;1.5\r\n".replace(";", delimiter)
    rows, faults = read(table.encode(encoding))
    assert faults == []
    assert [(row.line, row.name, row.dossier, row.tls_required, row.quota_mib) for row in rows] == [
        (2, "Élan", "000204", True, 3 * 2**19)
    ]


@pytest.mark.parametrize(
    ("raw", "code", "line"),
    [
        (b"fiduciary;nmae\n570013;x\n", "sheet.unknown_column", None),
        (b"fiduciary;password\n570013;x\n", "sheet.unknown_column", None),
        (b"fiduciary;fiduciaire\n570013;x\n", "sheet.column_twice", None),
        (b"name;dossier\nx;1\n", "sheet.no_column", None),
        (b"", "sheet.no_column", None),
        (b"fiduciary;name\n\n;;\n", "sheet.empty", None),
        (b'fiduciary;name\n570013;"open\n', "sheet.not_readable", 2),
        (b"fiduciary;name\n570013;\0\n", "sheet.not_readable", 1),
        (b"\xff\xfe\x00", "sheet.not_readable", 1),
        (b"fiduciary;name\n570013;\x81\n", "sheet.not_readable", 1),
    ],
)
def test_what_is_no_table_of_accounts(raw: bytes, code: str, line: int | None) -> None:
    """A table that cannot be understood as a whole is refused before any row is."""
    assert refused_whole(raw) == (code, line)


def test_more_cells_than_columns() -> None:
    """A row with more cells than columns may have them in the wrong places, so it is refused."""
    rows, faults = read(b"fiduciary;name\n570013;A;B\n570014;C;;\n")
    assert codes(faults) == [(2, "sheet.too_many_cells")]
    assert [row.fiduciary for row in rows] == ["570014"]


numbers = st.from_regex(r"[0-9]{6}", fullmatch=True)
dossiers = st.text(string.ascii_lowercase + string.digits, min_size=1, max_size=16).filter(
    lambda word: word.upper() not in {"CON", "PRN", "AUX", "NUL"} and word[:3] not in {"com", "lpt"}
)
names = st.text(
    st.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp"]) | st.sampled_from("'=+-@;,\""), max_size=40
).map(str.strip)
networks = st.lists(st.ip_addresses().map(lambda address: f"{address}/{address.max_prefixlen}"), max_size=3).filter(
    lambda kept: not any("ffff" in network for network in kept)
)


@st.composite
def servers(draw: st.DrawFn) -> tuple[list[Fiduciary], list[Account]]:
    """Some fiduciaries with all their accounts, in the order of their logins."""
    firms, made = [], []
    for number in draw(st.lists(numbers, unique=True, min_size=1, max_size=3)):
        quota = draw(st.none() | st.integers(1, 2**53))
        firms.append(Fiduciary(number, draw(names), quota, NOW))
        logins = [AccountName(kind, number) for kind in AccountKind]
        logins += [AccountName(AccountKind.WRITE, number, each) for each in draw(st.sets(dossiers, max_size=3))]
        for login in logins:
            made.append(
                Account(
                    login,
                    draw(st.booleans()),
                    draw(st.booleans()),
                    NOW,
                    draw(st.none() | st.integers(0, 4_000_000_000).map(float)),
                    tuple(dict.fromkeys(draw(networks))),
                    draw(st.booleans()),
                    draw(st.booleans()),
                    quota,
                )
            )
    return firms, made


@given(servers(), st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]))
def test_what_is_written_is_read_back(server: tuple[list[Fiduciary], list[Account]], encoding: str) -> None:
    """Any fiduciaries and accounts come out of their table as they went in."""
    rows, faults = read(text(*server).encode(encoding))
    assert faults == []
    firms, made = to_make(rows, NOW)
    assert {firm.number: firm for firm in firms} == {firm.number: firm for firm in server[0]}
    assert {each.name.login: each for each in made} == {each.name.login: each for each in server[1]}


def test_a_server_is_copied_by_its_table(accounts: Accounts, tmp_path: Path) -> None:
    """A table written by one server makes the same accounts on an empty one, with other passwords and no secret."""
    made = accounts.add_fiduciary("570013", "Cabinet Élan")
    made |= accounts.add_dossier("570013", "000204")
    accounts.enable("WRITE_570013", False)
    accounts.set_networks("WRITE_570013_000204", ["10.0.0.0/8"])
    accounts.set_quota("570013", 1)
    accounts.require_tls("READ_570013", False)
    table = text(accounts.fiduciaries(), accounts.list())
    assert not [password for password in made.values() if password in table]
    assert "argon2" not in table
    database = Database(f"sqlite:///{tmp_path / 'other.db'}")
    database.migrate()
    other = Accounts(database, lambda: NOW)
    fresh = import_accounts(other, table.encode(), NOW)
    assert told(other) == told(accounts)
    assert fresh.keys() == made.keys()
    assert not set(fresh.values()) & set(made.values())
    database.close()


@pytest.mark.parametrize("name", ["=1+1", "+32 2 123", "-x", "@SUM(A1)", "'=x", "''+y"])
def test_no_name_is_a_formula(name: str) -> None:
    """A name that a spreadsheet would run is written as text, and read back as it was."""
    firm = Fiduciary("570013", name, None, NOW)
    table = text([firm], [Account(AccountName(AccountKind.READ, "570013"), True, True, NOW)])
    assert table.splitlines()[1].split(";")[1] == f"'{name}"
    assert read(table.encode())[0][0].name == name


@given(st.integers(1, 2**53))
def test_a_quota_is_written_to_the_byte(quota: int) -> None:
    """Any quota is the same after it was written in MiB."""
    assert quota_of(quota_text(quota)) == quota


def test_each_column_is_read() -> None:
    """No column is written that would not be read, and none twice under one word."""
    assert set(account_csv._READERS) == set(account_csv._COLUMNS)
    words = [word for column, others in account_csv._COLUMNS.items() for word in (column, *others)]
    assert len(words) == len(set(words))


def test_a_new_file_is_never_written_over_one(tmp_path: Path) -> None:
    """A file that is there stays as it is, and a new one is readable only by those it is for."""
    write_new(tmp_path / "passwords", b"secret", 0o600)
    if os.name == "posix":
        assert stat.S_IMODE((tmp_path / "passwords").stat().st_mode) == 0o600
    with pytest.raises(PermanentFailure, match="new_file.exists"):
        write_new(tmp_path / "passwords", b"other")
    assert (tmp_path / "passwords").read_bytes() == b"secret"
    with pytest.raises(PermanentFailure, match="new_file.not_written"):
        write_new(tmp_path / "nowhere" / "file", b"x")
    with pytest.raises(PermanentFailure, match="sheet.no_file"):
        table_of(tmp_path / "nowhere")


def test_a_full_disk_leaves_no_half_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that could not be written to its end is gone."""

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(PermanentFailure, match="new_file.not_written"):
        write_new(tmp_path / "passwords", b"secret", 0o600)
    assert list(tmp_path.iterdir()) == []
