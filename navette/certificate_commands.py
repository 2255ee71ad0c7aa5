"""``navette server certificate`` and ``reload``: shows, changes and reloads the certificate; never shows a key."""

import argparse
import json
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ftp_server import certificate_choice
from ftp_server.certificate_facts import SOON, CertificateFacts, facts
from ftp_server.certificates import Certificate
from ftp_server.running import RunningServer, ask_to_reload, running_server
from ftp_server.tally import all_told
from transfer.failures import PermanentFailure, TemporaryFailure
from transfer.language import Language

_RELOADED = 15.0  # seconds the server's processes have to load a certificate
_LOOK = 0.05


def add(verbs: Any, language: Language) -> None:
    """Add the commands to ``navette server``."""
    certificate = verbs.add_parser("certificate", help=language.say("cli.certificate"))
    deeds = certificate.add_subparsers(metavar="COMMAND", required=True)

    def deed(word: str, run: Callable[[argparse.Namespace], int]) -> argparse.ArgumentParser:
        made: argparse.ArgumentParser = deeds.add_parser(word, help=language.say(f"cli.certificate.{word}"))
        made.add_argument("--json", action="store_true")
        made.set_defaults(run=run)
        return made

    deed("show", _show)
    using = deed("use", _use)
    using.add_argument("chain", type=Path, metavar="CHAIN.pem")
    using.add_argument("key", type=Path, metavar="KEY.pem")
    using.add_argument(
        "--second", type=Path, nargs=2, metavar=("CHAIN.pem", "KEY.pem"), help=language.say("cli.certificate.second")
    )
    deed("renew", _renew)

    reload = verbs.add_parser("reload", help=language.say("cli.server.reload"))
    reload.add_argument("--json", action="store_true")
    reload.set_defaults(run=_reload)


def _show(args: argparse.Namespace) -> int:
    certificate = certificate_choice.present(args.home / "server")
    if certificate is None:
        raise PermanentFailure("certificate.none")
    return _tell(args, certificate)


def _use(args: argparse.Namespace) -> int:
    pairs = [(args.chain, args.key), *([tuple(args.second)] if args.second else [])]
    return _tell_change(args, certificate_choice.use(args.home / "server", pairs, time.time()), "certificate.used")


def _renew(args: argparse.Namespace) -> int:
    return _tell_change(args, certificate_choice.renew(args.home / "server", time.time()), "certificate.renewed")


def _tell_change(args: argparse.Namespace, certificate: Certificate, key: str) -> int:
    code = _tell(args, certificate)
    if not args.json:
        print(args.language.say(key))
        if running_server(args.home / "server"):
            print(args.language.say("certificate.reload"))
    return code


def _tell(args: argparse.Namespace, certificate: Certificate) -> int:
    """Print what the certificates say; return 1 when one ends soon or has ended."""
    said = [(each, facts(each.chain)) for each in (certificate, certificate.second) if each]
    now = time.time()
    if args.json:
        rows = [_as_json(each, found, now) for each, found in said]
        print(json.dumps(rows[0] | ({"second": rows[1]} if rows[1:] else {})))
    else:
        for each, found in said:
            _print(args.language, each, found, now)
    return int(any(found.days_left(now) < SOON for _, found in said))


def _as_json(certificate: Certificate, found: CertificateFacts, now: float) -> dict[str, object]:
    return {
        "file": str(certificate.chain),
        "subject": found.subject,
        "names": found.names,
        "issuer": found.issuer,
        "self_signed": found.self_signed,
        "key": found.key,
        "not_after": found.not_after.isoformat(),
        "days_left": found.days_left(now),
        "fingerprint": found.fingerprint,
    }


def _print(language: Language, certificate: Certificate, found: CertificateFacts, now: float) -> None:
    say = language.say
    issuer = say("certificate.itself") if found.self_signed else found.issuer
    left = found.days_left(now)
    lines = (
        ("file", certificate.chain),
        ("subject", found.subject),
        ("names", ", ".join(found.names)),
        ("issuer", issuer),
        ("key", found.key),
        ("end", f"{found.not_after.astimezone():%Y-%m-%d}  ({language.say_n('certificate.days', left)})"),
        ("fingerprint", found.fingerprint),
    )
    for key, value in lines:
        print(f"{say(f'certificate.show.{key}'):<14} {value}")
    if left < SOON:
        print(say("certificate.ended" if left < 0 else "certificate.ends_soon"))


def _reload(args: argparse.Namespace) -> int:
    """Have the certificate of the settings loaded, and return once every process uses it."""
    home = args.home / "server"
    server = running_server(home)
    if server is None:
        raise PermanentFailure("server.not_running", home=str(home))
    names = certificate_choice.names_of(server.settings)
    wanted = certificate_choice.chosen(home, names).fingerprint()
    asked = time.time()
    ask_to_reload(server)
    if not _all_use(wanted, asked, server, home):
        raise TemporaryFailure("server.not_reloaded", seconds=int(_RELOADED))
    if args.json:
        print(json.dumps({"processes": server.settings.processes, "fingerprint": wanted}))
    else:
        print(args.language.say_n("server.reloaded", server.settings.processes, fingerprint=wanted))
    return 0


def _all_use(fingerprint: str, asked: float, server: RunningServer, home: Path) -> bool:
    until = time.monotonic() + _RELOADED
    while time.monotonic() < until:
        new = [told for told in all_told(home, server.since) if told.at >= asked and told.fingerprint == fingerprint]
        if len(new) >= server.settings.processes:
            return True
        threading.Event().wait(_LOOK)
    return False
