"""``navette worker``: runs rounds as one of several machines that share a firm's sources; never plans them alone."""

import argparse
import os
import sys
import threading
from typing import Any

from dossiers.firm import Firm
from fetcher.service import stopped_by_signals
from navette.alarm_commands import suspects_at
from navette.fetch_commands import Shown, log_to_stderr
from navette.parent import end_with_parent
from navette.service_commands import EXIT_STUCK
from transfer.failures import PermanentFailure
from transfer.kill_point import kill_point
from transfer.language import Language


def add(commands: Any, language: Language) -> None:
    """Add the command to ``navette``."""
    worker = commands.add_parser("worker", help=language.say("command.worker"))
    worker.add_argument("--rounds", type=int, default=4, metavar="N", help=language.say("command.worker.rounds"))
    worker.set_defaults(run=_run)


def _run(args: argparse.Namespace) -> int:
    try:
        from fetcher.scale import Worker
    except ModuleNotFoundError as error:
        raise PermanentFailure("scale.no_library", library=error.name) from None
    log_to_stderr()
    stop = threading.Event()
    end_with_parent(stop.set)
    with Firm(args.home) as firm, stopped_by_signals(stop):
        shown = Shown(args.language, firm)
        worker = Worker(firm, stop, shown.round, stuck=_end, told=shown.document, reached=kill_point())
        print(args.language.say("worker.started", machine=firm.machine), flush=True)
        worker.run(max(1, args.rounds), suspects_at(args.home))
    print(args.language.say("worker.stopped"), flush=True)
    return 0


def _end() -> None:
    """End at once: a thread that hangs in a disk would hold up any other end."""
    sys.stderr.flush()
    os._exit(EXIT_STUCK)
