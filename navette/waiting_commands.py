"""``navette waiting``: the documents without a dossier, and their way into one; never shows their content."""

import argparse
from functools import partial
from threading import Event
from typing import Any

from dossiers import waiting_list
from dossiers.firm import Firm
from navette.dossier_commands import moment, table
from transfer.kill_point import kill_point
from transfer.language import Language
from transfer.remote_layout import dossier_of
from transfer.retry import retrying


def add(commands: Any, language: Language) -> None:
    """Add the commands to ``navette``."""
    say = language.say
    verbs = commands.add_parser("waiting", help=say("command.waiting")).add_subparsers(metavar="COMMAND", required=True)
    verbs.add_parser("list", help=say("command.waiting.list")).set_defaults(run=_list)
    assigning = verbs.add_parser("assign", help=say("command.waiting.assign"))
    assigning.add_argument("document", type=int, metavar="DOCUMENT")
    assigning.add_argument("dossier", metavar="DOSSIER")
    assigning.set_defaults(run=_assign)


def _list(args: argparse.Namespace) -> int:
    with Firm(args.home) as firm:
        rows = [
            (str(one.id), moment(one.found), one.name, _reason(args.language, one.reason, one.path), str(one.final))
            for one in waiting_list.waiting(firm)
        ]
    return table(rows, args.language.say("waiting.none"))


def _assign(args: argparse.Namespace) -> int:
    reached = kill_point()
    with Firm(args.home) as firm:
        assign = partial(
            waiting_list.assign, firm, args.document, args.dossier, reached=lambda step: reached(f"assign.{step}")
        )
        document = retrying(assign, _wait, first=1.0)
    print(args.language.say("waiting.assigned", document=document.id, dossier=document.dossier, file=document.final))
    return 0


def _wait(seconds: float) -> None:
    Event().wait(seconds)


def _reason(language: Language, code: str | None, path: str) -> str:
    return language.say(code, number=dossier_of(path) or "") if code else ""
