"""``navette server``: runs the FTP server and keeps its accounts; never reads a document."""

import argparse
import json
import re
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

from ftp_server.accounts import Accounts
from ftp_server.deposits import Deposit
from ftp_server.server import Server, ServerSettings, database, stop_on_signals
from navette import received_commands
from navette.log import start_log
from navette.parent import end_with_parent
from transfer.failures import PermanentFailure
from transfer.kill_point import kill_point
from transfer.language import Language


def add(commands: Any, language: Language) -> None:
    """Add the commands to ``navette``."""
    server = commands.add_parser("server", help=language.say("cli.server"))
    verbs = server.add_subparsers(metavar="COMMAND", required=True)

    run = verbs.add_parser("run", help=language.say("cli.server.run"))
    run.add_argument("--host", default="127.0.0.1")
    run.add_argument("--port", type=int, default=2121)
    run.add_argument("--passive-ports", type=_port_range, metavar="FIRST-LAST")
    run.add_argument("--public-address", metavar="ADDRESS")
    run.add_argument("--json", action="store_true")
    run.add_argument("--tell-deposits", action="store_true", help=language.say("cli.server.tell"))
    run.set_defaults(run=_run)

    received_commands.add(verbs, language)

    account = verbs.add_parser("account", help=language.say("cli.account"))
    deeds = account.add_subparsers(metavar="COMMAND", required=True)
    adding = deeds.add_parser("add", help=language.say("cli.account.add"))
    adding.add_argument("fiduciary", metavar="NNNNNN")
    adding.add_argument("--dossier", metavar="NUMBER")
    adding.add_argument("--name", default="")
    adding.set_defaults(run=_add)
    listing = deeds.add_parser("list", help=language.say("cli.account.list"))
    listing.set_defaults(run=_list)
    for verb, deed in (("reset", _reset), ("disable", _disable), ("enable", _enable)):
        changing = deeds.add_parser(verb, help=language.say(f"cli.account.{verb}"))
        changing.add_argument("login")
        changing.set_defaults(run=deed)
    for each in (adding, listing, *(deeds.choices[verb] for verb in ("reset", "disable", "enable"))):
        each.add_argument("--json", action="store_true")


def _run(args: argparse.Namespace) -> int:
    start_log()
    settings = ServerSettings(
        home=args.home / "server",
        host=args.host,
        port=args.port,
        passive_ports=args.passive_ports,
        public_address=args.public_address,
    )
    server = Server(settings, reached=kill_point(), deposited=_tell if args.tell_deposits else lambda _: None)
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


def _tell(deposit: Deposit) -> None:
    """Tell whoever started this server, and reads what it says, that a document can be fetched."""
    path = f"{deposit.folder.rstrip('/')}/{deposit.name}"
    print(json.dumps({"deposited": path, "fiduciary": deposit.fiduciary}), flush=True)


@contextmanager
def _accounts(args: argparse.Namespace) -> Iterator[Accounts]:
    with closing(database(args.home / "server")) as opened:
        yield Accounts(opened)


def _add(args: argparse.Namespace) -> int:
    with _accounts(args) as accounts:
        if args.dossier:
            made = accounts.add_dossier(args.fiduciary, args.dossier)
        else:
            made = accounts.add_fiduciary(args.fiduciary, args.name)
    return _show_passwords(args, made)


def _reset(args: argparse.Namespace) -> int:
    with _accounts(args) as accounts:
        made = accounts.reset(args.login)
    return _show_passwords(args, made)


def _show_passwords(args: argparse.Namespace, passwords: dict[str, str]) -> int:
    if args.json:
        print(json.dumps(passwords))
    else:
        for login, password in passwords.items():
            print(f"{login}  {password}")
        print(args.language.say("server.passwords_once"))
    return 0


def _disable(args: argparse.Namespace) -> int:
    return _switch(args, False)


def _enable(args: argparse.Namespace) -> int:
    return _switch(args, True)


def _switch(args: argparse.Namespace, enabled: bool) -> int:
    with _accounts(args) as accounts:
        accounts.enable(args.login, enabled)
    if args.json:
        print(json.dumps({"login": args.login, "enabled": enabled}))
    else:
        print(args.language.say("server.account_enabled" if enabled else "server.account_disabled", login=args.login))
    return 0


def _list(args: argparse.Namespace) -> int:
    with _accounts(args) as accounts:
        found = accounts.list()
    if args.json:
        rows = [{"login": a.name.login, "enabled": a.enabled, "tls_required": a.tls_required} for a in found]
        print(json.dumps(rows))
        return 0
    say = args.language.say
    for account in found:
        state = say("server.enabled" if account.enabled else "server.disabled")
        protection = say("server.tls_required" if account.tls_required else "server.tls_optional")
        print(f"{account.name.login:<32}  {state:<12}  {protection}")
    if not found:
        print(say("server.no_accounts"))
    return 0


def _port_range(text: str) -> range:
    found = re.fullmatch(r"(\d{1,5})-(\d{1,5})", text)
    if not found or not 1024 <= int(found[1]) <= int(found[2]) <= 65_535:
        raise PermanentFailure("server.bad_port_range", text=text[:40])
    return range(int(found[1]), int(found[2]) + 1)
