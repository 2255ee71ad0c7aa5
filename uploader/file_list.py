"""The list of files with its tick boxes, for mouse and keyboard; never decides which files are ticked at first."""

import tkinter
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from tkinter import font
from typing import Any, Literal

import ttkbootstrap as ttk

from transfer.language import Language
from uploader import wording
from uploader.rows import Row, Rows, State

_COLUMNS = ("size", "date", "state")
_GREYED = frozenset({State.WRITING, State.SENT_BEFORE})
_COLOURS = {"greyed": "#5c6670", "received": "#4b555f", "failed": "#b02a37", "pausing": "#7a5b00"}

_BY: dict[str, Callable[[Row], Any]] = {
    "#0": lambda row: row.path.name.casefold(),
    "size": lambda row: row.size,
    "date": lambda row: row.mtime_ns,
    "state": lambda row: list(State).index(row.state),
}


class FileList(ttk.Frame):
    """Shows :class:`Rows`; calls ``changed`` after each tick. Space ticks the selected rows, Ctrl+A selects all."""

    def __init__(
        self,
        parent: tkinter.Misc,
        rows: Rows,
        language: Language,
        images: dict[str, tkinter.PhotoImage],
        changed: Callable[[], None],
    ) -> None:
        super().__init__(parent)
        self._rows = rows
        self._language = language
        self._images = images
        self._changed = changed
        self._order, self._reverse = "#0", False
        self._keys: dict[Path, str] = {}
        self._by_key: dict[str, Row] = {}
        self._made = 0
        self._font = font.nametofont("TkDefaultFont")
        self._letter = self._font.measure("M")
        self._margin = images["none"].width() + self._font.measure("n") * 4
        self._width = 0
        self.tree = self._tree()
        self.tree.bind("<Configure>", self._on_width, add="+")
        self.tree.bind("<ButtonRelease-1>", self._on_width, add="+")
        self.tree.bind("<Button-1>", self._on_click)
        self.tree.bind("<space>", self._on_space)
        self.tree.bind("<Control-a>", self._on_select_all)

    def show(self) -> None:
        """Bring the whole list in line with the rows, in the chosen order."""
        rows = sorted(self._rows, key=_BY["#0"])
        rows.sort(key=_BY[self._order], reverse=self._reverse)
        present = {row.path for row in rows}
        gone = [path for path in self._keys if path not in present]
        for path in gone:
            del self._by_key[self._keys[path]]
        self.tree.delete(*(self._keys.pop(path) for path in gone))
        for place, row in enumerate(rows):
            if row.path in self._keys:
                self.tree.move(self._keys[row.path], "", place)
                self._by_key[self._keys[row.path]] = row
            else:
                self._made += 1
                self._keys[row.path] = self.tree.insert("", place, iid=f"file{self._made}")
                self._by_key[f"file{self._made}"] = row
            self._paint(row)
        if rows and not self.tree.focus():
            self.tree.focus(self._keys[rows[0].path])
            self.tree.selection_set(self._keys[rows[0].path])

    def update_rows(self, paths: Iterable[Path]) -> None:
        """Paint anew the rows of some files."""
        for path in paths:
            if path in self._keys:
                self._paint(self._by_key[self._keys[path]])

    def _tree(self) -> ttk.Treeview:
        tree = ttk.Treeview(self, columns=_COLUMNS, selectmode="extended")
        scale = tree.tk.call("tk", "scaling") / (96 / 72)
        widths = {"#0": 330, "size": 90, "date": 168, "state": 228}
        for column, width in widths.items():
            side: Literal["e", "w"] = "e" if column == "size" else "w"
            tree.heading(column, anchor=side, command=partial(self._sort, column))
            stretches = column == "#0"
            tree.column(column, width=round(width * scale), minwidth=round(60 * scale), anchor=side, stretch=stretches)
        self._name_headings(tree)
        for tag, colour in _COLOURS.items():
            tree.tag_configure(tag, foreground=colour)
        bar = ttk.Scrollbar(self, orient="vertical", command=tree.yview, bootstyle="round")
        tree.configure(yscrollcommand=partial(self._on_scroll, bar))
        tree.pack(side="left", fill="both", expand=True)
        return tree

    @staticmethod
    def _on_scroll(bar: ttk.Scrollbar, first: float, last: float) -> None:
        """Show the scroll bar only while there is something to scroll."""
        bar.set(first, last)
        needed = float(first) > 0 or float(last) < 1
        if needed and not bar.winfo_manager():
            bar.pack(side="right", fill="y")
        elif not needed:
            bar.pack_forget()

    def _name_headings(self, tree: ttk.Treeview) -> None:
        keys = {"#0": "window.name", "size": "window.size", "date": "window.date", "state": "window.state"}
        for column, key in keys.items():
            arrow = (" ▾" if self._reverse else " ▴") if column == self._order else ""
            tree.heading(column, text=self._language.say(key) + arrow)

    def _paint(self, row: Row) -> None:
        image = "ticked" if row.ticked else "unticked"
        if not row.tickable:
            image = "done" if row.state is State.RECEIVED else "none"
        look = row.state.value if row.failure is None else "failed"
        say = self._language
        self.tree.item(
            self._keys[row.path],
            text=self._fitting(row.path.name),
            image=self._images[image],
            values=(wording.size(say, row.size), wording.date(say, row.mtime_ns), wording.state(say, row)),
            tags=("greyed" if row.state in _GREYED else look,),
        )

    def _fitting(self, name: str) -> str:
        """Return a name with its middle left out where the column is too narrow, so that its end can be read."""
        room = self.tree.column("#0", "width") - self._margin
        if len(name) * self._letter < room or self._font.measure(name) <= room:
            return name
        kept = len(name) - 1
        while kept > 8 and self._font.measure(_shortened(name, kept)) > room:
            kept -= 1
        return _shortened(name, kept)

    def _on_width(self, _: object) -> None:
        if (width := self.tree.column("#0", "width")) != self._width:
            self._width = width
            self.update_rows(list(self._keys))

    def _sort(self, column: str) -> None:
        self._reverse = not self._reverse if column == self._order else column in {"size", "date"}
        self._order = column
        self._name_headings(self.tree)
        self.show()

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


def _shortened(name: str, kept: int) -> str:
    tail = min(kept // 2, 12)
    return f"{name[: kept - tail]}…{name[-tail:]}"
