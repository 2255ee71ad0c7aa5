"""``navette server``: runs the FTP server and shows its doubtful files; never reads a document."""

import argparse
import json
import os
import re
import sys
from functools import partial
from typing import Any

from ftp_server.deposits import Deposit
from ftp_server.networks import networks_of
from ftp_server.prefork import Processes
from ftp_server.server import Server, ServerSettings, stop_on_signals
from navette import account_commands, ban_commands, received_commands
from navette.log import start_log
from navette.parent import HELD, end_with_parent
from transfer.failures import PermanentFailure
from transfer.kill_point import kill_point
from transfer.language import Language

PROCESSES = min(os.cpu_count() or 1, 4) if sys.platform == "linux" else 1
"""Processes a server runs as when nobody says how many."""


def add(commands: Any, language: Language) -> None:
    """Add the commands to ``navette``."""
    server = commands.add_parser("server", help=language.say("cli.server"))
    verbs = server.add_subparsers(metavar="COMMAND", required=True)

    run = verbs.add_parser("run", help=language.say("cli.server.run"))
    run.add_argument("--host", default="127.0.0.1")
    run.add_argument("--port", type=int, default=2121)
    run.add_argument("--passive-ports", type=_port_range, metavar="FIRST-LAST")
    run.add_argument("--public-address", metavar="ADDRESS")
    run.add_argument("--processes", type=int, default=PROCESSES, help=language.say("cli.server.processes"))
    run.add_argument("--implicit-port", type=int, metavar="PORT", help=language.say("cli.server.implicit"))
    run.add_argument("--old-printers-port", type=int, metavar="PORT", help=language.say("cli.server.old_printers"))
    run.add_argument("--safe", action="append", default=[], metavar="NETWORK", help=language.say("cli.server.safe"))
    run.add_argument("--log-commands", action="store_true", help=language.say("cli.server.log_commands"))
    run.add_argument("--json", action="store_true")
    run.add_argument("--tell-deposits", action="store_true", help=language.say("cli.server.tell"))
    run.set_defaults(run=_run)

    received_commands.add(verbs, language)
    account_commands.add(verbs, language)
    ban_commands.add(verbs, language)


def _run(args: argparse.Namespace) -> int:
    start_log()
    settings = ServerSettings(
        home=args.home / "server",
        host=args.host,
        port=args.port,
        passive_ports=args.passive_ports,
        public_address=args.public_address,
        implicit_port=args.implicit_port,
        old_printers_port=args.old_printers_port,
        safe=networks_of(args.safe),
        log_commands=args.log_commands,
    )
    server: Server | Processes
    make = partial(Server, settings, reached=kill_point(), deposited=_tell if args.tell_deposits else lambda _: None)
    if args.processes > 1 and hasattr(os, "fork"):
        server = Processes(settings, args.processes, lambda place: make(place=place), _serve_until_the_end)
        server.start()
    else:
        server = make()
        stop_on_signals(server)
    end_with_parent(server.stop)
    host, port = server.address
    fingerprint = server.certificate.fingerprint()
    if args.json:
        print(json.dumps({"ready": True, "host": host, "port": port, "fingerprint": fingerprint}), flush=True)
    else:
        print(args.language.say("server.ready", host=host, port=port, fingerprint=fingerprint), flush=True)
    server.run()
    return 0


def _serve_until_the_end(server: Server) -> None:
    """Serve as one of several processes, whose standard input closes with the one that started them."""
    os.environ[HELD] = "1"
    end_with_parent(server.stop)
    server.run()


def _tell(deposit: Deposit) -> None:
    """Tell whoever started this server, and reads what it says, that a document can be fetched."""
    path = f"{deposit.folder.rstrip('/')}/{deposit.name}"
    line = json.dumps({"deposited": path, "fiduciary": deposit.fiduciary})
    sys.stdout.write(line + "\n")  # in one piece: several threads tell
    sys.stdout.flush()


def _port_range(text: str) -> range:
    found = re.fullmatch(r"(\d{1,5})-(\d{1,5})", text)
    if not found or not 1024 <= int(found[1]) <= int(found[2]) <= 65_535:
        raise PermanentFailure("server.bad_port_range", text=text[:40])
    return range(int(found[1]), int(found[2]) + 1)
