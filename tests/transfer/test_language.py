"""Texts in three languages, and failures that a person can read."""

import pickle

import pytest

from transfer.failures import PermanentFailure, TemporaryFailure
from transfer.language import LANGUAGES, Language, system_language

REFUSED = PermanentFailure("session.login_refused", user="WRITE_570013", host="ftp.example.be", port=21)


@pytest.mark.parametrize(("code", "words"), [("fr", "mot de passe"), ("nl", "wachtwoord"), ("en", "password")])
def test_a_failure_is_a_sentence_in_each_language(code: str, words: str) -> None:
    """A failure is told with its values in French, Dutch and English, and ends with its code."""
    sentence = Language(code).failure(REFUSED)
    assert words in sentence
    assert "WRITE_570013" in sentence
    assert sentence.endswith(" [session.login_refused]")


def test_another_language_gets_english() -> None:
    """A language that Navette does not speak falls back to English."""
    assert Language("de").code == "en"
    assert Language("de").failure(REFUSED) == Language("en").failure(REFUSED)


def test_an_unknown_text_shows_its_key() -> None:
    """A key without text is shown as it is instead of ending the program."""
    assert Language("fr").say("no.such_text") == "no.such_text"
    assert Language("fr").failure(PermanentFailure("no.such_code")) == "no.such_code [no.such_code]"


def test_a_missing_value_shows_its_name() -> None:
    """A text whose value was not given shows the value's name."""
    assert "{host}" in Language("nl").say("session.unreachable", port=21)


def test_a_room_speaks_before_transfer_does() -> None:
    """The texts of the named rooms are found, and those of transfer behind them."""
    language = Language("fr", "uploader")
    assert language.say("upload.cancelled", file="a.pdf") != "upload.cancelled"
    assert language.failure(REFUSED) == Language("fr").failure(REFUSED)
    assert Language("fr", "no_such_room").failure(REFUSED) == Language("fr").failure(REFUSED)


def test_plurals_follow_the_language(tmp_path: object) -> None:
    """French counts zero as one, Dutch and English do not."""
    forms = {code: [Language(code, "ini_tools").say_n("check.faults", n) for n in (0, 1, 2)] for code in LANGUAGES}
    assert len({form.replace("0", "n").replace("1", "n") for form in forms["fr"][:2]}) == 1
    for code in LANGUAGES:
        assert [form.split()[0] for form in forms[code]] == ["0", "1", "2"]
        assert forms[code][1].replace("1", "n") != forms[code][2].replace("2", "n")
    for code in ("nl", "en"):
        assert forms[code][0].replace("0", "n") == forms[code][2].replace("2", "n")


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({"NAVETTE_LANGUAGE": "nl"}, "nl"),
        ({"NAVETTE_LANGUAGE": "NL_be"}, "nl"),
        ({"LANG": "fr_BE.UTF-8"}, "fr"),
        ({"LC_ALL": "nl_BE.UTF-8", "LANG": "fr_BE.UTF-8"}, "nl"),
        ({"LANG": "de_DE.UTF-8"}, "en"),
        ({"NAVETTE_LANGUAGE": "xx"}, "en"),
    ],
)
def test_the_system_says_which_language(
    variables: dict[str, str], expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Navette's own variable decides, then the system's, and English is spoken to all others."""
    for name in ("NAVETTE_LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert system_language() == expected


def test_a_failure_is_one_line_of_a_log() -> None:
    """A file name with a line end cannot forge a line of a log."""
    failure = TemporaryFailure("receipt.hash_differs", file="a\nERROR forged\u2028.pdf", line=None)
    assert str(failure) == "receipt.hash_differs file=a?ERROR forged?.pdf line=None"
    assert failure.temporary
    assert not REFUSED.temporary


def test_a_failure_survives_between_programs() -> None:
    """A failure passed from one process to another keeps its code and values."""
    passed = pickle.loads(pickle.dumps(REFUSED))
    assert (type(passed), passed.code, passed.values) == (PermanentFailure, REFUSED.code, REFUSED.values)
