"""Tries a packed uploader as a whole: opens its window, sends a folder, writes what it saw; never asks anything."""

import io
import json
import logging
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from transfer.client_ini import read
from transfer.failures import Failure
from transfer.language import Language
from uploader import silent
from uploader.folder import SETTLE_SECONDS
from uploader.history import History, data_folder
from uploader.start import find_ini, program_folder

if TYPE_CHECKING:
    from uploader.window import Window

_LOOK_MS = 50
_TEST_DOCUMENT = "navette-test.txt"


def run(result: Path, ini_path: Path | None, folder: Path | None, language: str | None) -> int:
    """Open the window, send ``folder`` (else one test document), write the JSON ``result``, return the exit code.

    The result tells when the window was drawn (seconds since 1970), what it stands on, each event of the upload, and
    all that was logged as an error, which alone makes an exit code of 1 out of 0.
    """
    errors = _Errors()
    logging.getLogger("navette.uploader").addHandler(errors)
    told: dict[str, object] = {"frozen": bool(getattr(sys, "frozen", False)), "python": sys.version.split()[0]}
    with ExitStack() as stack:
        settle = SETTLE_SECONDS
        if folder is None:
            settle = 0.0
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
            (folder / _TEST_DOCUMENT).write_text(f"Navette, {time.strftime('%Y-%m-%d %H:%M:%S')}\n", encoding="utf-8")
        code = silent.USAGE
        try:
            from uploader.window import Window  # a part that is missing is one of the things this finds

            path = ini_path or find_ini(program_folder())
            window = Window(path, folder, language)
            told |= _drawn(window)
            events = io.StringIO()
            code = _while_shown(window, lambda: _send(path, folder, settle, events))
            told["events"] = [json.loads(line) for line in events.getvalue().splitlines()]
        except Failure as failure:
            told["refused"] = failure.code
        except Exception:  # what a client would see as a program that does not start
            logging.getLogger("navette.uploader").exception("selftest.unexpected")
    code = code or int(bool(errors.said))
    result.write_text(json.dumps({**told, "errors": errors.said, "code": code}), encoding="utf-8")
    return code


class _Errors(logging.Handler):
    """Keeps what is logged as an error: the window shows none of it."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.said: list[str] = []
        self.setFormatter(logging.Formatter())

    def emit(self, record: logging.LogRecord) -> None:
        self.said.append(self.format(record))


def _drawn(window: "Window") -> dict[str, object]:
    """Wait until the window is on the screen with all it shows, and tell when that was and what drew it."""
    window.wait_visibility()
    window.update()
    return {
        "drawn": time.time(),
        "size": [window.winfo_width(), window.winfo_height()],
        "tk": str(window.tk.call("info", "patchlevel")),
        "drop": bool(window.tk.call("info", "commands", "::tkdnd::drop_target")),
        "scaling": float(window.tk.call("tk", "scaling")),
    }


def _while_shown(window: "Window", send: Callable[[], int]) -> int:
    """Send from a thread while the window lives, close it, and return the exit code of the sending."""

    def look() -> None:
        if not sending.done():
            window.after(_LOOK_MS, look)
        else:
            window.close()

    with ThreadPoolExecutor(1) as thread:
        sending = thread.submit(send)
        window.after(_LOOK_MS, look)
        window.mainloop()
    return sending.result()


def _send(ini_path: Path, folder: Path, settle: float, events: io.StringIO) -> int:
    ini = read(ini_path)
    history = History(data_folder())
    try:
        options = silent.Options(folder, ini_path, settle, connections=1, fail_if_empty=True)
        return silent.run(ini, options, history, silent.Report(Language("en", "uploader"), events, as_json=True))
    finally:
        history.close()
