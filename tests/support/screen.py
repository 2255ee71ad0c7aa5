"""A screen for windows under test, with real clicks and pictures; never the screen of whoever runs the tests."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from processes import end, started
from waiting import still, until

SIZE = (1280, 900)


class Screen:
    """A running X display that is also the DISPLAY of this process and of all it starts."""

    def __init__(self, display: str) -> None:
        self.display = display

    def screenshot(self, path: Path) -> Path:
        """Write what the whole screen shows to ``path`` (PNG) and return the path."""
        _run("import", "-silent", "-window", "root", str(path))
        return path

    def window(self, title: str, seconds: float = 20) -> str:
        """Wait for a visible window whose title matches the pattern ``title``; return its number."""
        search = ["xdotool", "search", "--onlyvisible", "--name", title]

        def found() -> list[str]:
            return subprocess.run(search, capture_output=True, text=True, check=False).stdout.split()

        return until(found, seconds, f"a window named {title!r}")[-1]

    def place(self, window: str) -> tuple[int, int, int, int]:
        """Return a window's x, y, width and height on the screen."""
        told = dict(line.split("=") for line in _run("xdotool", "getwindowgeometry", "--shell", window).splitlines())
        return int(told["X"]), int(told["Y"]), int(told["WIDTH"]), int(told["HEIGHT"])

    def click(self, x: int, y: int, window: str | None = None, button: int = 1) -> None:
        """Click at a point of the screen, or of a window when one is named."""
        within = ["--window", window] if window else []
        away = ["mousemove", "0", "0"]  # --sync waits in vain for a mouse that is there already
        _run("xdotool", *away, "mousemove", "--sync", *within, str(x), str(y), "click", str(button))

    def focus(self, window: str) -> None:
        """Bring a window to the front, so that it gets the keys."""
        _run("xdotool", "windowactivate", "--sync", window)

    def until_drawn(self, window: str) -> None:
        """Wait until a window shows something that stays the same for a moment."""
        draw = ["import", "-silent", "-window", window, "-depth", "8", "gray:-"]
        drawn = still(lambda: subprocess.run(draw, capture_output=True, check=False).stdout, 0.25)
        until(lambda: len(set(drawn() or b"")) > 2, what="the window to be drawn")

    def key(self, *keys: str) -> None:
        """Press keys by their X names (``Tab``, ``space``, ``ctrl+a``)."""
        _run("xdotool", "key", "--clearmodifiers", *keys)

    def write(self, text: str) -> None:
        """Type a text."""
        _run("xdotool", "type", "--clearmodifiers", "--delay", "5", text)


@contextmanager
def running_screen(folder: Path) -> Iterator[Screen]:
    """Run Xvfb on a free display with openbox for a ``with`` block, with DISPLAY set; both are ended afterwards."""
    log = folder / "screen.log"
    told, tells = os.pipe()
    size = f"{SIZE[0]}x{SIZE[1]}x24"
    server = started(
        ["Xvfb", "-displayfd", str(tells), "-screen", "0", size, "-nolisten", "tcp", "-noreset"], log, keep_open=[tells]
    )
    os.close(tells)
    before = os.environ.get("DISPLAY")
    desk = None
    try:
        with os.fdopen(told) as answer:
            number = answer.readline().strip()
        assert number, f"Xvfb did not start: {log.read_text()}"
        os.environ["DISPLAY"] = f":{number}"
        desk = started(["openbox", "--sm-disable"], log)
        check = ["xprop", "-root", "_NET_SUPPORTING_WM_CHECK"]
        until(
            lambda: "window id" in subprocess.run(check, capture_output=True, text=True, check=False).stdout,
            what="openbox to take the screen",
        )
        yield Screen(f":{number}")
    finally:
        if desk is not None:
            end(desk)
        end(server)
        if before is None:
            os.environ.pop("DISPLAY", None)
        else:
            os.environ["DISPLAY"] = before


def _run(*command: str) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=30).stdout
