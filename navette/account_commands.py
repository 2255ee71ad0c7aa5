"""``navette server account``: makes, shows and changes the server's accounts; never shows a password twice."""

import argparse
import json
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from ftp_server import account_csv
from ftp_server.account_csv import RowsFailure
from ftp_server.account_import import import_accounts
from ftp_server.accounts import Account, Accounts
from ftp_server.expiry import moment_of, text_of
from ftp_server.new_file import refuse_existing, write_new
from ftp_server.quota import quota_of, quota_text
from ftp_server.server import database
from transfer.accounts import fiduciary_number
from transfer.language import Language
from transfer.sheet import table_of

_SWITCHES: dict[str, tuple[str, Callable[[Accounts, str, bool], None]]] = {
    "tls": ("tls_required", Accounts.require_tls),
    "close-notify": ("close_notify", Accounts.set_close_notify),
    "bind": ("bound", Accounts.set_bound),
}
"""Command -> the key that JSON calls it by, and what changes it."""
_ANYWHERE = "any"


def add(verbs: Any, language: Language) -> None:
    """Add the commands to ``navette server``."""
    account = verbs.add_parser("account", help=language.say("cli.account"))
    deeds = account.add_subparsers(metavar="COMMAND", required=True)

    def deed(word: str, run: Callable[[argparse.Namespace], int]) -> argparse.ArgumentParser:
        made: argparse.ArgumentParser = deeds.add_parser(word, help=language.say(f"cli.account.{word}"))
        made.add_argument("--json", action="store_true")
        made.set_defaults(run=run, word=word)
        return made

    adding = deed("add", _add)
    adding.add_argument("fiduciary", metavar="NNNNNN")
    adding.add_argument("--dossier", metavar="NUMBER")
    adding.add_argument("--name", default="")
    deed("list", _list).add_argument("--fiduciary", metavar="NNNNNN")
    deed("reset", _reset).add_argument("login", metavar="LOGIN")
    for word in ("enable", "disable"):
        deed(word, _enable).add_argument("login", metavar="LOGIN")
    ending = deed("expire", _expire)
    ending.add_argument("login", metavar="LOGIN")
    ending.add_argument("at", metavar="DATE|never")
    renaming = deed("rename", _rename)
    renaming.add_argument("which", metavar="NNNNNN|LOGIN")
    renaming.add_argument("new", metavar="NAME|NUMBER")
    bounding = deed("quota", _quota)
    bounding.add_argument("fiduciary", metavar="NNNNNN")
    bounding.add_argument("mib", metavar="MIB|unlimited")
    letting = deed("networks", _networks)
    letting.add_argument("login", metavar="LOGIN")
    letting.add_argument("networks", nargs="+", metavar=f"NETWORK|{_ANYWHERE}")
    for word in _SWITCHES:
        switching = deed(word, _switch)
        switching.add_argument("login", metavar="LOGIN")
        switching.add_argument("rule", choices=("required", "optional"))
    importing = deed("import", _import)
    importing.add_argument("file", type=Path, metavar="FILE.csv")
    importing.add_argument("--passwords", type=Path, metavar="FILE", help=language.say("cli.account.passwords"))
    deed("export", _export).add_argument("file", type=Path, nargs="?", metavar="FILE.csv")


@contextmanager
def _accounts(args: argparse.Namespace) -> Iterator[Accounts]:
    with closing(database(args.home / "server")) as opened:
        yield Accounts(opened)


def _tell(args: argparse.Namespace, key: str, values: dict[str, object], **shown: object) -> int:
    """Print what was done: its values in JSON, or the sentence of ``key`` with the values as ``shown``."""
    print(json.dumps(values) if args.json else args.language.say(key, **(values | shown)))
    return 0


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


def _enable(args: argparse.Namespace) -> int:
    enabled = args.word == "enable"
    with _accounts(args) as accounts:
        accounts.enable(args.login, enabled)
    key = "server.account_enabled" if enabled else "server.account_disabled"
    return _tell(args, key, {"login": args.login, "enabled": enabled})


def _expire(args: argparse.Namespace) -> int:
    at = moment_of(args.at)
    with _accounts(args) as accounts:
        accounts.expire(args.login, at)
    key = "server.account_never_ends" if at is None else "server.account_ends"
    return _tell(args, key, {"login": args.login, "expires_at": at}, end=text_of(at))


def _rename(args: argparse.Namespace) -> int:
    """Rename a fiduciary by its number, or move a dossier's account to another dossier number."""
    with _accounts(args) as accounts:
        if "_" not in args.which:
            accounts.rename_fiduciary(args.which, args.new)
            return _tell(args, "server.fiduciary_renamed", {"fiduciary": args.which, "name": args.new.strip()})
        login = accounts.rename_dossier(args.which, args.new)
    return _tell(args, "server.account_renamed", {"login": login}, old=args.which)


