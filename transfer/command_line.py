"""Command lines, with their help and what is wrong with one in the user's language; never runs a command."""

import argparse
import re
import sys
from collections.abc import Iterable, Sequence
from functools import partial
from itertools import pairwise
from typing import Any, NamedTuple, NoReturn

from transfer.failures import PermanentFailure
from transfer.language import LANGUAGES, Language, system_language

_QUOTED = re.compile(r"'([^']*)'")  # as argparse has values and choices; our sentences have marks of their own
_HEADINGS = {"positional arguments": "usage.arguments", "options": "usage.options"}
"""A heading of argparse -> the key of ours."""


class _Fault(NamedTuple):
    code: str
    says: re.Pattern[str]


def _fault(code: str, says: str) -> _Fault:
    return _Fault(code, re.compile(says, re.DOTALL))


_FAULTS = (
    _fault("usage.missing", r"the following arguments are required: (?P<names>.+)"),
    _fault("usage.one_of", r"one of the arguments (?P<names>.+) is required"),
    _fault("usage.unknown", r"unrecognized arguments: (?P<words>.+)"),
    _fault("usage.no_value", r"argument (?P<name>.+?): expected .*arguments?"),
    _fault("usage.value_too_many", r"argument (?P<name>.+?): ignored explicit argument (?P<value>.+)"),
    _fault(
        "usage.bad_choice", r"argument (?P<name>.+?): invalid choice: (?P<value>.+) \(choose from (?P<choices>.+)\)"
    ),
    _fault("usage.bad_value", r"argument (?P<name>.+?): invalid .+? value: (?P<value>.+)"),
    _fault("usage.not_together", r"argument (?P<name>.+?): not allowed with argument (?P<other>.+)"),
    _fault("usage.ambiguous", r"(?:argument .+?: )?ambiguous option: (?P<name>.+) could match (?P<matches>.+)"),
)
"""What argparse finds wrong, by its English words; a test finds each in the Python it runs on."""


class Parser(argparse.ArgumentParser):
    """An argument parser that speaks ``language``, as do the parsers of its commands."""

    def __init__(self, language: Language, *, add_help: bool = True, **options: Any) -> None:
        super().__init__(add_help=False, formatter_class=partial(_Formatter, language), **options)
        self.language = language
        if add_help:
            self.add_argument("-h", "--help", action="help", default=argparse.SUPPRESS, help=language.say("usage.help"))

    def add_subparsers(self, **options: Any) -> Any:
        """Add commands, which speak the same language."""
        options["parser_class"] = partial(Parser, self.language)
        return super().add_subparsers(**options)

    def error(self, message: str) -> NoReturn:
        """Say how the command is written and what is wrong, and end with 2."""
        self.print_usage(sys.stderr)
        self.exit(2, f"{self.language.failure(_failure(message))}\n")


class _Formatter(argparse.HelpFormatter):
    """Writes the help under headings in one language."""

    def __init__(self, language: Language, prog: str) -> None:
        super().__init__(prog)
        self._language = language

    def start_section(self, heading: str | None) -> None:
        """Begin a part of the help."""
        known = _HEADINGS.get(heading or "")
        super().start_section(self._language.say(known) if known else heading)

    def add_usage(
        self,
        usage: str | None,
        actions: Iterable[argparse.Action],
        groups: Iterable[Any],
        prefix: str | None = None,
    ) -> None:
        """Say how the command is written."""
        ours = self._language.say("usage.usage") + " " if prefix is None else prefix
        super().add_usage(usage, actions, groups, ours)


def language_of(argv: Sequence[str] | None) -> str:
    """Return the language that a command line asks for by ``--language``, else the system's; before it is read."""
    words = sys.argv[1:] if argv is None else argv
    asked = [following for word, following in pairwise(words) if word == "--language"]
    asked += [word.removeprefix("--language=") for word in words if word.startswith("--language=")]
    return next((language for language in reversed(asked) if language in LANGUAGES), system_language())


def _failure(message: str) -> PermanentFailure:
    for code, says in _FAULTS:
        found = says.fullmatch(message)
        if found:
            return PermanentFailure(
                code, **{name: _QUOTED.sub(r"\1", told) for name, told in found.groupdict().items()}
            )
    return PermanentFailure("usage.refused", why=message)
