"""Command lines in the user's language: every kind of mistake has its sentence and its code."""

import pytest

from transfer.command_line import Parser, language_of
from transfer.language import LANGUAGES, Language

MISTAKES = {
    "": ("usage.missing", "name"),
    "a --bogus": ("usage.unknown", "--bogus"),
    "a --number": ("usage.no_value", "--number"),
    "a --pair one": ("usage.no_value", "--pair"),
    "a --number x": ("usage.bad_value", "x"),
    "a --kind green": ("usage.bad_choice", "red, blue"),
    "a --this --that": ("usage.not_together", "--that"),
    "a --this=x": ("usage.value_too_many", "x"),
    "a --th": ("usage.ambiguous", "--th"),
    "a fly": ("usage.bad_choice", "fly"),
    "a go": ("usage.missing", "where"),
    "a clean": ("usage.one_of", "--dry"),
}


def parser(language: str) -> Parser:
    made = Parser(Language(language), prog="program")
    made.add_argument("name")
    made.add_argument("--number", type=int)
    made.add_argument("--pair", nargs=2)
    made.add_argument("--kind", choices=("red", "blue"))
    which = made.add_mutually_exclusive_group()
    which.add_argument("--this", action="store_true")
    which.add_argument("--that", action="store_true")
    verbs = made.add_subparsers(metavar="COMMAND")
    verbs.add_parser("go").add_argument("where")
    how = verbs.add_parser("clean").add_mutually_exclusive_group(required=True)
    how.add_argument("--dry", action="store_true")
    how.add_argument("--wet", action="store_true")
    return made


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("words", MISTAKES)
def test_each_mistake(words: str, language: str, capsys: pytest.CaptureFixture[str]) -> None:
    """What argparse refuses ends with 2, its usage and a sentence in the language, with what was wrong and its code."""
    code, wrong = MISTAKES[words]
    with pytest.raises(SystemExit) as ended:
        parser(language).parse_args(words.split())
    said = capsys.readouterr()
    usage, sentence = said.err.strip().rsplit("\n", 1)
    assert (ended.value.code, said.out) == (2, "")
    assert usage.startswith(Language(language).say("usage.usage") + " program ")
    assert sentence.endswith(f"[{code}]")
    assert wrong in sentence
    say = Language(language).say(code)
    assert sentence.startswith(say.partition("{")[0])


def test_what_nobody_foresaw_is_said_as_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    """A refusal in words that are not known has a code too, and its words."""
    with pytest.raises(SystemExit):
        parser("fr").error("something new")
    assert "something new. [usage.refused]" in capsys.readouterr().err


@pytest.mark.parametrize("language", LANGUAGES)
def test_help(language: str, capsys: pytest.CaptureFixture[str]) -> None:
    """The help of a command, and of one below it, has its headings in the language."""
    for words in (["--help"], ["a", "go", "-h"]):
        with pytest.raises(SystemExit) as ended:
            parser(language).parse_args(words)
        told = capsys.readouterr().out
        assert ended.value.code == 0
        say = Language(language).say
        assert told.startswith(say("usage.usage") + " program ")
        for heading in ("usage.options", "usage.arguments"):
            assert f"\n{say(heading)}:\n" in told
        assert say("usage.help") in told
        assert language == "en" or not [word for word in ("usage:", "positional", "show this") if word in told]


@pytest.mark.parametrize(
    "words, language",
    [
        ("--language fr", "fr"),
        ("--language=nl x", "nl"),
        ("--language fr --language nl", "nl"),
        ("--language xx", "en"),
        ("--language", "en"),
        ("", "en"),
    ],
)
def test_language_before_the_line_is_read(words: str, language: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The language that a command line asks for is known before it is understood; otherwise the system's."""
    monkeypatch.setenv("NAVETTE_LANGUAGE", "en")
    assert language_of(words.split()) == language
