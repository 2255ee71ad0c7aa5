"""Lets the crash tests end a program at a named step; never does anything unless NAVETTE_TEST_KILL_AT says so."""

import os
import signal
import threading
from collections.abc import Callable


def kill_point() -> Callable[[str], None]:
    """Return a function for each named step to call: it dies where NAVETTE_TEST_KILL_AT is ``step`` or ``step:n``."""
    wanted, _, times = os.environ.get("NAVETTE_TEST_KILL_AT", "").partition(":")
    if not wanted:
        return lambda _: None
    left = int(times or 1)
    lock = threading.Lock()

    def reached(step: str) -> None:
        nonlocal left
        if step != wanted:
            return
        with lock:
            left -= 1
            if left <= 0:
                os.kill(os.getpid(), signal.SIGKILL)

    return reached
