"""The accounts: who is let in, who is not, and what changes them."""

import logging
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from functools import cached_property
from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Connection, create_engine, event, text

from ftp_server.account import Account, Fiduciary
from ftp_server.accounts import Accounts
from ftp_server.database import Database
from ftp_server.expiry import moment_of, text_of
from ftp_server.networks import networks_of, within
from transfer.failures import PermanentFailure

NUMBER = "570013"
READ, WRITE = f"READ_{NUMBER}", f"WRITE_{NUMBER}"
DOSSIER = f"{WRITE}_000204"


class Clock:
    """A clock that stands still until it is told."""

    def __init__(self) -> None:
        self.now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


class Room:
    """Accounts of a server, those of another program on the same database, and the statements that were run."""

    def __init__(self, file: Path, passwords: dict[str, str] | None = None) -> None:
        self.file = file
        self.clock = Clock()
        self._databases = [Database(f"sqlite:///{file}")]
        self._databases[0].migrate()
        self.accounts = Accounts(self._databases[0], self.clock)
        self.passwords = dict(passwords or self.accounts.add_fiduciary(NUMBER, "Fiduciaire Exemple"))
        self.statements: list[str] = []
        event.listen(self._databases[0]._engine, "before_cursor_execute", self._ran)

    @cached_property
    def elsewhere(self) -> Accounts:
        """The accounts as another program has them."""
        self._databases.append(Database(f"sqlite:///{self.file}"))
        return Accounts(self._databases[-1], self.clock)

    def enters(self, login: str = WRITE, peer: str | None = None) -> bool:
        """Log in with the password that was given last."""
        return self.accounts.verify(login, self.passwords[login], peer) is not None

    def account(self, login: str = WRITE) -> Account:
        """Return an account as it is listed."""
        return next(each for each in self.accounts.list() if each.name.login == login)

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """Open a transaction on the database that knows nothing of Navette."""
        engine = create_engine(f"sqlite:///{self.file}")
        with engine.begin() as connection:
            yield connection
        engine.dispose()

    def close(self) -> None:
        """Close both."""
        for each in self._databases:
            each.close()

    def _ran(self, _: object, __: object, statement: str, *___: object) -> None:
        self.statements.append(statement)


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Room:
    """A closed room, of which each test has a copy: hashing passwords takes time."""
    made = Room(tmp_path_factory.mktemp("accounts") / "server.db")
    made.close()
    return made


@pytest.fixture
def room(template: Room, tmp_path: Path) -> Iterator[Room]:
    copy = Room(Path(shutil.copy(template.file, tmp_path / "server.db")), template.passwords)
    yield copy
    copy.close()


class Checks:
    """Argon2 that counts how often it is asked."""

    def __init__(self, room: Room) -> None:
        self.number = 0
        self._hasher = room.accounts._passwords._hasher
        room.accounts._passwords._hasher = self  # type: ignore[assignment]

    def verify(self, stored: str, password: bytes) -> bool:
        self.number += 1
        return self._hasher.verify(stored, password)


def refused(code: str) -> "pytest.RaisesExc[PermanentFailure]":
    return pytest.raises(PermanentFailure, match=rf"^{code}( |$)")


def test_new_accounts_are_open_but_for_read_over_plain_ftp(room: Room) -> None:
    """An account has no end, no networks and no quota until it is given some, and READ needs TLS."""
    room.passwords |= room.accounts.add_dossier(NUMBER, "000204")
    assert [each.name.login for each in room.accounts.list()] == [READ, WRITE, DOSSIER]
    for each in room.accounts.list():
        assert (each.enabled, each.expires_at, each.networks, each.quota) == (True, None, (), None)
        assert (each.close_notify, each.bound, each.tls_required) == (True, False, each.name.login == READ)
        assert room.enters(each.name.login)
        assert room.accounts.verify(each.name.login, "wrong") is None


