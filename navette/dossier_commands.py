"""``navette dossier``, ``waiting``, ``journal`` and ``settings``: the firm's side by hand; never shows a secret."""

import argparse
import sys
from collections.abc import Iterable
from datetime import datetime
from functools import partial
from threading import Event
from typing import Any

from dossiers import dossier as dossiers
from dossiers import journal, waiting_list
from dossiers.dossier import TEMPLATE, Dossier
from dossiers.firm import Firm
from dossiers.settings import SETTINGS
from transfer.kill_point import kill_point
from transfer.language import LANGUAGES, Language
from transfer.remote_layout import dossier_of
from transfer.retry import retrying


def add(commands: Any, language: Language) -> None:
    """Add the commands to ``navette``."""
    say = language.say
    verbs = commands.add_parser("dossier", help=say("command.dossier")).add_subparsers(metavar="COMMAND", required=True)
    adding = verbs.add_parser("add", help=say("command.dossier.add"))
    adding.add_argument("number", metavar="NUMBER")
    adding.add_argument("name", metavar="NAME")
    adding.add_argument("--language", dest="dossier_language", choices=LANGUAGES)
    adding.add_argument("--enterprise", metavar="NUMBER", help=say("command.dossier.enterprise"))
    adding.add_argument("--folder", default=TEMPLATE, metavar="TEMPLATE", help=say("command.dossier.folder"))
    adding.set_defaults(run=_dossier_add)
    verbs.add_parser("list", help=say("command.dossier.list")).set_defaults(run=_dossier_list)

    verbs = commands.add_parser("waiting", help=say("command.waiting")).add_subparsers(metavar="COMMAND", required=True)
    verbs.add_parser("list", help=say("command.waiting.list")).set_defaults(run=_waiting_list)
    assigning = verbs.add_parser("assign", help=say("command.waiting.assign"))
    assigning.add_argument("document", type=int, metavar="DOCUMENT")
    assigning.add_argument("dossier", metavar="DOSSIER")
    assigning.set_defaults(run=_waiting_assign)

    reading = commands.add_parser("journal", help=say("command.journal"))
    which = reading.add_mutually_exclusive_group()
    which.add_argument("document", type=int, nargs="?", metavar="DOCUMENT")
    which.add_argument("--dossier", metavar="NUMBER")
    reading.set_defaults(run=_journal)

    verbs = commands.add_parser("settings", help=say("command.settings")).add_subparsers(
        metavar="COMMAND", required=True
    )
    verbs.add_parser("list", help=say("command.settings.list")).set_defaults(run=_settings_list)
    setting = verbs.add_parser("set", help=say("command.settings.set"))
    setting.add_argument("name", metavar="NAME")
    setting.add_argument("value", metavar="VALUE", help=say("command.settings.value"))
    setting.set_defaults(run=_settings_set)


def _dossier_add(args: argparse.Namespace) -> int:
    with Firm(args.home) as firm:
        spoken = args.dossier_language or firm.settings.text("fiduciary.language")
        added = dossiers.add(firm, Dossier(args.number, args.name, spoken, args.folder, args.enterprise))
        folder = added.folder(firm.root, firm.clock())
    print(args.language.say("dossier.added", number=added.number, name=added.name, folder=folder))
    return 0


def _dossier_list(args: argparse.Namespace) -> int:
    with Firm(args.home) as firm:
        rows = [
            (each.number, each.language, each.name, str(each.folder(firm.root, firm.clock())))
            for each in dossiers.every(firm)
        ]
    return table(rows, args.language.say("dossier.none"))


def _waiting_list(args: argparse.Namespace) -> int:
    with Firm(args.home) as firm:
        rows = [
            (str(one.id), _moment(one.found), one.name, _reason(args.language, one.reason, one.path), str(one.final))
            for one in waiting_list.waiting(firm)
        ]
    return table(rows, args.language.say("waiting.none"))


def _waiting_assign(args: argparse.Namespace) -> int:
    reached = kill_point()
    with Firm(args.home) as firm:
        assign = partial(
            waiting_list.assign, firm, args.document, args.dossier, reached=lambda step: reached(f"assign.{step}")
        )
        document = retrying(assign, _wait, first=1.0)
    print(args.language.say("waiting.assigned", document=document.id, dossier=document.dossier, file=document.final))
    return 0


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
            _moment(line.at),
            f"{line.machine}#{line.epoch}",
            str(line.document),
            line.dossier or "-",
            args.language.say(f"step.{line.step.value}"),
            line.reason or (line.sha256 or "")[:16],
        )
        for line in lines
    ]
    return table(rows, args.language.say("journal.none"))


def _settings_list(args: argparse.Namespace) -> int:
    say = args.language.say
    with Firm(args.home) as firm:
        for setting in SETTINGS:
            if setting.secret:
                shown = say("settings.secret_set" if firm.settings.is_set(setting.name) else "settings.secret_missing")
            else:
                shown = firm.settings.text(setting.name)
            print(f"{setting.name:<22}  {shown:<20}  {say(f'setting.{setting.name}')}")
    return 0


def _settings_set(args: argparse.Namespace) -> int:
    value = sys.stdin.readline().rstrip("\r\n") if args.value == "-" else args.value
    with Firm(args.home) as firm:
        firm.settings.set(args.name, value)
    print(args.language.say("settings.kept", name=args.name))
    return 0


def _wait(seconds: float) -> None:
    Event().wait(seconds)


def table(rows: Iterable[tuple[str, ...]], none: str) -> int:
    """Print rows in columns, or what to say when there are none; return the exit code 0."""
    rows = list(rows)
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
    if not rows:
        print(none)
    return 0


def _moment(moment: datetime) -> str:
    return f"{moment.astimezone():%Y-%m-%d %H:%M:%S}"


def _reason(language: Language, code: str | None, path: str) -> str:
    return language.say(code, number=dossier_of(path) or "") if code else ""
