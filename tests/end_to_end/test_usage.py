"""Every command tells in the user's language how it is written and what is wrong; never in argparse's English."""

import argparse
import ast
import importlib
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from navette_server import ROOT, navette
from product import called, modules, name, tree

import uploader.__main__
from navette import cli
from transfer.command_line import Parser
from transfer.language import LANGUAGES, Language

ENGLISH = re.compile("usage:|positional|options:|show this|the following|unrecognized|invalid|error:")
USAGE = r"\n[^\n]+ \[usage\.(unknown|missing|one_of)\]\n$"


def commands(parser: argparse.ArgumentParser, words: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Yield the words of each command, those that only hold others included."""
    yield words
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for word, below in action.choices.items():
                yield from commands(below, (*words, word))


def every_command() -> list[tuple[str, ...]]:
    """Return the words of each command of ``navette``."""
    parser = Parser(Language("en"))
    verbs = parser.add_subparsers()
    for module in dict.fromkeys(cli._MODULES.values()):
        importlib.import_module(module).add(verbs, Language("en"))
    return [*commands(parser), ("uploader",)]


@pytest.mark.parametrize("language", LANGUAGES)
def test_help_of_every_command(language: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The help of each command begins with its usage and has its headings, in the language that was asked for."""
    say = Language(language).say
    found = every_command()
    assert len(found) > 50
    for words in found:
        assert _ended(["--home", str(tmp_path), "--language", language, *words, "--help"]) == 0
        told = capsys.readouterr()
        assert told.out.startswith(f"{say('usage.usage')} {'' if words == ('uploader',) else 'navette'}"), words
        assert f"\n{say('usage.options')}:\n" in told.out, words
        assert say("usage.help") in told.out, words
        assert told.err == ""
        assert language == "en" or not ENGLISH.search(told.out), words


@pytest.mark.parametrize("language", LANGUAGES)
def test_wrong_option_of_every_command(language: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """An option that no command knows ends each with 2, its usage and one sentence with a code, in the language."""
    say = Language(language).say
    for words in every_command():
        assert _ended(["--home", str(tmp_path), "--language", language, *words, "--nonsense"]) == 2
        told = capsys.readouterr()
        assert told.out == ""
        assert told.err.startswith(say("usage.usage")), words
        assert re.search(USAGE, told.err), words
        assert language == "en" or not ENGLISH.search(told.err), words
    assert list(tmp_path.iterdir()) == []


def _ended(words: list[str]) -> int:
    try:
        return cli.main(words)
    except SystemExit as ended:
        return int(ended.code or 0)


def test_before_the_language_is_known(tmp_path: Path) -> None:
    """What is wrong with the words before the command is said in the language they name, or in the system's."""
    told = navette(tmp_path, "--language", "nl", "--home", check=False)
    assert (told.returncode, "Na --home ontbreekt een waarde. [usage.no_value]" in told.stderr) == (2, True)
    told = navette(tmp_path, "--language", "de", "up", check=False)
    assert (told.returncode, "[usage.bad_choice]" in told.stderr) == (2, True)
    assert "fr, nl, en" in told.stderr


@pytest.mark.parametrize("language", LANGUAGES)
def test_uploader(language: str, tmp_path: Path) -> None:
    """The uploader does the same as a program of its own, its options explained in each language."""
    command = [sys.executable, "-m", "uploader", "--language", language]
    helped = subprocess.run([*command, "--help"], capture_output=True, text=True, cwd=ROOT, check=True).stdout
    assert Language(language, "uploader").say("option.uploader") in helped
    wrong = subprocess.run([*command, "--connections", "99"], capture_output=True, text=True, cwd=ROOT, check=False)
    assert wrong.returncode == uploader.__main__.silent.USAGE
    sentence = Language(language).say("usage.bad_value", value="99", name="--connections")
    assert wrong.stderr.endswith(f"\n{sentence} [usage.bad_value]\n")


def test_one_parser_for_all() -> None:
    """No program reads its command line by a parser that speaks English only."""
    nodes = [(name(path), node) for path in modules() for node in ast.walk(tree(path))]
    assert [where for where, node in nodes if isinstance(node, ast.Call) and called(node) == "ArgumentParser"] == []
