"""The settings: declared once, checked when set, explained in three languages."""

import pytest

from dossiers.firm import Firm
from dossiers.settings import CHOICES, LIMITS, MAILBOX, SETTINGS
from transfer.failures import PermanentFailure
from transfer.language import LANGUAGES, Language
from transfer.setting import Kind


@pytest.mark.parametrize("code", LANGUAGES)
def test_every_setting_is_explained_in_every_language(code: str) -> None:
    """Each setting has a help text in French, Dutch and English."""
    language = Language(code, "dossiers")
    assert [s.name for s in SETTINGS + MAILBOX if language.say(f"setting.{s.name}") == f"setting.{s.name}"] == []


def test_every_default_is_a_value_that_may_be_set(firm: Firm) -> None:
    """No setting starts with a value that it would refuse, and each number has its limits."""
    for setting in SETTINGS:
        firm.settings.set(setting.name, setting.default)
        assert firm.settings.text(setting.name) == setting.default
    assert {s.name for s in SETTINGS + MAILBOX if s.kind is Kind.NUMBER} == set(LIMITS)
    assert set(CHOICES) <= {s.name for s in SETTINGS + MAILBOX if s.kind is Kind.TEXT}


def test_values_come_back_as_what_they_are(firm: Firm) -> None:
    """Numbers come back as numbers, switches as yes or no, and an empty value brings the default back."""
    firm.settings.set("service.minutes", "015")
    firm.settings.set("service.ftp", "no")
    assert firm.settings.number("service.minutes") == 15
    assert firm.settings.switch("service.ftp") is False
    firm.settings.set("service.minutes", "")
    assert firm.settings.number("service.minutes") == 5
    assert not firm.settings.is_set("service.minutes")


@pytest.mark.parametrize(
    ("name", "value", "code"),
    [
        ("nothing", "1", "setting.unknown"),
        ("service.minutes", "0", "setting.bad_number"),
        ("service.minutes", "five", "setting.bad_number"),
        ("service.minutes", "-5", "setting.bad_number"),
        ("ftp.port", "65536", "setting.bad_number"),
        ("ftp.passive", "perhaps", "setting.bad_choice"),
        ("ftp.security", "ssl", "setting.bad_choice"),
        ("ftp.host", "a\r\nb", "setting.bad_text"),
        ("ftp.host", "a" * 1001, "setting.bad_text"),
        ("ftp.fingerprint", "abc", "setting.bad_fingerprint"),
        ("fiduciary.number", "57001", "account.bad_fiduciary"),
    ],
)
def test_a_value_that_cannot_be_is_refused(firm: Firm, name: str, value: str, code: str) -> None:
    """A wrong value is refused with its code, and what was there stays."""
    with pytest.raises(PermanentFailure) as refused:
        firm.settings.set(name, value)
    assert refused.value.code == code


def test_a_fingerprint_may_be_typed_as_browsers_show_it(firm: Firm) -> None:
    """Colons, blanks and capitals of a fingerprint do not matter."""
    firm.settings.set("ftp.fingerprint", ":".join(["AB"] * 32))
    assert firm.settings.text("ftp.fingerprint") == "ab" * 32


def test_a_refused_secret_is_not_in_the_failure(firm: Firm) -> None:
    """The text of a refusal never repeats a password."""
    with pytest.raises(PermanentFailure) as refused:
        firm.settings.set("ftp.read_password", "geheim\x00")
    assert "geheim" not in str(refused.value) + repr(refused.value.values)