def test_the_account_that_enters_is_the_one_that_is_listed(room: Room) -> None:
    """Verifying returns all that an account is held to, from the database and from memory alike."""
    room.accounts.set_networks(WRITE, ["203.0.113.0/24"])
    room.accounts.expire(WRITE, room.clock.now + 60)
    room.accounts.set_close_notify(WRITE, False)
    room.accounts.set_bound(WRITE, True)
    room.accounts.require_tls(WRITE, True)
    room.accounts.set_quota(NUMBER, 5_000)
    listed = room.account()
    assert listed.networks == ("203.0.113.0/24",)
    assert (listed.close_notify, listed.bound, listed.tls_required, listed.quota) == (False, True, True, 5_000)
    for _ in range(2):
        assert room.accounts.verify(WRITE, room.passwords[WRITE], "203.0.113.7") == listed


def test_a_repeated_login_asks_nothing_of_the_database(room: Room) -> None:
    """A password that was right before is answered from memory; once a second the last change is asked for."""
    assert room.enters()
    room.statements.clear()
    for _ in range(20):
        assert room.enters()
    assert room.statements == []
    room.clock.now += 1
    assert room.enters()
    assert room.enters()
    assert len(room.statements) == 1


@pytest.mark.parametrize("login", [WRITE, "WRITE_999999", "anonymous", "x' or 1=1 --", "\udcff", "nul\0"])
def test_every_refusal_costs_the_same(room: Room, login: str) -> None:
    """A refused login takes one argon2 check, whether it is known, unknown or no login at all."""
    assert room.enters()
    checks = Checks(room)
    assert room.accounts.verify(login, "wr\udcffng") is None
    assert checks.number == 1


def test_a_right_password_that_is_refused_costs_the_same_too(room: Room) -> None:
    """Being quick to refuse a remembered password would tell a stranger that it is right."""
    assert room.enters()
    room.accounts.enable(WRITE, False)
    checks = Checks(room)
    assert not room.enters()
    assert not room.enters()
    assert checks.number == 2


def test_a_reset_elsewhere_works_at_once(room: Room) -> None:
    """A new password given by another program is let in at once, and the old one is refused a second later."""
    assert room.enters()
    old = room.passwords[WRITE]
    room.passwords |= room.elsewhere.reset(WRITE)
    assert room.enters()
    assert room.accounts.verify(WRITE, old) is None
    assert room.enters()


def test_an_account_disabled_elsewhere_is_refused_within_a_second(room: Room) -> None:
    """What another program changes counts as soon as the last change is asked for again."""
    assert room.enters()
    room.elsewhere.enable(WRITE, False)
    room.clock.now += 1
    assert not room.enters()
    room.elsewhere.enable(WRITE, True)
    assert room.enters()


def test_a_known_device_is_recognised_without_a_check(room: Room) -> None:
    """A password that was right before is recognised without argon2; one that was not is left to be verified."""
    checks = Checks(room)
    assert room.accounts.recognise(WRITE, room.passwords[WRITE]) is None
    assert room.enters()
    assert room.accounts.recognise(WRITE, room.passwords[WRITE]) == room.account()
    assert room.accounts.recognise(WRITE, "wrong") is None
    assert room.accounts.recognise("WRITE_999999", "wrong") is None
    room.accounts.enable(WRITE, False)
    assert room.accounts.recognise(WRITE, room.passwords[WRITE]) is None
    assert checks.number == 1


def test_a_login_does_not_wait_for_who_writes(room: Room) -> None:
    """While another program's transaction is open, accounts are read and verified as they were before it."""
    with room.writing() as connection:
        connection.execute(text("update accounts set enabled = 0"))
        assert room.enters()
        assert room.accounts.stamps().keys() == {READ, WRITE}


def test_what_is_changed_by_hand_counts_within_a_minute(room: Room) -> None:
    """A row changed in the database without Navette is seen when it is read anew."""
    assert room.enters()
    with room.writing() as connection:
        connection.execute(text("update accounts set enabled = 0"))
    room.clock.now += 61
    assert not room.enters()


def test_a_clock_that_jumps_back_keeps_nothing_alive(room: Room) -> None:
    """After the clock was set back the database is asked, and what was remembered is read anew."""
    assert room.enters()
    room.elsewhere.enable(WRITE, False)
    room.clock.now -= 86_400
    assert not room.enters()


