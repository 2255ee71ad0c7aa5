"""The one command line, ``navette``: finds the command and turns failures into sentences; never does a room's work."""

import argparse
import importlib
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from dossiers.confined import MODE
from transfer.command_line import Parser, language_of
from transfer.failures import Failure
from transfer.language import LANGUAGES, Language, system_language

_ROOMS = ("navette", "console", "dossiers", "mail_intake", "fetcher", "ini_tools", "ftp_server", "uploader")
_MODULES = {
    "up": "navette.up",
    "server": "navette.server_commands",
    "ini": "navette.ini_commands",
    "kit": "navette.ini_commands",
    "fetch": "navette.fetch_commands",
    "service": "navette.service_commands",
    "console": "navette.console_commands",
    "dossier": "navette.dossier_commands",
    "waiting": "navette.waiting_commands",
    "journal": "navette.journal_commands",
    "processed": "navette.journal_commands",
    "settings": "navette.dossier_commands",
    "secrets": "navette.secret_commands",
    "worker": "navette.worker_commands",
    "alarms": "navette.alarm_commands",
    "rules": "navette.rule_commands",
    "db": "navette.database_commands",
    "mail": "navette.mail_commands",
}
"""First word of a command -> the module that knows it; only that one is imported, so that each command starts fast."""

_READERS = ("mail_intake.cage", "console.preview_reader")
"""What this program can be instead of itself, where it is packed into one file: a reader that was started confined."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code: 0 done, 1 not done, 2 wrong usage or a refusal."""
    words = sys.argv[1:] if argv is None else argv
    if words[:1] == [MODE] and words[1:2] and words[1] in _READERS:
        return _confined(words[1], words[2:])
    first = _top_parser(Language(language_of(argv), *_ROOMS), add_help=False)
    first.add_argument("rest", nargs=argparse.REMAINDER)
    known = first.parse_known_args(argv)[0]
    if known.rest[:1] == ["uploader"]:
        from uploader.__main__ import main as uploader

        return uploader([*(["--language", known.language] if known.language else []), *known.rest[1:]])
    language = Language(known.language or system_language(), *_ROOMS)
    parser = _top_parser(language, description=language.say("cli.navette"))
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    wanted = _MODULES.get(known.rest[0]) if known.rest else None
    for module in dict.fromkeys([wanted] if wanted else _MODULES.values()):
        importlib.import_module(module).add(commands, language)
    if not wanted:
        commands.add_parser("uploader", help=language.say("cli.uploader"), add_help=False)
    try:
        args = parser.parse_args(argv)
        args.home, args.language = known.home, language
        code: int = args.run(args)
    except Failure as failure:
        print(language.failure(failure), file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
    return code


def _confined(reader: str, words: Sequence[str]) -> int:
    """Become a reader of files, as ``python -m`` would start it; its limits are its own."""
    sys.argv[1:] = words
    importlib.import_module(reader).main()
    return 0


def _top_parser(language: Language, **options: Any) -> Parser:
    parser = Parser(language, prog="navette", **options)
    home = Path(os.environ.get("NAVETTE_HOME", "var"))
    parser.add_argument("--home", type=Path, default=home, help="NAVETTE_HOME, ./var")
    parser.add_argument("--language", choices=LANGUAGES, help="NAVETTE_LANGUAGE")
    return parser
