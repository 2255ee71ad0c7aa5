"""``navette console``: runs the firm's console, and helps those who cannot get in any more; never shows a document."""

import argparse
import json
import threading
from typing import Any

from console.server import ConsoleServer, Place
from dossiers import users
from dossiers.firm import Firm
from fetcher.service import stopped_by_signals
from navette.fetch_commands import log_to_stderr
from navette.parent import end_with_parent
from transfer.language import Language


def add(commands: Any, language: Language) -> None:
    """Add the commands to ``navette``."""
    say = language.say
    run = commands.add_parser("console", help=say("command.console"))
    run.add_argument("--host", help=say("command.console.host"))
    run.add_argument("--port", type=int, help=say("command.console.port"))
    run.add_argument("--json", action="store_true", help=say("command.console.json"))
    run.set_defaults(run=_run)
    reset = run.add_subparsers(metavar="COMMAND").add_parser("reset", help=say("command.console.reset"))
    reset.add_argument("name", metavar="NAME")
    reset.set_defaults(run=_reset)


def _run(args: argparse.Namespace) -> int:
    log_to_stderr()
    with Firm(args.home) as firm, stopped_by_signals(threading.Event()):
        server = ConsoleServer(firm, Place.of(firm, args.host, args.port))
        end_with_parent(server.stop)
        if args.json:
            print(json.dumps(vars(server.opened)), flush=True)
        else:
            print(args.language.say("console.opened", address=server.opened.address), flush=True)
            if server.opened.first:
                print(args.language.say("console.first", link=server.opened.first), flush=True)
        server.run()
    return 0


def _reset(args: argparse.Namespace) -> int:
    with Firm(args.home) as firm:
        password = users.reset(firm, args.name)
    print(args.language.say("console.reset", name=args.name, password=password))
    return 0
