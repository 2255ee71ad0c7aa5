"""``navette server``: runs the FTP server and shows its doubtful files; never reads a document."""

import argparse
import json
import os
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from ftp_server import server_ini
from ftp_server.deposits import Deposit
from ftp_server.prefork import Processes
from ftp_server.running import RunningServer, told
from ftp_server.server import Server, ServerSettings, stop_on_signals
from ftp_server.server_ini import HostSettings
from navette import (
    account_commands,
    ban_commands,
    certificate_commands,
    doctor_command,
    received_commands,
    settings_command,
    status_command,
)
from navette.log import start_log
from navette.parent import HELD, end_with_parent
from transfer.kill_point import kill_point
from transfer.language import Language

_OPTIONS = (
    "host",
    "port",
    "implicit_port",
    "old_printers_port",
    "passive_ports",
    "public_address",
    "processes",
    "metrics_port",
    "safe",
    "log_commands",
)
"""Settings of the host that a run can be given otherwise, for that run."""


def add(commands: Any, language: Language) -> None:
    """Add the commands to ``navette``."""
    server = commands.add_parser("server", help=language.say("cli.server"))
    verbs = server.add_subparsers(metavar="COMMAND", required=True)

    run = verbs.add_parser("run", help=language.say("cli.server.run"))
    run.add_argument("--host")
    run.add_argument("--port")
    run.add_argument("--passive-ports", metavar="FIRST-LAST")
    run.add_argument("--public-address", metavar="ADDRESS")
    run.add_argument("--processes", help=language.say("cli.server.processes"))
    run.add_argument("--implicit-port", metavar="PORT", help=language.say("cli.server.implicit"))
    run.add_argument("--old-printers-port", metavar="PORT", help=language.say("cli.server.old_printers"))
    run.add_argument("--safe", action="append", metavar="NETWORK", help=language.say("cli.server.safe"))
    run.add_argument("--log-commands", action="store_const", const="yes", help=language.say("cli.server.log_commands"))
    run.add_argument("--metrics-port", metavar="PORT", help=language.say("cli.server.metrics"))
    run.add_argument("--json", action="store_true")
    run.add_argument("--tell-deposits", action="store_true", help=language.say("cli.server.tell"))
    run.set_defaults(run=_run)

    received_commands.add(verbs, language)
    account_commands.add(verbs, language)
    ban_commands.add(verbs, language)
    certificate_commands.add(verbs, language)
    for each in (settings_command, status_command, doctor_command):
        each.add(verbs, language)


def _run(args: argparse.Namespace) -> int:
    start_log()
    home = args.home / "server"
    since = time.time()
    host_settings = _settings(args, home)
    measure = _measure(host_settings, home)
    server = _started(args, home, host_settings)
    measure()  # a thread, which must not be there before the processes are
    end_with_parent(server.stop)
    host, port = server.address
    with told(home, RunningServer(os.getpid(), since, replace(host_settings, host=host, port=port))):
        fingerprint = server.certificate.fingerprint()
        if args.json:
            print(json.dumps({"ready": True, "host": host, "port": port, "fingerprint": fingerprint}), flush=True)
        else:
            print(args.language.say("server.ready", host=host, port=port, fingerprint=fingerprint), flush=True)
        server.run()
    return 0


def _settings(args: argparse.Namespace, home: Path) -> HostSettings:
    """Return the host's settings, with those that this run was given otherwise."""
    given = {name: getattr(args, name) for name in _OPTIONS if getattr(args, name) is not None}
    texts = {name: " ".join(words) if isinstance(words, list) else words for name, words in given.items()}
    options = {name: server_ini.checked(name, text, f"--{name.replace('_', '-')}") for name, text in texts.items()}
    found = replace(server_ini.read(home), **options)
    return found if hasattr(os, "fork") else replace(found, processes=1)


def _started(args: argparse.Namespace, home: Path, chosen: HostSettings) -> Server | Processes:
    settings = ServerSettings(
        home=home,
        host=chosen.host,
        port=chosen.port,
        passive_ports=chosen.passive_ports,
        public_address=chosen.public_address,
        sessions=chosen.sessions,
        implicit_port=chosen.implicit_port,
        old_printers_port=chosen.old_printers_port,
        safe=chosen.safe,
        log_commands=chosen.log_commands,
        trash_days=chosen.trash_days,
    )
    make = partial(Server, settings, reached=kill_point(), deposited=_tell if args.tell_deposits else lambda _: None)
    if chosen.processes > 1:
        processes = Processes(settings, chosen.processes, lambda place: make(place=place), _serve_until_the_end)
        processes.start()
        return processes
    server = make()
    stop_on_signals(server)
    return server


def _measure(chosen: HostSettings, home: Path) -> Callable[[], None]:
    """Return what starts the measurements; the library is needed only by those who asked for them."""
    if chosen.metrics_port is None:
        return lambda: None
    from ftp_server.metrics import Metrics

    return Metrics(home, chosen.metrics_port).serve


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
