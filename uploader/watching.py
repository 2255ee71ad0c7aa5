"""Says that something changed in the chosen folder; never looks what it was."""

import contextlib
from collections.abc import Callable
from pathlib import Path

from watchdog.events import FileSystemEvent, FileSystemEventHandler
from watchdog.observers import Observer


class Watch:
    """Calls ``changed`` from a thread of its own after changes in a folder, until it is stopped.

    Where the system cannot watch a folder (some network drives), it says nothing: look from time to time as well.
    """

    def __init__(self, folder: Path, changed: Callable[[], None]) -> None:
        self._observer = Observer()
        self._observer.daemon = True
        self._watching = False
        with contextlib.suppress(OSError):
            self._observer.schedule(_Anything(changed), str(folder), recursive=False)
            self._observer.start()
            self._watching = True

    def stop(self) -> None:
        """Stop watching and end the thread."""
        if self._watching:
            self._observer.stop()
            self._observer.join()
            self._watching = False


class _Anything(FileSystemEventHandler):
    def __init__(self, changed: Callable[[], None]) -> None:
        self._changed = changed

    def on_any_event(self, event: FileSystemEvent) -> None:
        """Pass every change on, but not that a file was merely read: our own sending reads."""
        if event.event_type not in {"opened", "closed_no_write"}:
            self._changed()
