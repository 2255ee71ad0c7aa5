"""``navette journal``: all that happened to a document or in a dossier; never changes a line of it."""

import argparse
from typing import Any

from dossiers import dossier as dossiers
from dossiers import journal
from dossiers.firm import Firm
from navette.dossier_commands import moment, table
from transfer.language import Language


def add(commands: Any, language: Language) -> None:
    """Add the command to ``navette``."""
    reading = commands.add_parser("journal", help=language.say("command.journal"))
    which = reading.add_mutually_exclusive_group()
    which.add_argument("document", type=int, nargs="?", metavar="DOCUMENT")
    which.add_argument("--dossier", metavar="NUMBER")
    reading.set_defaults(run=_journal)


def _journal(args: argparse.Namespace) -> int:
    with Firm(args.home) as firm:
        if args.document is not None:
            lines = journal.of_document(firm, args.document)
        elif args.dossier is not None:
            lines = journal.of_dossier(firm, dossiers.find(firm, args.dossier).number)
        else:
            lines = journal.latest(firm)
    rows = [
        (
            moment(line.at),
            f"{line.machine}#{line.epoch}",
            str(line.document),
            line.dossier or "-",
            args.language.say(f"step.{line.step.value}"),
            line.reason or (line.sha256 or "")[:16],
        )
        for line in lines
    ]
    return table(rows, args.language.say("journal.none"))
