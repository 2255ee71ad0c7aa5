"""``navette alarms``: what is wrong now, a look from any machine, and a test message; never changes what is wrong."""

import argparse
import time
from collections.abc import Callable
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

from sqlalchemy.exc import DatabaseError

from dossiers import alarms
from dossiers.alarm import Kind
from dossiers.alarms import CHANNELS, RAISED, Alarm, Notice
from dossiers.firm import Firm
from fetcher.alarm_channels import send, sentence
from fetcher.alarm_watch import Watch
from ftp_server.folders import fiduciaries_of
from ftp_server.server import opened
from ftp_server.suspects import Suspects
from navette.dossier_commands import moment, table
from transfer.failures import PermanentFailure
from transfer.language import Language

_PAST = timedelta(days=30)


def add(commands: Any, language: Language) -> None:
    """Add the commands to ``navette``."""
    say = language.say
    verbs = commands.add_parser("alarms", help=say("command.alarms")).add_subparsers(metavar="COMMAND", required=True)
    deeds: dict[str, Callable[[argparse.Namespace], int]] = {"list": _list, "check": _check, "test": _test}
    for word, run in deeds.items():
        verbs.add_parser(word, help=say(f"command.alarms.{word}")).set_defaults(run=run)


def suspects_at(home: Path) -> Callable[[], int | None]:
    """Return what counts the doubtful files of the server whose home is beside the firm's, if there is one."""
    server = home / "server"

    def count() -> int | None:
        if not (server / "server.db").exists():
            return None
        try:
            with closing(opened(server)) as database:
                return len(Suspects(database, fiduciaries_of(server), time.time).list())
        except DatabaseError:  # of another version, or not made yet: the server's own status says more
            return None

    return count


def _list(args: argparse.Namespace) -> int:
    say = args.language.say
    with Firm(args.home) as firm:
        rows = [_row(args.language, alarm) for alarm in alarms.every(firm, firm.clock() - _PAST)]
        unsent = [notice for notice in alarms.unsent(firm) if notice.failure]
    code = table(rows, say("alarms.none"))
    for notice in unsent:
        told = {"channel": notice.channel, "attempts": notice.attempts, "code": notice.failure}
        print(say("alarms.unsent", alarm=notice.alarm.id, **told))
    return code


def _row(language: Language, alarm: Alarm) -> tuple[str, ...]:
    over = language.say("alarms.until", moment=moment(alarm.ended)) if alarm.ended else language.say("alarms.lasts")
    words = sentence(language, Notice(0, alarm, RAISED, "", 0, None, None))
    return str(alarm.id), moment(alarm.since), over, words


def _check(args: argparse.Namespace) -> int:
    """Look once, also where no service runs: this is what tells that a runner is gone."""
    with Firm(args.home) as firm:
        Watch(firm, suspects=suspects_at(args.home)).look()
        rows = [_row(args.language, alarm) for alarm in alarms.every(firm)]
    table(rows, args.language.say("alarms.none"))
    return 1 if rows else 0


def _test(args: argparse.Namespace) -> int:
    say = args.language.say
    with Firm(args.home) as firm:
        ways = [channel for channel, setting in CHANNELS.items() if firm.settings.text(setting)]
        if not ways:
            raise PermanentFailure("alarms.no_channel")
        alarm = Alarm(0, Kind.TEST, "", {}, firm.clock())
        for channel in ways:
            send(firm, Notice(0, alarm, RAISED, channel, 0, None, None))
            print(say("alarms.tested", channel=channel))
    return 0
