"""``navette ini`` and ``kit``: hand out a dossier's INI, alone or with the program; never print a password."""

import argparse
import getpass
import sys
from pathlib import Path
from typing import Any

from dossiers import dossier as dossiers
from dossiers import handed_out
from dossiers.dossier import Dossier
from dossiers.firm import Firm
from dossiers.ftp_access import client_ini, write_connection
from dossiers.handed_out import Form
from ini_tools.check import Severity, check_file
from ini_tools.generator import ANY_CLIENT, write_ini
from ini_tools.kit import write_kit
from transfer.language import LANGUAGES, Language


def add(commands: Any, language: Language) -> None:
    """Add the commands to ``navette``."""
    say = language.say
    verbs = commands.add_parser("ini", help=say("command.ini")).add_subparsers(metavar="COMMAND", required=True)
    writing = verbs.add_parser("write", help=say("command.ini.write"))
    writing.add_argument("dossier", metavar="DOSSIER")
    writing.add_argument("--to", type=Path, required=True, metavar="DIR", help=say("command.ini.to"))
    writing.add_argument("--language", dest="client_language", choices=LANGUAGES, help=say("command.ini.language"))
    writing.add_argument("--envoi", action="store_true", help=say("command.ini.envoi"))
    writing.set_defaults(run=_write)
    kit = commands.add_parser("kit", help=say("command.kit"))
    kit.add_argument("dossier", metavar="DOSSIER")
    kit.add_argument("--to", type=Path, required=True, metavar="DIR", help=say("command.kit.to"))
    kit.add_argument("--program", type=Path, metavar="PATH", help=say("command.kit.program"))
    kit.add_argument("--language", dest="client_language", choices=LANGUAGES, help=say("command.ini.language"))
    kit.set_defaults(run=_kit)
    checking = verbs.add_parser("check", help=say("command.ini.check"))
    checking.add_argument("file", type=Path, metavar="FILE")
    checking.set_defaults(run=_check)


def write_dossier_ini(firm: Firm, dossier: Dossier, folder: Path, language: str = "", name: str | None = None) -> Path:
    """Write a dossier's INI from the firm's settings and return its path; ``language`` is else the dossier's."""
    return write_ini(client_ini(firm, dossier, language), folder, name, firm.settings.text("fiduciary.name"))


def _write(args: argparse.Namespace) -> int:
    with Firm(args.home) as firm:
        dossier = dossiers.find_open(firm, args.dossier)
        name = ANY_CLIENT if args.envoi else None
        path = write_dossier_ini(firm, dossier, args.to, args.client_language or "", name)
        login = write_connection(firm, dossier)[0].user
        handed_out.note(firm, dossier, login, Form.INI, by=getpass.getuser())
    print(args.language.say("ini.written", file=path, dossier=f"{dossier.number} {dossier.name}"))
    return 0


def _kit(args: argparse.Namespace) -> int:
    with Firm(args.home) as firm:
        dossier = dossiers.find(firm, args.dossier)
        ini = client_ini(firm, dossier, args.client_language or "")
        path = write_kit(ini, args.program or args.home / "program", args.to, firm.settings.text("fiduciary.name"))
        handed_out.note(firm, dossier, ini.connection.user, Form.KIT, by=getpass.getuser())
    print(args.language.say("kit.written", file=path, dossier=f"{dossier.number} {dossier.name}"))
    return 0


def _check(args: argparse.Namespace) -> int:
    """Print each finding on a line; faults go to standard error and make the exit code 2."""
    language: Language = args.language
    findings = check_file(args.file)
    faults = [finding for finding in findings if finding.severity is Severity.FAULT]
    for finding in findings:
        print(finding.sentence(language), file=sys.stderr if finding in faults else sys.stdout)
    if faults:
        print(language.say_n("check.faults", len(faults), file=args.file.name), file=sys.stderr)
        return 2
    print(language.say("check.sound", file=args.file.name))
    return 0
