"""``navette server status``: says how the server is doing; never asks the server itself, which has other work."""

import argparse
import json
import time
from collections.abc import Iterator
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from ftp_server import server_ini
from ftp_server.disk_alarm import SCARCE
from ftp_server.room import FREE_SPACE
from ftp_server.running import RunningServer
from ftp_server.status import Status, status
from transfer.language import Language

_MIB = 2**20


def add(verbs: Any, language: Language) -> None:
    """Add the command to ``navette server``; it ends with 1 when no server runs."""
    command = verbs.add_parser("status", help=language.say("cli.server.status"))
    command.add_argument("--json", action="store_true")
    command.set_defaults(run=_status)


def _status(args: argparse.Namespace) -> int:
    now = time.time()
    found = status((args.home / "server").absolute(), now)
    if args.json:
        print(json.dumps(_as_json(found, now)))
    else:
        for key, value in _lines(found, now, args.language):
            print(f"{args.language.say(f'status.{key}'):<22} {value}")
    return 0 if found.server else 1


def _as_json(found: Status, now: float) -> dict[str, object]:
    return {
        "running": found.server is not None,
        "server": _server(found.server) if found.server else None,
        "processes": [asdict(told) for told in found.told],
        "sessions": found.sessions,
        "logged_in": sum(told.logged_in for told in found.told),
        "transfers": sum(told.transfers for told in found.told),
        "fingerprint": found.certificate.fingerprint if found.certificate else None,
        "days_left": found.certificate.days_left(now) if found.certificate else None,
        "to_reload": found.to_reload,
        "disk_free": found.free,
        "disk_scarce": found.free is not None and found.free < SCARCE,
        "documents": asdict(found.counts) if found.counts else None,
    }


def _server(server: RunningServer) -> dict[str, object]:
    return {"pid": server.pid, "since": server.since, **server_ini.texts(server.settings)}


def _lines(found: Status, now: float, language: Language) -> Iterator[tuple[str, str]]:
    """Yield what a person reads: the key of each line's name, and its value."""
    say = language.say
    server = found.server
    if server:
        yield (
            "server",
            say("status.runs", pid=server.pid, processes=server.settings.processes, since=_shown(server.since)),
        )
        yield "address", f"{server.settings.host}:{server.settings.port}"
        logged_in, transfers = (sum(getattr(told, key) for told in found.told) for key in ("logged_in", "transfers"))
        yield "sessions", say("status.sessions_now", n=found.sessions, logged_in=logged_in, transfers=transfers)
        count, size, failed, banned = (sum(getattr(told, key) for told in found.told) for key in _SINCE)
        values = {"deposits": count, "mib": f"{size / _MIB:.1f}", "failed": failed, "banned": banned}
        yield "since_start", say("status.counted", **values)
    else:
        yield "server", say("status.stopped")
    if found.certificate:
        left = language.say_n("certificate.days", found.certificate.days_left(now))
        hint = f"  {say('status.to_reload')}" if found.to_reload else ""
        yield "certificate", f"{found.certificate.fingerprint}  ({left}){hint}"
    if found.counts:
        counts = found.counts
        yield "waiting", say("status.documents", n=counts.waiting, mib=f"{counts.waiting_bytes / _MIB:.1f}")
        yield "suspects", str(counts.suspects)
        last = say("status.last", at=_shown(counts.last)) if counts.last else ""
        yield "today", f"{counts.today}  {last}".rstrip()
    if found.free is not None:
        scarce = f"  {say('status.disk_scarce', mib=FREE_SPACE // _MIB)}" if found.free < SCARCE else ""
        yield "free", f"{found.free // _MIB} MiB{scarce}"


_SINCE = ("deposits", "bytes", "failed_logins", "banned_logins")


def _shown(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).astimezone().strftime("%Y-%m-%d %H:%M:%S")
