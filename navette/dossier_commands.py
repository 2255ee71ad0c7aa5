"""``navette dossier`` and ``settings``: the firm's dossiers and settings by hand; never shows a secret."""

import argparse
import sys
from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Any

from dossiers import addresses, pauses
from dossiers import dossier as dossiers
from dossiers.dossier import TEMPLATE, Dossier
from dossiers.dossier_import import Deed, import_dossiers
from dossiers.firm import Firm
from dossiers.pauses import Pause
from dossiers.settings import SETTINGS
from fetcher.remote_files import ORIGIN
from transfer.language import LANGUAGES, Language
from transfer.sheet import table_of


def add(commands: Any, language: Language) -> None:
    """Add the commands to ``navette``."""
    say = language.say
    verbs = commands.add_parser("dossier", help=say("command.dossier")).add_subparsers(metavar="COMMAND", required=True)
    adding = verbs.add_parser("add", help=say("command.dossier.add"))
    adding.add_argument("number", metavar="NUMBER")
    adding.add_argument("name", metavar="NAME")
    adding.add_argument("--folder", default=TEMPLATE, metavar="TEMPLATE", help=say("command.dossier.folder"))
    adding.set_defaults(run=_add)
    changing = verbs.add_parser("change", help=say("command.dossier.change"))
    changing.add_argument("number", metavar="NUMBER")
    changing.add_argument("--name", metavar="NAME")
    changing.add_argument("--folder", metavar="TEMPLATE", help=say("command.dossier.folder"))
    changing.set_defaults(run=_change)
    for parser in (adding, changing):
        parser.add_argument("--language", dest="dossier_language", choices=LANGUAGES)
        parser.add_argument("--enterprise", metavar="NUMBER", help=say("command.dossier.enterprise"))
    for verb, run in (("archive", _archive), ("reopen", _reopen)):
        closing = verbs.add_parser(verb, help=say(f"command.dossier.{verb}"))
        closing.add_argument("number", metavar="NUMBER")
        closing.set_defaults(run=run)
    mailing = verbs.add_parser("email", help=say("command.dossier.email"))
    mailing.add_argument("number", metavar="NUMBER")
    mailing.add_argument("--add", action="append", default=[], metavar="ADDRESS")
    mailing.add_argument("--remove", action="append", default=[], metavar="ADDRESS")
    mailing.set_defaults(run=_email)
    importing = verbs.add_parser("import", help=say("command.dossier.import"))
    importing.add_argument("file", type=Path, metavar="FILE.csv")
    importing.add_argument("--check", action="store_true", help=say("command.dossier.check"))
    importing.set_defaults(run=_import)
    listing = verbs.add_parser("list", help=say("command.dossier.list"))
    listing.add_argument("--all", action="store_true", help=say("command.dossier.all"))
    listing.set_defaults(run=_list)

    verbs = commands.add_parser("settings", help=say("command.settings")).add_subparsers(
        metavar="COMMAND", required=True
    )
    verbs.add_parser("list", help=say("command.settings.list")).set_defaults(run=_settings_list)
    setting = verbs.add_parser("set", help=say("command.settings.set"))
    setting.add_argument("name", metavar="NAME")
    setting.add_argument("value", metavar="VALUE", help=say("command.settings.value"))
    setting.set_defaults(run=_settings_set)


def _add(args: argparse.Namespace) -> int:
    with Firm(args.home) as firm:
        spoken = args.dossier_language or firm.settings.text("fiduciary.language")
        added = dossiers.add(firm, Dossier(args.number, args.name, spoken, args.folder, args.enterprise))
        return _told(args, firm, "dossier.added", added)


def _change(args: argparse.Namespace) -> int:
    with Firm(args.home) as firm:
        changed = dossiers.change(
            firm,
            args.number,
            name=args.name,
            language=args.dossier_language,
            template=args.folder,
            enterprise=args.enterprise,
        )
        return _told(args, firm, "dossier.changed", changed)


def _archive(args: argparse.Namespace) -> int:
    with Firm(args.home) as firm:
        return _told(args, firm, "dossier.is_archived", dossiers.archive(firm, args.number))


def _reopen(args: argparse.Namespace) -> int:
    with Firm(args.home) as firm:
        return _told(args, firm, "dossier.is_open", dossiers.reopen(firm, args.number))


def _told(args: argparse.Namespace, firm: Firm, key: str, dossier: Dossier) -> int:
    folder = dossier.folder(firm.root, firm.clock())
    print(args.language.say(key, number=dossier.number, name=dossier.name, folder=folder))
    return 0


def _email(args: argparse.Namespace) -> int:
    with Firm(args.home) as firm:
        number = dossiers.find(firm, args.number).number
        for address in args.remove:
            addresses.release(firm, number, address)
        for address in args.add:
            addresses.add(firm, number, address)
        rows = [(address,) for address, owner in addresses.every(firm).items() if owner == number]
    return table(rows, args.language.say("address.none", number=number))


def _import(args: argparse.Namespace) -> int:
    """Print what became of each line; the exit code is 1 when one was refused."""
    say = args.language.say
    raw = table_of(args.file)
    with Firm(args.home) as firm:
        reports = import_dossiers(firm, raw, args.check)
    rows = []
    for report in reports:
        why = args.language.failure(report.failure) if report.failure else ""
        line = say("dossier_csv.line", line=report.line)
        rows.append((line, report.number, say(f"dossier_csv.{report.deed.value}"), why))
    table(rows, "")
    counted = Counter(report.deed for report in reports)
    end = "dossier_csv.checked" if args.check else "dossier_csv.ended"
    print(say(end, **{deed.value: counted[deed] for deed in Deed}))
    return 1 if counted[Deed.REFUSED] else 0


def _list(args: argparse.Namespace) -> int:
    with Firm(args.home) as firm:
        paused = {pause.dossier: pause for pause in pauses.every(firm, ORIGIN)}
        rows = [
            (
                each.number,
                each.language,
                each.name,
                each.enterprise or "-",
                str(each.folder(firm.root, firm.clock())),
                _state(args.language, each, paused.get(each.number)),
            )
            for each in dossiers.every(firm, args.all)
        ]
    return table(rows, args.language.say("dossier.none"))


def _state(language: Language, dossier: Dossier, pause: Pause | None) -> str:
    if dossier.archived:
        return language.say("dossier.since_archived", since=moment(dossier.archived))
    return language.say("dossier.paused", since=moment(pause.since), cause=pause.cause) if pause else ""


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


def table(rows: Iterable[tuple[str, ...]], none: str) -> int:
    """Print rows in columns, or what to say when there are none; return the exit code 0."""
    rows = list(rows)
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
    if not rows:
        print(none)
    return 0


def moment(moment: datetime) -> str:
    """Return a moment as the clock on the wall shows it."""
    return f"{moment.astimezone():%Y-%m-%d %H:%M:%S}"
