"""A list with headed columns and a scroll bar that shows itself when it is needed; never holds what it lists."""

import tkinter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Literal

import ttkbootstrap as ttk

from transfer.language import Language


@dataclass(frozen=True)
class Column:
    """A column: its name for Tk, the key of its title, its width on a 96 dpi screen, and how it is set."""

    name: str
    title: str
    width: int
    right: bool = False
    stretches: bool = False


def table(
    parent: tkinter.Misc,
    columns: Sequence[Column],
    language: Language,
    selects: Literal["extended", "browse"],
    pressed: Callable[[str], None],
) -> ttk.Treeview:
    """Put a table into ``parent``; ``pressed`` gets the name of a column whose heading was clicked."""
    tree = ttk.Treeview(parent, columns=[column.name for column in columns if column.name != "#0"], selectmode=selects)
    scale = tree.tk.call("tk", "scaling") / (96 / 72)
    for column in columns:
        side: Literal["e", "w"] = "e" if column.right else "w"
        width, least = round(column.width * scale), round(60 * scale) if not column.stretches else round(150 * scale)
        tree.heading(column.name, text=language.say(column.title), anchor=side, command=partial(pressed, column.name))
        tree.column(column.name, width=width, minwidth=least, anchor=side, stretch=column.stretches)
    tree.bind("<Configure>", partial(_stretch, tree, columns), add="+")
    bar = ttk.Scrollbar(parent, orient="vertical", command=tree.yview, bootstyle="round")
    tree.configure(yscrollcommand=partial(_on_scroll, bar))
    tree.pack(side="left", fill="both", expand=True)
    return tree


def _on_scroll(bar: ttk.Scrollbar, first: float, last: float) -> None:
    """Show the scroll bar only while there is something to scroll."""
    bar.set(first, last)
    needed = float(first) > 0 or float(last) < 1
    if needed and not bar.winfo_manager():
        bar.pack(side="right", fill="y")
    elif not needed:
        bar.pack_forget()


def _stretch(tree: ttk.Treeview, columns: Sequence[Column], event: "tkinter.Event[tkinter.Misc]") -> None:
    """Give the stretching column what the others leave: by itself a table only does so once it is wide enough."""
    for column in columns:
        if column.stretches:
            others = sum(int(tree.column(other.name, "width")) for other in columns if other is not column)
            width = max(int(tree.column(column.name, "minwidth")), event.width - others - 4)
            if width < int(tree.column(column.name, "width")):
                tree.column(column.name, width=width)