def test_an_account_ends(room: Room, caplog: pytest.LogCaptureFixture) -> None:
    """From its end on an account is refused as if the password were wrong; only the log says why."""
    room.accounts.expire(WRITE, room.clock.now + 10)
    assert room.enters()
    room.clock.now += 9.9
    assert room.enters()
    room.clock.now += 0.1
    with caplog.at_level(logging.WARNING, "navette.server"):
        assert not room.enters(peer="203.0.113.7")
    assert [record.getMessage() for record in caplog.records] == [
        f"login refused user={WRITE} peer=203.0.113.7 why=expired"
    ]
    room.accounts.expire(WRITE, None)
    assert room.enters()


def test_the_log_tells_nothing_of_wrong_passwords(room: Room, caplog: pytest.LogCaptureFixture) -> None:
    """The reason is told for a right password only, and no password is in it."""
    room.accounts.enable(WRITE, False)
    with caplog.at_level(logging.WARNING, "navette.server"):
        assert room.accounts.verify(WRITE, "wrong") is None
        assert caplog.records == []
        assert not room.enters()
    assert [record.getMessage() for record in caplog.records] == [f"login refused user={WRITE} peer=- why=disabled"]


@pytest.mark.parametrize(
    ("peer", "enters"),
    [
        ("203.0.113.7", True),
        ("::ffff:203.0.113.7", True),
        ("203.0.114.7", False),
        ("::ffff:203.0.114.7", False),
        ("2001:db8:1::7", True),
        ("2001:db8:1::7%eth0", True),
        ("2001:db8:2::7", False),
        ("no address", False),
        ("", False),
        (None, True),
    ],
)
def test_an_account_enters_from_its_networks_only(room: Room, peer: str | None, enters: bool) -> None:
    """An address outside the account's networks is refused; IPv4 shown as IPv6 counts as IPv4."""
    assert room.accounts.set_networks(WRITE, ["203.0.113.9/24", "2001:db8:1::/48", "203.0.113.0/24"]) == (
        "203.0.113.0/24",
        "2001:db8:1::/48",
    )
    for _ in range(2):
        assert room.enters(peer=peer) is enters
    room.accounts.set_networks(WRITE, [])
    assert room.enters(peer=peer)


def test_networks_are_kept_in_one_form() -> None:
    """A single address is a network of one, and mapped IPv4 is kept as IPv4."""
    assert networks_of(["203.0.113.7", "::ffff:198.51.100.0/120", "::1"]) == (
        "203.0.113.7/32",
        "198.51.100.0/24",
        "::1/128",
    )
    assert within("198.51.100.200", ("198.51.100.0/24",))
    assert within("::5", ("::/0",))
    assert not within("203.0.113.7", ("::/0",))


@pytest.mark.parametrize("wrong", ["", "203.0.113", "203.0.113.0/33", "office", "::g", "10.0.0.0/8,::1"])
def test_what_is_no_network_is_refused(room: Room, wrong: str) -> None:
    """A text that is no network leaves the account as it was."""
    with refused("account.bad_network"):
        room.accounts.set_networks(WRITE, ["10.0.0.0/8", wrong])
    assert room.account().networks == ()


def test_each_change_that_matters_to_a_session_changes_the_stamp(room: Room) -> None:
    """Password, state, end, networks and switches change the stamp; what changes nothing, a quota and a name do not."""
    accounts = room.accounts
    changes = [
        lambda: accounts.reset(WRITE),
        lambda: accounts.enable(WRITE, False),
        lambda: accounts.enable(WRITE, True),
        lambda: accounts.expire(WRITE, room.clock.now + 60),
        lambda: accounts.set_networks(WRITE, ["10.0.0.0/8"]),
        lambda: accounts.set_close_notify(WRITE, False),
        lambda: accounts.set_bound(WRITE, True),
        lambda: accounts.require_tls(WRITE, True),
    ]
    stamps = [room.account().stamp]
    for change in changes:
        change()
        stamps.append(room.account().stamp)
    assert len(set(stamps)) == len(stamps)
    for change in (*changes[4:], changes[2]):
        change()
    accounts.set_quota(NUMBER, 1)
    accounts.rename_fiduciary(NUMBER, "Other")
    assert room.account().stamp == stamps[-1]
    assert room.account(READ).stamp == stamps[0]


