"""``navette fetch`` and ``navette service``: one round by hand, or round after round; never reads a document."""

import argparse
import logging
import sys
import threading
from typing import Any

from dossiers.document import Document
from dossiers.firm import Firm
from dossiers.rounds import Result, Status
from fetcher.remote_files import ORIGIN
from fetcher.service import once, serve, stopped_by_signals
from navette.parent import end_with_parent
from transfer.failures import Failure
from transfer.kill_point import kill_point
from transfer.language import Language
from transfer.remote_layout import dossier_of


def add(commands: Any, language: Language) -> None:
    """Add the commands to ``navette``."""
    say = language.say
    fetch = commands.add_parser("fetch", help=say("command.fetch"))
    fetch.add_argument("--once", action="store_true", required=True, help=say("command.fetch.once"))
    fetch.set_defaults(run=_fetch)
    verbs = commands.add_parser("service", help=say("command.service")).add_subparsers(metavar="COMMAND", required=True)
    verbs.add_parser("run", help=say("command.service.run")).set_defaults(run=_run)


def _fetch(args: argparse.Namespace) -> int:
    log_to_stderr()
    shown = Shown(args.language)
    with Firm(args.home) as firm:
        result = once(firm, shown.document, kill_point())
    shown.result(result)
    return 1 if result.failed else 0


def _run(args: argparse.Namespace) -> int:
    log_to_stderr()
    shown = Shown(args.language)
    stop = threading.Event()
    end_with_parent(stop.set)
    with Firm(args.home) as firm, stopped_by_signals(stop):
        print(args.language.say("service.started", machine=firm.machine), flush=True)
        serve(firm, stop, shown.round, shown.document, kill_point())
    print(args.language.say("service.stopped"), flush=True)
    return 0


class Shown:
    """One readable line for each document and each round."""

    def __init__(self, language: Language) -> None:
        self._language = language

    def document(self, document: Document, failure: Failure | None) -> None:
        """Show what became of a document."""
        if failure is not None:
            name = document.path if document.origin == ORIGIN else document.name
            self._line("fetch.failed", name=name, why=self._language.failure(failure))
        elif document.dossier is not None:
            self._line("fetch.delivered", name=document.placed, dossier=document.dossier)
        else:
            number = dossier_of(document.path) or ""
            why = self._language.say(document.reason or "", number=number)
            self._line("fetch.waits", name=document.placed, why=why)

    def round(self, status: Status, failure: Failure | None) -> None:
        """Show how a round ended."""
        if failure is not None:
            self._line("round.failed", why=self._language.failure(failure))
        elif status.failure is not None:
            self._line("round.failed", why=f"{self._language.say(status.failure)} [{status.failure}]")
        else:
            self.result(status.result)

    def result(self, result: Result) -> None:
        """Show what a round did."""
        self._line("round.ended", delivered=result.delivered, waiting=result.waiting, failed=result.failed)

    def _line(self, key: str, **values: object) -> None:
        print(self._language.say(key, **values), flush=True)


def log_to_stderr() -> None:
    """Write warnings to standard error, with their time."""
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)-7s %(message)s", stream=sys.stderr)
