"""``navette journal`` and ``processed``: what happened to documents, in a line and by steps; never changes a step."""

import argparse
import getpass
from collections.abc import Iterable
from datetime import UTC, datetime
from threading import Event
from typing import Any

from dossiers import dossier as dossiers
from dossiers import filed, journal
from dossiers.document import Document, State
from dossiers.firm import Firm
from dossiers.journal import Line
from navette.dossier_commands import moment, table
from navette.waiting_commands import reason
from transfer.failures import PermanentFailure
from transfer.language import Language
from transfer.retry import retrying


def add(commands: Any, language: Language) -> None:
    """Add the commands to ``navette``."""
    say = language.say
    reading = commands.add_parser("journal", help=say("command.journal"))
    which = reading.add_mutually_exclusive_group()
    which.add_argument("document", type=int, nargs="?", metavar="DOCUMENT")
    which.add_argument("--dossier", metavar="NUMBER", help=say("command.journal.dossier"))
    which.add_argument("--since", metavar="DATE[ HH:MM]", help=say("command.journal.since"))
    which.add_argument("--hash", metavar="SHA-256", help=say("command.journal.hash"))
    reading.set_defaults(run=_journal)
    marking = commands.add_parser("processed", help=say("command.processed"))
    marking.add_argument("document", type=int, metavar="DOCUMENT")
    marking.add_argument("--undo", action="store_true", help=say("command.processed.undo"))
    marking.set_defaults(run=_processed)


def _journal(args: argparse.Namespace) -> int:
    language: Language = args.language
    with Firm(args.home) as firm:
        if args.document is not None:
            return _lives(firm, language, [journal.document(firm, args.document)])
        if args.hash is not None:
            return _lives(firm, language, journal.with_hash(firm, args.hash))
        if args.dossier is not None:
            lines = journal.of_dossier(firm, dossiers.find(firm, args.dossier).number)
        elif args.since is not None:
            lines = journal.since(firm, _moment_of(args.since))
        else:
            lines = journal.latest(firm)
    return _steps(language, lines)


def _lives(firm: Firm, language: Language, documents: Iterable[Document]) -> int:
    """Print each document's life, in a line and step by step, and which others have the same bytes."""
    found = list(documents)
    for document in found:
        print(_life(language, document))
        for other in journal.twins(firm, document):
            print(
                "  "
                + language.say("journal.same_bytes", document=other.id, name=other.name, state=_end(language, other))
            )
        _steps(language, journal.of_document(firm, document.id))
    if not found:
        print(language.say("journal.none"))
    return 0


def _life(language: Language, document: Document) -> str:
    """Return where a document came from and where it is, in one line."""
    size = document.source_size if document.size is None else document.size
    where = f"{document.source} {document.path}"
    said = {"sender": document.sender or document.source, "peer": document.peer or "-", "source": where}
    said |= {"found": moment(document.found), "state": _end(language, document), "name": document.name}
    return language.say("journal.life", document=document.id, size="-" if size is None else size, **said)


def _end(language: Language, document: Document) -> str:
    """Return where a document is now, in words."""
    if document.refused is not None:
        return language.say("journal.is_refused", file=document.final)
    if document.state in {State.STORED, State.REMOVED}:
        if document.dossier is None:
            why = reason(language, document.reason, document.path)
            return language.say("journal.waits", why=why, file=document.final)
        key = "journal.is_processed" if document.processed else "journal.in_dossier"
        return language.say(key, dossier=document.dossier, file=document.final)
    if document.state is State.VANISHED:
        return language.say("journal.vanished")
    return language.say("journal.under_way", failure=document.failure or "-")


def _steps(language: Language, lines: Iterable[Line]) -> int:
    rows = [
        (
            moment(line.at),
            f"{line.machine}#{line.epoch}",
            str(line.document),
            line.dossier or "-",
            language.say(f"step.{line.step.value}"),
            line.actor or "-",
            "-" if line.size is None else str(line.size),
            (line.sha256 or "")[:16],
            _shown(line.reason, line.detail, line.place),
        )
        for line in lines
    ]
    return table(rows, language.say("journal.none"))


def _shown(*parts: str | None) -> str:
    """Join what a line tells besides; what would end the line is left out: names come from anywhere."""
    told = " ".join(part for part in parts if part)
    return "".join(character if character.isprintable() else "?" for character in told)


def _processed(args: argparse.Namespace) -> int:
    with Firm(args.home) as firm:
        person = getpass.getuser()
        marked = retrying(lambda: filed.mark(firm, args.document, not args.undo, person), _wait, first=1.0)
    print(args.language.say("filed.marked" if marked.processed else "filed.unmarked", document=marked.id))
    return 0


def _wait(seconds: float) -> None:
    Event().wait(seconds)


def _moment_of(text: str) -> datetime:
    """Return the moment that a date, with or without a time, is on this machine's clock."""
    try:
        return datetime.fromisoformat(text).astimezone(UTC)
    except ValueError:
        raise PermanentFailure("journal.bad_date", text=text[:40]) from None
