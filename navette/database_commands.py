"""``navette db``: looks after the firm's database, copies it and brings a copy back; never shows what is in it."""

import argparse
from pathlib import Path
from typing import Any

from dossiers.backup import backup, check, restore
from dossiers.firm import Firm
from transfer.language import Language


def add(commands: Any, language: Language) -> None:
    """Add the commands to ``navette``."""
    say = language.say
    verbs = commands.add_parser("db", help=say("command.db")).add_subparsers(metavar="COMMAND", required=True)
    verbs.add_parser("check", help=say("command.db.check")).set_defaults(run=_check)
    for word, run in (("backup", _backup), ("restore", _restore)):
        made = verbs.add_parser(word, help=say(f"command.db.{word}"))
        made.add_argument("file", type=Path, metavar="FILE")
        made.set_defaults(run=run)


def _check(args: argparse.Namespace) -> int:
    with Firm(args.home) as firm:
        found = check(firm)
    print(args.language.say("database.sound", **vars(found)))
    return 0


def _backup(args: argparse.Namespace) -> int:
    with Firm(args.home) as firm:
        rows = backup(firm, args.file.absolute())
    print(args.language.say("backup.made", rows=rows, file=args.file, key=firm.home / "firm" / "firm.key"))
    return 0


def _restore(args: argparse.Namespace) -> int:
    with Firm(args.home) as firm:
        rows, kept = restore(firm, args.file)
    print(args.language.say("backup.restored", rows=rows, file=args.file, kept=kept))
    return 0