def test_stamps_are_those_of_accounts_that_may_be_logged_in(room: Room) -> None:
    """Disabled and ended accounts have no stamp, and one query tells all."""
    room.accounts.add_dossier(NUMBER, "000204")
    room.accounts.expire(DOSSIER, room.clock.now + 60)
    listed = {each.name.login: each.stamp for each in room.accounts.list()}
    room.statements.clear()
    assert room.accounts.stamps() == listed
    assert len(room.statements) == 1
    room.accounts.enable(READ, False)
    room.clock.now += 60
    assert room.accounts.stamps() == {WRITE: room.account().stamp}


def test_a_stamp_never_comes_back(room: Room) -> None:
    """A session of before is told apart even when the account is what it was, and after another was renamed to it."""
    room.accounts.add_dossier(NUMBER, "000204")
    before = room.account(DOSSIER).stamp
    room.accounts.rename_dossier(DOSSIER, "000205")
    assert DOSSIER not in room.accounts.stamps()
    room.accounts.rename_dossier(f"{WRITE}_000205", "000204")
    assert room.account(DOSSIER).stamp != before


def test_a_renamed_dossier_keeps_its_password_and_settings(room: Room) -> None:
    """The account of a dossier that got another number is entered with the old password under the new login."""
    password = room.accounts.add_dossier(NUMBER, "000204")[DOSSIER]
    room.accounts.set_networks(DOSSIER, ["10.0.0.0/8"])
    assert room.accounts.verify(DOSSIER, password)
    assert room.accounts.rename_dossier(DOSSIER, "ABC-1") == f"{WRITE}_ABC-1"
    assert room.accounts.verify(DOSSIER, password) is None
    found = room.accounts.verify(f"{WRITE}_ABC-1", password, "10.1.2.3")
    assert found
    assert found.networks == ("10.0.0.0/8",)
    room.accounts.rename_dossier(f"{WRITE}_ABC-1", "abc-1")
    assert room.accounts.verify(f"{WRITE}_abc-1", password)


def test_wrong_renames_are_refused(room: Room) -> None:
    """A dossier is renamed only if it is there and the new number is free and well written."""
    room.accounts.add_dossier(NUMBER, "000204")
    room.accounts.add_dossier(NUMBER, "000205")
    with refused("account.exists"):
        room.accounts.rename_dossier(DOSSIER, "000205")
    with refused("account.unknown"):
        room.accounts.rename_dossier(f"{WRITE}_000206", "000207")
    with refused("account.not_of_dossier"):
        room.accounts.rename_dossier(WRITE, "000207")
    with refused("account.bad_dossier"):
        room.accounts.rename_dossier(DOSSIER, "../x")
    with refused("account.unknown_fiduciary"):
        room.accounts.rename_fiduciary("999999", "Nobody")
    with refused("account.bad_name"):
        room.accounts.rename_fiduciary(NUMBER, "two\nlines")
    with refused("account.bad_name"):
        room.accounts.rename_fiduciary(NUMBER, "x" * 201)


def test_fiduciaries(room: Room) -> None:
    """Fiduciaries are told with name and quota, and accounts can be listed for one of them."""
    room.accounts.add_fiduciary("570014", "Autre")
    room.accounts.rename_fiduciary(NUMBER, "  Cabinet Élan  ")
    room.accounts.set_quota("570014", 10)
    assert room.accounts.fiduciaries() == [
        Fiduciary(NUMBER, "Cabinet Élan", None, room.clock.now),
        Fiduciary("570014", "Autre", 10, room.clock.now),
    ]
    assert [each.name.login for each in room.accounts.list("570014")] == ["READ_570014", "WRITE_570014"]
    assert {each.quota for each in room.accounts.list("570014")} == {10}
    assert room.accounts.list("999999") == []
    room.accounts.set_quota("570014", None)
    assert room.account("READ_570014").quota is None


def test_a_quota_changed_elsewhere_reaches_the_next_login(room: Room) -> None:
    """An account that is remembered has its fiduciary's new quota a second later."""
    assert room.enters()
    room.elsewhere.set_quota(NUMBER, 77)
    room.clock.now += 1
    found = room.accounts.verify(WRITE, room.passwords[WRITE])
    assert found
    assert found.quota == 77


@pytest.mark.parametrize("quota", [0, -1, 2**60])
def test_a_quota_that_is_none_is_refused(room: Room, quota: int) -> None:
    """A quota is at least one byte and within what numbers hold."""
    with refused("account.bad_quota"):
        room.accounts.set_quota(NUMBER, quota)


