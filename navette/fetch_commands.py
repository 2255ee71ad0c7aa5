"""``navette fetch`` and ``navette service``: one round by hand, or round after round; never reads a document."""

import argparse
import logging
import sys
import threading
from typing import Any

from dossiers import pauses
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
    _log_to_stderr()
    with Firm(args.home) as firm:
        shown = _Shown(args.language, firm)
        result = once(firm, shown.document, kill_point())
        shown.result(result)
    return 1 if result.failed or result.paused else 0


def _run(args: argparse.Namespace) -> int:
    _log_to_stderr()
    stop = threading.Event()
    end_with_parent(stop.set)
    with Firm(args.home) as firm, stopped_by_signals(stop):
        shown = _Shown(args.language, firm)
        print(args.language.say("service.started", machine=firm.machine), flush=True)
        serve(firm, stop, shown.round, shown.document, kill_point())
    print(args.language.say("service.stopped"), flush=True)
    return 0


class _Shown:
    """One readable line for each document and each round."""

    def __init__(self, language: Language, firm: Firm) -> None:
        self._language = language
        self._firm = firm

    def document(self, document: Document, failure: Failure | None) -> None:
        if failure is not None:
            self._line("fetch.failed", name=document.path, why=self._language.failure(failure))
        elif document.dossier is not None:
            self._line("fetch.delivered", name=document.placed, dossier=document.dossier)
        else:
            number = dossier_of(document.path) or ""
            why = self._language.say(document.reason or "", number=number)
            self._line("fetch.waits", name=document.placed, why=why)

    def round(self, status: Status, failure: Failure | None) -> None:
        if failure is not None:
            self._line("round.failed", why=self._language.failure(failure))
        elif status.failure is not None:
            self._line("round.failed", why=f"{self._language.say(status.failure)} [{status.failure}]")
        else:
            self.result(status.result)

    def result(self, result: Result) -> None:
        for pause in pauses.every(self._firm, ORIGIN) if result.paused else ():
            key = "fetch.paused" if pause.dossier else "fetch.waiting_paused"
            count = pause.documents
            self._line(key, dossier=pause.dossier, folder=pause.folder, cause=pause.cause, documents=count)
        self._line("round.ended", delivered=result.delivered, waiting=result.waiting, failed=result.failed)

    def _line(self, key: str, **values: object) -> None:
        print(self._language.say(key, **values), flush=True)


def _log_to_stderr() -> None:
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)-7s %(message)s", stream=sys.stderr)
