"""The list of files with its tick boxes, for mouse and keyboard; never decides which files are ticked at first."""

import tkinter
from collections import deque
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import ttkbootstrap as ttk

from uploader import wording
from uploader.fitting import Fitting
from uploader.rows import Row, Rows, State
from uploader.surroundings import Surroundings
from uploader.table import Column, table

_COLUMNS = (
    Column("#0", "window.name", 330, stretches=True),
    Column("size", "window.size", 90, right=True),
    Column("date", "window.date", 160),
    Column("state", "window.state", 240),
)
_GREYED = frozenset({State.WRITING, State.SENT_BEFORE})
_AT_ONCE = 300
"""Rows made before the window may draw and answer again: about twenty milliseconds."""

_BY: dict[str, Callable[[Row], Any]] = {
    "#0": lambda row: row.path.name.casefold(),
    "size": lambda row: row.size,
    "date": lambda row: row.mtime_ns,
    "state": lambda row: list(State).index(row.state),
}


class FileList(ttk.Frame):
    """Shows :class:`Rows`; calls ``changed`` after each tick, and ``selected`` with the row the person is at.

    Space ticks the selected rows, Ctrl+A selects all.
    """

    def __init__(
        self,
        parent: tkinter.Misc,
        rows: Rows,
        around: Surroundings,
        changed: Callable[[], None],
        selected: Callable[[], None],
    ) -> None:
        super().__init__(parent)
        self.only: Callable[[Row], bool] = lambda _: True
        """Which rows are shown."""
        self._rows = rows
        self._language = around.language
        self._images = around.images
        self._changed = changed
        self._order, self._reverse = "#0", False
        self._keys: dict[Path, str] = {}
        self._by_key: dict[str, Row] = {}
        self._painted: dict[str, tuple[object, ...]] = {}
        self._waiting: deque[Row] = deque()
        self._wanted: list[Path] = []
        self._made = 0
        self.tree = table(self, _COLUMNS, around.language, "extended", self._sort)
        for tag, colour in around.palette.rows.items():
            self.tree.tag_configure(tag, foreground=colour)
        self._names = Fitting(self.tree, around.images["none"].width())
        self.tree.bind("<Configure>", self._on_width, add="+")
        self.tree.bind("<ButtonRelease-1>", self._on_width, add="+")
        self.tree.bind("<Button-1>", self._on_click)
        self.tree.bind("<space>", self._on_space)
        self.tree.bind("<Control-a>", self._on_select_all)
        self.tree.bind("<<TreeviewSelect>>", lambda _: selected())
        self._mark_order()

    def show(self) -> None:
        """Bring the whole list in line with the rows, in the chosen order; of many, the last come a little later."""
        rows = sorted(filter(self.only, self._rows), key=_BY["#0"])
        rows.sort(key=_BY[self._order], reverse=self._reverse)
        self._wanted = [row.path for row in rows]
        wanted = set(self._wanted)
        gone = [path for path in self._keys if path not in wanted]
        for path in gone:
            del self._by_key[self._keys[path]], self._painted[self._keys[path]]
        self.tree.delete(*(self._keys.pop(path) for path in gone))
        self._waiting.clear()
        for row in rows:
            if (key := self._keys.get(row.path)) is None:
                self._waiting.append(row)
            else:
                self._by_key[key] = row
                self._paint(row)
        self._make_more()

    def row(self) -> Row | None:
        """Return the row the person is at."""
        return self._by_key.get(self.tree.focus())

    def bring_up(self, path: Path) -> None:
        """Scroll to a file."""
        if path in self._keys:
            self.tree.see(self._keys[path])

    def update_rows(self, paths: Iterable[Path]) -> None:
        """Paint anew the rows of some files."""
        for path in paths:
            if path in self._keys:
                self._paint(self._by_key[self._keys[path]])

    def _make_more(self) -> None:
        for _ in range(min(_AT_ONCE, len(self._waiting))):
            row = self._waiting.popleft()
            self._made += 1
            key = f"file{self._made}"
            self._keys[row.path], self._by_key[key], self._painted[key] = key, row, self._look(row)
            text, image, values, tag = self._painted[key]
            self.tree.insert("", "end", iid=key, text=text, image=image, values=values, tags=(tag,))  # type: ignore[arg-type]
        if self._waiting:
            self.after(1, self._make_more_if_alive)
            return
        order = tuple(self._keys[path] for path in self._wanted)
        if order != self.tree.get_children():
            self.tree.set_children("", *order)
        if order and self.tree.focus() not in self._by_key:
            self.tree.focus(order[0])
            self.tree.selection_set(order[0])

    def _make_more_if_alive(self) -> None:
        if self.winfo_exists() and self._waiting:
            self._make_more()

    def _look(self, row: Row) -> tuple[object, ...]:
        """Return name, image, other columns and tag of a row as it is now."""
        image = "ticked" if row.ticked else "unticked"
        if not row.tickable:
            image = "done" if row.state is State.RECEIVED else "none"
        tag = row.state.value if row.failure is None else "failed"
        say = self._language
        return (
            self._names.fitted(row.path.name),
            self._images[image],
            (wording.size(say, row.size), wording.date(say, row.mtime_ns), wording.state(say, row)),
            "greyed" if row.state in _GREYED else tag,
        )

    def _paint(self, row: Row) -> None:
        key, look = self._keys[row.path], self._look(row)
        if look != self._painted[key]:
            self._painted[key] = look
            text, image, values, tag = look
            self.tree.item(key, text=text, image=image, values=values, tags=(tag,))  # type: ignore[call-overload]

    def _on_width(self, _: object) -> None:
        if self._names.measure():
            self.update_rows(list(self._keys))

    def _sort(self, column: str) -> None:
        self._reverse = not self._reverse if column == self._order else column in {"size", "date"}
        self._order = column
        self._mark_order()
        self.show()

    def _mark_order(self) -> None:
        for column in _COLUMNS:
            arrow = (" ▾" if self._reverse else " ▴") if column.name == self._order else ""
            self.tree.heading(column.name, text=self._language.say(column.title) + arrow)

    def _on_click(self, event: "tkinter.Event[ttk.Treeview]") -> str | None:
        key = self.tree.identify_row(event.y)
        if not key or "image" not in str(self.tree.identify_element(event.x, event.y)):
            return None
        self.tree.focus_set()
        self.tree.focus(key)
        self.tree.selection_set(key)
        self._toggle([key])
        return "break"

    def _on_space(self, _: object) -> str:
        keys = self.tree.selection() or ((self.tree.focus(),) if self.tree.focus() else ())
        self._toggle(list(keys))
        return "break"

    def _toggle(self, keys: list[str]) -> None:
        """Turn the first row's tick over, and give the others what it has then."""
        rows = [self._by_key[key] for key in keys if self._by_key[key].tickable]
        for row in rows:
            if row is rows[0] or row.ticked != rows[0].ticked:
                self._rows.toggle(row.path)
        self.update_rows(row.path for row in rows)
        self._changed()

    def _on_select_all(self, _: object) -> str:
        self.tree.selection_set(self.tree.get_children())
        return "break"
