"""``navette fetch``: one round by hand, and the documents that fail; never reads a document."""

import argparse
import getpass
import logging
import sys
from typing import Any

from dossiers import failing, pauses
from dossiers.document import Document
from dossiers.firm import Firm
from dossiers.rounds import Result, Status
from fetcher.remote_files import ORIGIN
from fetcher.service import once
from navette.dossier_commands import moment, table
from transfer.failures import Failure
from transfer.kill_point import kill_point
from transfer.language import Language
from transfer.remote_layout import dossier_of


def add(commands: Any, language: Language) -> None:
    """Add the commands to ``navette``."""
    say = language.say
    fetch = commands.add_parser("fetch", help=say("command.fetch"))
    deed = fetch.add_mutually_exclusive_group(required=True)
    deed.add_argument("--once", action="store_true", help=say("command.fetch.once"))
    deed.add_argument("--failed", action="store_true", help=say("command.fetch.failed"))
    deed.add_argument("--retry", type=int, metavar="DOCUMENT", help=say("command.fetch.retry"))
    fetch.set_defaults(run=_fetch)


def _fetch(args: argparse.Namespace) -> int:
    if args.failed:
        return _failed(args)
    if args.retry is not None:
        return _retry(args)
    log_to_stderr()
    with Firm(args.home) as firm:
        shown = Shown(args.language, firm)
        result = once(firm, shown.document, kill_point())
        shown.result(ORIGIN, result)
    return 1 if result.failed or result.paused else 0


def _failed(args: argparse.Namespace) -> int:
    say = args.language.say
    with Firm(args.home) as firm:
        rows = [
            (
                str(one.id),
                one.path,
                say("failing.attempts", attempts=one.attempts),
                f"[{one.failure}]",
                say("failing.waits") if one.waits_for_a_person else _due(args.language, one),
            )
            for one in failing.every(firm)
        ]
    return table(rows, say("failing.none"))


def _due(language: Language, document: Document) -> str:
    return language.say("failing.next", moment=moment(document.next_try)) if document.next_try else ""


def _retry(args: argparse.Namespace) -> int:
    with Firm(args.home) as firm:
        document = failing.retry(firm, args.retry, getpass.getuser())
    print(args.language.say("failing.retried", document=document.id, name=document.path))
    return 0


class Shown:
    """One readable line for each document and each round."""

    def __init__(self, language: Language, firm: Firm) -> None:
        self._language = language
        self._firm = firm

    def document(self, document: Document, failure: Failure | None) -> None:
        """Show what became of a document."""
        if failure is not None:
            name = document.path if document.origin == ORIGIN else document.name
            self._line("fetch.failed", name=name, why=self._language.failure(failure))
        elif document.dossier is not None:
            self._line("fetch.delivered", name=document.placed, dossier=document.dossier)
        else:
            number = dossier_of(document.path) or ""
            why = self._language.say(document.reason or "", number=number, threat=document.threat or "")
            self._line("fetch.waits", name=document.placed, why=why)

    def round(self, status: Status, failure: Failure | None) -> None:
        """Show how a round ended."""
        if failure is not None:
            self._line("round.failed", why=self._language.failure(failure))
        elif status.failure is not None:
            self._line("round.failed", why=f"{self._language.say(status.failure)} [{status.failure}]")
        else:
            self.result(status.source, status.result)

    def result(self, source: str, result: Result) -> None:
        """Show what a round over a source did, and which folders it could not reach."""
        for pause in pauses.every(self._firm, source) if result.paused else ():
            key = "fetch.paused" if pause.dossier else "fetch.waiting_paused"
            count = pause.documents
            self._line(key, dossier=pause.dossier, folder=pause.folder, cause=pause.cause, documents=count)
        self._line("round.ended", delivered=result.delivered, waiting=result.waiting, failed=result.failed)

    def _line(self, key: str, **values: object) -> None:
        print(self._language.say(key, **values), flush=True)


def log_to_stderr() -> None:
    """Show warnings, with their codes, on the standard error."""
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)-7s %(message)s", stream=sys.stderr)
