"""``navette server settings``: shows and changes how the host runs the server; never changes a running one."""

import argparse
import json
from typing import Any

from ftp_server import server_ini
from ftp_server.running import running_server
from transfer.language import Language


def add(verbs: Any, language: Language) -> None:
    """Add the commands to ``navette server``."""
    settings = verbs.add_parser("settings", help=language.say("cli.server.settings"))
    settings.add_argument("key", nargs="?", metavar="SETTING")
    settings.add_argument("value", nargs="?", metavar="VALUE")
    settings.add_argument("--unset", action="store_true", help=language.say("cli.server.unset"))
    settings.add_argument("--json", action="store_true")
    settings.set_defaults(run=_settings)


def _settings(args: argparse.Namespace) -> int:
    home = args.home / "server"
    changed = args.key is not None and (args.value is not None or args.unset)
    if changed:
        found = server_ini.change(home, {args.key: None if args.unset else args.value})
    else:
        found = server_ini.read(home)
    shown = {key: getattr(found, key) for key in server_ini.KEYS}
    if args.key is not None:
        server_ini.refuse_unknown(args.key)
        shown = {args.key: shown[args.key]}
    if args.json:
        values = {key: value if isinstance(value, int) else server_ini.text_of(value) for key, value in shown.items()}
        print(json.dumps(values))
        return 0
    for key, value in shown.items():
        print(f"{key:<15} {server_ini.text_of(value) or args.language.say('server.setting_unset')}")
    if changed and running_server(home):
        print(args.language.say("server.settings_later"))
    return 0
