"""Finds what a test left behind: threads, processes, open sockets and files, temporary files; never ends any of it."""

import contextlib
import gc
import os
import tempfile
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

from processes import descriptors, marked


@dataclass
class Leftovers:
    """What is there at one moment, each by what identifies it, with words for a person."""

    threads: dict[int, str] = field(default_factory=dict)
    processes: dict[int, str] = field(default_factory=dict)
    descriptors: dict[int, str] = field(default_factory=dict)
    files: dict[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        kinds = vars(self).items()
        return "; ".join(f"{kind}: {', '.join(map(str, there.values()))}" for kind, there in kinds if there)

    def beyond(self, before: "Leftovers") -> "Leftovers":
        """Return what is here and was not there before."""
        return Leftovers(
            **{
                kind: {key: words for key, words in there.items() if vars(before)[kind].get(key) != words}
                for kind, there in vars(self).items()
            }
        )


def present() -> Leftovers:
    """Return all that is there now."""
    folder = tempfile.gettempdir()
    with contextlib.suppress(FileNotFoundError):
        return Leftovers(
            threads={thread.ident or 0: thread.name for thread in threading.enumerate()},
            processes=marked(),
            descriptors=descriptors(),
            files={entry: str(Path(folder, entry)) for entry in os.listdir(folder)},
        )
    raise AssertionError(f"the folder for temporary files is gone: {folder}")


def left_since(before: Leftovers, patience: float = 3.0) -> Leftovers:
    """Return what was not there ``before`` and does not go within ``patience`` seconds."""
    end = time.monotonic() + patience
    pause = threading.Event()
    while str(left := present().beyond(before)) and time.monotonic() < end:
        gc.collect()
        pause.wait(0.05)
    return left
