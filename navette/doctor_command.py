"""``navette server doctor``: says what a server lacks and which ports to open; never changes anything."""

import argparse
import json
import time
from typing import Any

from ftp_server.doctor import Diagnosis, examine
from ftp_server.findings import Finding, Level, worst
from transfer.failures import Failure
from transfer.language import Language


def add(verbs: Any, language: Language) -> None:
    """Add the command to ``navette server``; it ends with 0 when all is well, 1 after warnings, 2 after errors."""
    doctor = verbs.add_parser("doctor", help=language.say("cli.server.doctor"))
    doctor.add_argument("--json", action="store_true")
    doctor.set_defaults(run=_doctor)


def _doctor(args: argparse.Namespace) -> int:
    try:
        found = examine((args.home / "server").absolute(), time.time())
    except Failure as failure:
        found = Diagnosis([Finding(Level.ERROR, failure.code, failure.values)], [], None)
    if args.json:
        print(json.dumps(_as_json(found, args.language)))
    else:
        _print(found, args.language)
    return int(worst(found.findings))


def _as_json(found: Diagnosis, language: Language) -> dict[str, object]:
    return {
        "level": worst(found.findings).name.lower(),
        "findings": [
            {
                "level": each.level.name.lower(),
                "code": each.code,
                "sentence": language.say(each.code, **each.values),
                "values": each.values,
            }
            for each in found.findings
        ],
        "open_ports": [{"protocol": "tcp", "first": first, "last": last} for first, last in found.ports],
        "forward_to": found.forward_to,
    }


def _print(found: Diagnosis, language: Language) -> None:
    for each in sorted(found.findings, key=lambda finding: -finding.level):
        code = f" [{each.code}]" if each.level else ""
        print(
            f"{language.say(f'diagnosis.{each.level.name.lower()}'):<10} {language.say(each.code, **each.values)}{code}"
        )
    ports = ", ".join(f"TCP {first}" if first == last else f"TCP {first}-{last}" for first, last in found.ports)
    if ports:
        print(language.say("diagnosis.firewall", ports=ports))
    if found.forward_to:
        print(language.say("diagnosis.router", ports=ports))
