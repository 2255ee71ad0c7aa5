"""Shortens names in their middle where a list's first column is too narrow; never so that their end is lost."""

from tkinter import font
from typing import Any


class Fitting:
    """Knows how wide the first column of ``tree`` and each name are; ``beside`` are the pixels of a row's image."""

    def __init__(self, tree: Any, beside: int) -> None:
        self._tree = tree
        self._font = font.nametofont("TkDefaultFont")
        self._margin = beside + self._font.measure("n") * 4
        self._widths: dict[str, int] = {}
        self._room = 0
        self.measure()

    def measure(self) -> bool:
        """Look how wide the column is now; tell whether that changed."""
        room = self._tree.column("#0", "width") - self._margin
        changed, self._room = room != self._room, room
        return bool(changed)

    def fitted(self, name: str) -> str:
        """Return a name as it can be shown."""
        if self._width(name) <= self._room:
            return name
        shortest, longest = 8, len(name) - 1
        while shortest < longest:
            middle = (shortest + longest + 1) // 2
            if self._font.measure(_shortened(name, middle)) <= self._room:
                shortest = middle
            else:
                longest = middle - 1
        return _shortened(name, shortest)

    def _width(self, name: str) -> int:
        if name not in self._widths:
            self._widths[name] = self._font.measure(name)
        return self._widths[name]


def _shortened(name: str, kept: int) -> str:
    tail = min(kept // 2, 12)
    return f"{name[: kept - tail]}…{name[-tail:]}"
