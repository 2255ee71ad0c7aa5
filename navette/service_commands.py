"""``navette service``: runs round after round, and tells a running service to pause, go on or begin; never fetches."""

import argparse
import os
import sys
import threading
from collections.abc import Callable
from typing import Any

from dossiers import failing, pauses
from dossiers.designation import holder
from dossiers.firm import Firm
from dossiers.rounds import STUCK, Status, Turn, ask_at_once, next_turn, statuses
from fetcher.service import serve, stopped_by_signals
from navette.alarm_commands import suspects_at
from navette.dossier_commands import moment
from navette.fetch_commands import Shown, log_to_stderr
from navette.parent import end_with_parent
from transfer.failures import PermanentFailure
from transfer.kill_point import kill_point
from transfer.language import Language

EXIT_STUCK = 75
"""Exit code after which whatever starts the service starts it anew."""


def add(commands: Any, language: Language) -> None:
    """Add the commands to ``navette``."""
    say = language.say
    verbs = commands.add_parser("service", help=say("command.service")).add_subparsers(metavar="COMMAND", required=True)
    deeds: dict[str, Callable[[argparse.Namespace], int]] = {
        "run": _run,
        "status": _status,
        "now": _now,
        "pause": _pause,
        "resume": _resume,
    }
    for word, run in deeds.items():
        verbs.add_parser(word, help=say(f"command.service.{word}")).set_defaults(run=run)


def _run(args: argparse.Namespace) -> int:
    log_to_stderr()
    stop = threading.Event()
    end_with_parent(stop.set)
    with Firm(args.home) as firm, stopped_by_signals(stop):
        shown = Shown(args.language, firm)
        print(args.language.say("service.started", machine=firm.machine), flush=True)
        try:
            serve(firm, stop, shown.round, told=shown.document, reached=kill_point(), suspects=suspects_at(args.home))
        except PermanentFailure as failure:
            if failure.code != STUCK:
                raise
            print(args.language.failure(failure), file=sys.stderr, flush=True)
            os._exit(EXIT_STUCK)  # a thread that hangs in a disk would hold up any other end
    print(args.language.say("service.stopped"), flush=True)
    return 0


def _status(args: argparse.Namespace) -> int:
    with Firm(args.home) as firm:
        print(_turn(args.language, firm))
        for status in statuses(firm):
            print(_last(args.language, status))
        for pause in [one for status in statuses(firm) for one in pauses.every(firm, status.source)]:
            told = {"folder": pause.folder, "cause": pause.cause, "documents": pause.documents}
            key = "fetch.paused" if pause.dossier else "fetch.waiting_paused"
            print(args.language.say(key, dossier=pause.dossier, **told))
        left = sum(document.waits_for_a_person for document in failing.every(firm))
    if left:
        print(args.language.say_n("service.waits_for_a_person", left))
    return 0


def _turn(language: Language, firm: Firm) -> str:
    """Return in words what the service is about to do."""
    turn, due = next_turn(firm)
    running = holder(firm)
    machine = running[0] if running else ""
    if turn is Turn.DUE and due is not None:
        minutes = max(0, round((due - firm.clock()).total_seconds() / 60))
        return language.say_n("service.due", minutes, machine=machine, moment=moment(due))
    return language.say(f"service.{turn.value}", machine=machine)


def _last(language: Language, status: Status) -> str:
    """Return in words how the last round of a source went."""
    if status.ended is None:
        return language.say("service.began", source=status.source, moment=moment(status.started))
    result = status.result
    said = {"source": status.source, "moment": moment(status.ended), "paused": result.paused}
    said |= {"delivered": result.delivered, "waiting": result.waiting, "failed": result.failed}
    told = language.say("service.last", **said)
    return f"{told} {language.say(status.failure)} [{status.failure}]" if status.failure else told


def _now(args: argparse.Namespace) -> int:
    with Firm(args.home) as firm:
        ask_at_once(firm)
    print(args.language.say("service.asked"))
    return 0


def _pause(args: argparse.Namespace) -> int:
    with Firm(args.home) as firm:
        firm.settings.set("service.paused", "yes")
    print(args.language.say("service.is_paused"))
    return 0


def _resume(args: argparse.Namespace) -> int:
    with Firm(args.home) as firm:
        firm.settings.set("service.paused", "no")
        ask_at_once(firm)
    print(args.language.say("service.resumed"))
    return 0
