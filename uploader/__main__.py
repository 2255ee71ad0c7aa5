"""Starts the uploader, with its window or silently; never does any of the work itself."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from transfer.client_ini import read
from transfer.command_line import Parser, language_of
from transfer.failures import Failure, PermanentFailure
from transfer.kill_point import kill_point
from transfer.language import LANGUAGES, Language, system_language
from uploader import silent
from uploader.folder import SETTLE_SECONDS
from uploader.history import History, data_folder
from uploader.silent_watch import SilentWatch
from uploader.start import find_ini, keep_log, program_folder
from uploader.upload import CONNECTIONS


def main(argv: Sequence[str] | None = None) -> int:
    """Run the uploader with the given arguments (by default the command line's) and return its exit code."""
    try:
        options = _parser(Language(language_of(argv), "uploader")).parse_args(argv)
    except SystemExit as ended:  # --help, or a usage error that was explained already
        return int(ended.code or 0)
    keep_log(data_folder())
    if options.selftest:
        from uploader.selftest import run

        return run(options.result, options.ini, options.folder, options.language)
    if not options.silent:
        from uploader.window import show

        return show(options.ini, options.folder, options.language, options.watch)
    return _run_silently(options)


def _run_silently(options: argparse.Namespace) -> int:
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")  # a name that this terminal cannot show must not end it
    report = silent.Report(Language(options.language or system_language(), "uploader"), sys.stdout, options.json)
    history = None
    try:
        ini_path = options.ini or find_ini(program_folder())
        ini = read(ini_path)
        report = silent.Report(Language(options.language or ini.language, "uploader"), sys.stdout, options.json)
        folder = options.folder or (Path(ini.local_folder) if ini.local_folder else None)
        if folder is None:
            raise PermanentFailure("start.no_folder")
        history = History(data_folder())
        asked = silent.Options(folder, ini_path, options.settle, options.connections, options.fail_if_empty)
        if options.watch:
            return SilentWatch(ini, asked, history, report, reached=kill_point()).run()
        return silent.run(ini, asked, history, report, reached=kill_point())
    except Failure as failure:
        report.failure(failure)
        return silent.USAGE
    finally:
        if history is not None:
            history.close()


def _parser(language: Language) -> Parser:
    say = language.say
    parser = Parser(language, prog="uploader", description=say("option.uploader"))
    parser.add_argument("--silent", action="store_true", help=say("option.silent"))
    parser.add_argument("--watch", action="store_true", help=say("option.watch"))
    parser.add_argument("--folder", type=Path, help=say("option.folder"))
    parser.add_argument("--ini", type=Path, help=say("option.ini"))
    parser.add_argument("--json", action="store_true", help=say("option.json"))
    parser.add_argument("--language", choices=LANGUAGES, help=say("option.language"))
    most = say("option.connections", most=CONNECTIONS)
    parser.add_argument("--connections", type=_connections, default=CONNECTIONS, help=most)
    parser.add_argument("--settle", type=float, default=SETTLE_SECONDS, help=say("option.settle"))
    parser.add_argument("--fail-if-empty", action="store_true", help=say("option.fail_if_empty"))
    parser.add_argument("--selftest", action="store_true", help=say("option.selftest"))
    parser.add_argument("--result", type=Path, default=Path("selftest.json"), help=say("option.result"))
    return parser


def _connections(text: str) -> int:
    number = int(text)
    if not 1 <= number <= CONNECTIONS:
        raise ValueError(text)
    return number


if __name__ == "__main__":
    sys.exit(main())
