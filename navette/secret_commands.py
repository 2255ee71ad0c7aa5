"""``navette secrets``: gives the firm's secrets a new key; never shows a secret or a key."""

import argparse
from typing import Any

from dossiers.firm import Firm
from dossiers.new_key import rotate
from transfer.language import Language


def add(commands: Any, language: Language) -> None:
    """Add the commands to ``navette``."""
    say = language.say
    verbs = commands.add_parser("secrets", help=say("command.secrets")).add_subparsers(metavar="COMMAND", required=True)
    verbs.add_parser("rotate", help=say("command.secrets.rotate")).set_defaults(run=_rotate)


def _rotate(args: argparse.Namespace) -> int:
    with Firm(args.home) as firm:
        count = rotate(firm)
        print(args.language.say_n("secrets.rotated", count, key=firm.home / "firm" / "firm.key"))
    return 0
