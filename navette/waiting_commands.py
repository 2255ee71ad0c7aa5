"""``navette waiting``: the documents without a dossier, and their way into one; never shows their content."""

import argparse
import getpass
from collections.abc import Callable, Mapping
from functools import partial
from threading import Event
from typing import Any

from dossiers import addresses, waiting_list
from dossiers.document import Document
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
    listing = verbs.add_parser("list", help=say("command.waiting.list"))
    listing.add_argument("--refused", action="store_true", help=say("command.waiting.refused"))
    listing.set_defaults(run=_list)

    def verb(word: str, run: Callable[[argparse.Namespace], int]) -> argparse.ArgumentParser:
        made: argparse.ArgumentParser = verbs.add_parser(word, help=say(f"command.waiting.{word}"))
        made.add_argument("document", type=int, metavar="DOCUMENT")
        made.set_defaults(run=run)
        return made

    assigning = verb("assign", _assign)
    assigning.add_argument("dossier", metavar="DOSSIER")
    assigning.add_argument("--although-infected", action="store_true", help=say("command.waiting.although_infected"))
    verb("undo", _undo)
    verb("refuse", _refuse).add_argument("--remark", metavar="TEXT", help=say("command.waiting.remark"))
    verb("readmit", _readmit)


def _list(args: argparse.Namespace) -> int:
    with Firm(args.home) as firm:
        found = waiting_list.refused(firm) if args.refused else waiting_list.waiting(firm)
        owners = addresses.every(firm)
        rows = [
            (
                str(one.id),
                moment(one.found),
                one.name,
                reason(args.language, one.reason, one.path, one.threat),
                suggestion(args.language, one, owners),
                twin(args.language, one),
                str(one.final),
            )
            for one in found
        ]
    return table(rows, args.language.say("waiting.none_refused" if args.refused else "waiting.none"))


def _assign(args: argparse.Namespace) -> int:
    told = {"number": args.dossier, "although_infected": args.although_infected}
    move = partial(waiting_list.assign, reached=_kill_point("assign"), **told)
    document = _carried_out(args, move)
    print(args.language.say("waiting.assigned", document=document.id, dossier=document.dossier, file=document.final))
    return 0


def _undo(args: argparse.Namespace) -> int:
    document = _carried_out(args, partial(waiting_list.take_back, reached=_kill_point("undo")))
    print(args.language.say("waiting.undone", document=document.id, file=document.final))
    return 0


def _refuse(args: argparse.Namespace) -> int:
    document = _carried_out(args, partial(waiting_list.refuse, remark=args.remark))
    print(args.language.say("waiting.refused", document=document.id, file=document.final))
    return 0


def _readmit(args: argparse.Namespace) -> int:
    document = _carried_out(args, waiting_list.readmit)
    print(args.language.say("waiting.readmitted", document=document.id, file=document.final))
    return 0


def _carried_out(args: argparse.Namespace, move: Callable[..., Document]) -> Document:
    """Do something with the document that is named, as soon as nobody else is assigning one."""
    with Firm(args.home) as firm:
        moved: Document = retrying(lambda: move(firm, document=args.document, by=getpass.getuser()), _wait, first=1.0)
    return moved


def _kill_point(prefix: str) -> Callable[[str], None]:
    reached = kill_point()
    return lambda step: reached(f"{prefix}.{step}")


def _wait(seconds: float) -> None:
    Event().wait(seconds)


def twin(language: Language, document: Document) -> str:
    """Return in words that another document has the same bytes, or nothing."""
    return language.say("journal.twin", document=document.duplicate_of) if document.duplicate_of else ""


def suggestion(language: Language, document: Document, owners: Mapping[str, str]) -> str:
    """Return in words which dossier its sender's address stands for, or nothing; anyone can write any sender."""
    number = owners.get((document.sender or "").lower())
    return language.say("waiting.suggested", number=number) if number else ""


def reason(language: Language, code: str | None, path: str, threat: str | None = None) -> str:
    """Return in words why a document waits."""
    return language.say(code, number=dossier_of(path) or "", threat=threat or "") if code else ""
