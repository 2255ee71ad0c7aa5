"""Starts the uploader, with its window or silently; never does any of the work itself."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from transfer.client_ini import read
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
        options = _parser().parse_args(argv)
    except SystemExit as ended:  # --help, or a usage error that argparse explained already
        return int(ended.code or 0)
    keep_log(data_folder())
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


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="uploader", description="Send the files of a folder to the accounting firm.")
    parser.add_argument("--silent", action="store_true", help="send without a window, say how it went, and end")
    parser.add_argument("--watch", action="store_true", help="send new files by themselves; with --silent: until ended")
    parser.add_argument("--folder", type=Path, help="folder to send from (default: the one the INI names)")
    parser.add_argument("--ini", type=Path, help="INI file of the firm (default: envoi.ini, or the only INI here)")
    parser.add_argument("--json", action="store_true", help="with --silent: one JSON object a line")
    parser.add_argument("--language", choices=LANGUAGES, help="language of the sentences (default: the INI's)")
    parser.add_argument("--connections", type=_connections, default=CONNECTIONS, help="connections at a time, 1 to 8")
    parser.add_argument(
        "--settle", type=float, default=SETTLE_SECONDS, help="seconds a file must stand still to count as finished"
    )
    parser.add_argument("--fail-if-empty", action="store_true", help="end with 9 when there is nothing to send")
    return parser


def _connections(text: str) -> int:
    number = int(text)
    if not 1 <= number <= CONNECTIONS:
        raise ValueError(text)
    return number


if __name__ == "__main__":
    sys.exit(main())
