"""The texts: complete, alike in three languages, none too many; and the pages made from them."""

import argparse
import ast
import importlib
import re
import string
from collections.abc import Iterator

import pytest
from pages import PAGES, codes
from product import LANGUAGES, ROOMS, ROOT, catalogue, constants, failure_codes, modules, name, templates, texts, tree

from navette import cli
from transfer.language import Language

PLURALS = {"fr": "n > 1", "nl": "n != 1", "en": "n != 1"}


def test_every_failure_has_its_sentence() -> None:
    """A code that is raised anywhere has a text in the catalogue of its room, or of one below that it may know."""
    without = []
    for path in modules():
        room = name(path).partition("/")[0]
        known = texts(room, "fr").keys() | texts("transfer", "fr").keys()
        without += [f"{name(path)}: {code}" for code in sorted(failure_codes(path) - known)]
    assert without == []


@pytest.mark.parametrize("room", ROOMS)
def test_the_three_languages_say_the_same(room: str) -> None:
    """Each text exists in French, Dutch and English, not empty and not in doubt, with the same values to fill in."""
    said = {language: texts(room, language) for language in LANGUAGES}
    assert said["fr"].keys() == said["nl"].keys() == said["en"].keys()
    different = []
    for key in said["fr"]:
        forms = [form for language in LANGUAGES for form in said[language][key]]
        assert all(forms), key
        if len({frozenset(_places(form)) for form in forms}) > 1:
            different.append(key)
        assert len({len(said[language][key]) for language in LANGUAGES}) == 1, key
    assert different == []
    for language in LANGUAGES:
        assert not [message.id for message in catalogue(room, language) if message.id and message.fuzzy]


def _places(text: str) -> set[str]:
    """Return the names of a text's values; each must stand alone between its braces."""
    parts = [(place, rule, turn) for _, place, rule, turn in string.Formatter().parse(text) if place is not None]
    assert all(place.isidentifier() and not rule and not turn for place, rule, turn in parts), text
    return {place for place, _, _ in parts}


@pytest.mark.parametrize("language", LANGUAGES)
def test_plurals_are_those_of_the_language(language: str) -> None:
    """Each catalogue counts as its language does, and says which language it is in."""
    heads = [(ROOT / room / "locale" / language / "LC_MESSAGES" / f"{room}.po") for room in ROOMS]
    for head in (path.read_text(encoding="utf-8")[:1000] for path in heads if path.exists()):
        assert f"Plural-Forms: nplurals=2; plural={PLURALS[language]};" in head
        assert f"Language: {language}\\n" in head


def test_no_text_is_left_over() -> None:
    """Each text is named somewhere in the source, whole or by its first part."""
    whole: set[str] = set()
    starts: set[str] = set()
    for path in modules():
        whole |= constants(tree(path))
        for node in ast.walk(tree(path)):
            if isinstance(node, ast.JoinedStr) and isinstance(node.values[0], ast.Constant):
                starts.add(str(node.values[0].value))
    for template in templates():
        quoted = {found for _, found in re.findall(r"(['\"])([a-z0-9_.]+)\1", template.read_text(encoding="utf-8"))}
        whole |= quoted
        starts |= {start for start in quoted if start.endswith(".")}
    starts = {start for start in starts if "." in start and " " not in start}
    keys = {(room, key) for room in ROOMS for key in texts(room, "en")}
    assert {(room, key) for room, key in keys if key not in whole and not key.startswith(tuple(starts))} == set()


def test_no_code_means_two_things() -> None:
    """Two rooms never use the same key for different texts."""
    rooms: dict[str, list[str]] = {}
    for room in ROOMS:
        for key in texts(room, "en"):
            rooms.setdefault(key, []).append(room)
    assert {key: found for key, found in rooms.items() if len(found) > 1} == {}


def test_the_codes_are_many() -> None:
    """The search for codes finds them where they are raised: with a name, chosen between two, or through a helper."""
    assert {"ini.missing_key", "session.interrupted", "session.unreachable", "receipt.hash_differs"} <= codes().keys()


@pytest.mark.parametrize("page", PAGES)
def test_the_pages_say_what_the_source_says(page: str) -> None:
    """The map and the lists of codes and settings are those that ``python tests/support/pages.py`` writes."""
    assert (ROOT / page).read_text(encoding="utf-8") == PAGES[page](), "run: python tests/support/pages.py"


def _leaves(parser: argparse.ArgumentParser, words: tuple[str, ...] = ("navette",)) -> Iterator[tuple[str, ...]]:
    """Yield the words of each command that does something."""
    below = [action for action in parser._actions if isinstance(action, argparse._SubParsersAction)]
    for action in below:
        for word, sub in action.choices.items():
            yield from _leaves(sub, (*words, word))
    if not below:
        yield words


def test_every_command_is_in_a_guide() -> None:
    """Each command of ``navette`` is named in a guide for the one who types it."""
    parser = argparse.ArgumentParser()
    commands = parser.add_subparsers()
    for module in dict.fromkeys(cli._MODULES.values()):
        importlib.import_module(module).add(commands, Language("en"))
    guides = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "docs").glob("guide-*.en.md"))
    found = [" ".join(words[-2:]) for words in _leaves(parser)]
    assert len(found) > 10
    assert [words for words in found if words not in guides] == []


@pytest.mark.parametrize("page", ["guide-client", "guide-firm", "guide-host"])
def test_guides_say_the_same_in_both_languages(page: str) -> None:
    """A guide has the same commands and as many headings in French as in English."""
    french, english = (
        (ROOT / "docs" / f"{page}.{language}.md").read_text(encoding="utf-8") for language in ("fr", "en")
    )
    for marked in (r"^#+ ", r"^\| ", r"^navette ", r"`navette "):
        told = [re.findall(marked, text, re.MULTILINE) for text in (french, english)]
        assert len(told[0]) == len(told[1]), marked