def _quota(args: argparse.Namespace) -> int:
    quota = quota_of(args.mib)
    with _accounts(args) as accounts:
        accounts.set_quota(args.fiduciary, quota)
    key = "server.quota_none" if quota is None else "server.quota"
    return _tell(args, key, {"fiduciary": args.fiduciary, "quota": quota}, mib=quota_text(quota))


def _networks(args: argparse.Namespace) -> int:
    wanted = [] if args.networks == [_ANYWHERE] else args.networks
    with _accounts(args) as accounts:
        kept = accounts.set_networks(args.login, wanted)
    key = "server.account_networks" if kept else "server.account_anywhere"
    return _tell(args, key, {"login": args.login, "networks": kept}, networks=", ".join(kept))


def _switch(args: argparse.Namespace) -> int:
    name, change = _SWITCHES[args.word]
    required = args.rule == "required"
    with _accounts(args) as accounts:
        change(accounts, args.login, required)
    return _tell(args, f"switch.{args.word}.{args.rule}", {"login": args.login, name: required})


def _list(args: argparse.Namespace) -> int:
    with _accounts(args) as accounts:
        found = accounts.list(fiduciary_number(args.fiduciary) if args.fiduciary else None)
    if args.json:
        print(json.dumps([_as_json(account) for account in found]))
        return 0
    for account in found:
        print(_as_line(account, args.language))
    if not found:
        print(args.language.say("server.no_accounts"))
    return 0


def _import(args: argparse.Namespace) -> int:
    table = table_of(args.file)
    sheet: Path | None = args.passwords
    if sheet:
        refuse_existing(sheet)
    keep = partial(_write_passwords, sheet) if sheet else lambda _: None
    try:
        with _accounts(args) as accounts:
            made = import_accounts(accounts, table, time.time(), keep)
    except RowsFailure as refused:
        _show_faults(args, refused)
        raise
    if not sheet:
        return _show_passwords(args, made)
    if args.json:
        print(json.dumps({"accounts": list(made), "passwords": str(sheet)}))
    else:
        print(args.language.say_n("server.accounts_made", len(made), file=sheet))
    return 0


def _write_passwords(path: Path, passwords: Mapping[str, str]) -> None:
    lines = [f"{login};{password}\n" for login, password in passwords.items()]
    write_new(path, "".join(["account;password\n", *lines]).encode(), 0o600)


def _show_faults(args: argparse.Namespace, refused: RowsFailure) -> None:
    if args.json:
        rows = [{"line": fault.line, "code": fault.failure.code, **fault.failure.values} for fault in refused.faults]
        print(json.dumps({"refused": rows}))
        return
    for fault in refused.faults:
        said = args.language.failure(fault.failure)
        print(args.language.say("server.table_line", line=fault.line, fault=said), file=sys.stderr)


def _export(args: argparse.Namespace) -> int:
    with _accounts(args) as accounts:
        firms, found = accounts.fiduciaries(), accounts.list()
    if args.file is None:
        print(json.dumps([_as_json(each) for each in found]) if args.json else account_csv.text(firms, found).rstrip())
        return 0
    with_mark = "\ufeff" + account_csv.text(firms, found).replace("\n", "\r\n")  # as spreadsheets on Windows read it
    write_new(args.file, with_mark.encode())
    if args.json:
        print(json.dumps({"accounts": len(found), "file": str(args.file)}))
    else:
        print(args.language.say_n("server.accounts_exported", len(found), file=args.file))
    return 0


def _as_json(account: Account) -> dict[str, object]:
    return {
        "login": account.name.login,
        "enabled": account.enabled,
        "tls_required": account.tls_required,
        "fiduciary": account.name.fiduciary,
        "dossier": account.name.dossier,
        "expires_at": account.expires_at,
        "networks": account.networks,
        "close_notify": account.close_notify,
        "bound": account.bound,
        "quota": account.quota,
    }


def _as_line(account: Account, language: Language) -> str:
    say = language.say
    ended = account.enabled and account.refusal(time.time(), None) == "expired"
    state = say("server.ended") if ended else say("server.enabled" if account.enabled else "server.disabled")
    held = [say("server.tls_required" if account.tls_required else "server.tls_optional")]
    if account.expires_at is not None:
        held.append(say("server.until", end=text_of(account.expires_at)))
    if account.networks:
        held.append(say("server.from", networks=" ".join(account.networks)))
    if not account.close_notify:
        held.append(say("server.no_close_notify"))
    if account.bound:
        held.append(say("server.bound"))
    return f"{account.name.login:<32}  {state:<12}  {', '.join(held)}"
