"""``navette server bans``: shows the addresses that guessed passwords and lifts their bans; never imposes one."""

import argparse
import json
import time
from contextlib import closing
from datetime import UTC, datetime
from typing import Any

from ftp_server.bans import all_bans, lift
from ftp_server.server import database
from transfer.language import Language


def add(verbs: Any, language: Language) -> None:
    """Add the commands to ``navette server``."""
    bans = verbs.add_parser("bans", help=language.say("cli.server.bans"))
    bans.add_argument("--json", action="store_true")
    bans.set_defaults(run=_list)
    deeds = bans.add_subparsers(metavar="COMMAND")
    listing = deeds.add_parser("list", help=language.say("cli.server.bans.list"))
    listing.add_argument("--json", action="store_true")
    listing.set_defaults(run=_list)
    lifting = deeds.add_parser("lift", help=language.say("cli.server.bans.lift"))
    lifting.add_argument("address")
    lifting.set_defaults(run=_lift)


def _list(args: argparse.Namespace) -> int:
    with closing(database(args.home / "server")) as opened:
        found = [ban for ban in all_bans(opened) if ban.until > time.time()]
    if args.json:
        print(json.dumps([vars(ban) for ban in found]))
        return 0
    for ban in found:
        until = datetime.fromtimestamp(ban.until, UTC).astimezone().strftime("%Y-%m-%d %H:%M:%S")
        print(f"{ban.address:<40}  {until}  {ban.times}")
    if not found:
        print(args.language.say("server.no_bans"))
    return 0


def _lift(args: argparse.Namespace) -> int:
    with closing(database(args.home / "server")) as opened:
        lift(opened, args.address)
    print(args.language.say("server.ban_lifted", address=args.address))
    return 0