@pytest.mark.parametrize("at", [float("nan"), float("inf"), -1.0, 1e15])
def test_an_end_that_no_calendar_has_is_refused(room: Room, at: float) -> None:
    """An account ends between 1970 and the year 9000."""
    with refused("account.bad_date"):
        room.accounts.expire(WRITE, at)


def test_what_is_unknown_is_refused(room: Room) -> None:
    """No change of an account that is not there passes in silence."""
    for change in (
        lambda: room.accounts.reset("WRITE_999999"),
        lambda: room.accounts.expire("WRITE_999999", None),
        lambda: room.accounts.set_networks("x", []),
        lambda: room.accounts.set_bound("", True),
    ):
        with refused("account.unknown"):
            change()
    with refused("account.unknown_fiduciary"):
        room.accounts.set_quota("999999", 1)
    with refused("account.unknown_fiduciary"):
        room.accounts.add_dossier("999999", "000204")


def test_dossiers_that_differ_by_capitals_are_one(room: Room) -> None:
    """Where capitals make no difference two such dossiers would share a folder, so the second is refused."""
    room.accounts.add_dossier(NUMBER, "Abc")
    with refused("account.exists"):
        room.accounts.add_dossier(NUMBER, "aBC")


def test_nothing_is_made_when_the_passwords_cannot_be_kept(room: Room) -> None:
    """The passwords are handed over before anything is final: whoever fails to keep them has made nothing."""

    def full(_: object) -> None:
        raise OSError(28, "full")

    with pytest.raises(OSError, match="full"):
        room.accounts.add([Fiduciary("570014", "", None, 0.0)], [], full)
    assert [each.number for each in room.accounts.fiduciaries()] == [NUMBER]


@pytest.fixture(params=["Europe/Brussels", "America/Sao_Paulo", "UTC"])
def zone(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.setenv("TZ", request.param)
    time.tzset()
    yield request.param
    monkeypatch.undo()
    time.tzset()


@given(day=st.dates(date(1971, 1, 1), date(8999, 1, 1)))
def test_a_day_lasts_to_its_end(day: date) -> None:
    """A day that an account ends with is written and read as the same day."""
    assert text_of(moment_of(str(day))) == str(day)


def test_dates_as_people_write_them(zone: str) -> None:
    """Days are read year first or day first, moments with or without an offset, and all are written back."""
    end = moment_of("2026-12-31")
    assert end
    assert time.strftime("%Y-%m-%d %H:%M", time.localtime(end)) == "2027-01-01 00:00"
    assert moment_of("31/12/2026") == moment_of("31-12-2026") == moment_of(" 31.12.2026 ") == end
    assert moment_of("2026-06-30T18:00+02:00") == 1782835200.0
    assert moment_of("2026-12-31T18:00") == end - 6 * 3600
    for at in (end, end - 1, 1782835200.0, 1782835200.25):
        assert moment_of(text_of(at)) == at
    assert [moment_of(word) for word in ("never", "Jamais", "nooit", "")] == [None] * 4
    assert text_of(None) == ""


@pytest.mark.parametrize(
    "wrong", ["tomorrow", "2026-02-30", "2026-13-01", "31/12/26", "9999-12-31", "2026-12-31T25:00"]
)
def test_what_is_no_date_is_refused(wrong: str) -> None:
    """A day that no calendar has is refused, never guessed."""
    with refused("account.bad_date"):
        moment_of(wrong)


def test_a_database_of_before_keeps_its_accounts(room: Room) -> None:
    """A server that is updated lets in who was let in before, with the passwords of before."""
    room.close()
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parents[2] / "ftp_server" / "migrations"))
    with room.writing() as connection:
        config.attributes["connection"] = connection
        command.downgrade(config, "0001")
    updated = Room(room.file, room.passwords)
    found = updated.accounts.verify(WRITE, room.passwords[WRITE], "203.0.113.7")
    assert found
    assert (found.expires_at, found.networks, found.quota) == (None, (), None)
    assert (found.close_notify, found.bound) == (True, False)
    updated.accounts.reset(WRITE)
    assert updated.accounts.stamps()[WRITE] != found.stamp
    updated.close()
