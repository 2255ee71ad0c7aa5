"""The inviting empty place of the list, with its dashed edge; never receives a drop itself: the whole window does."""

import tkinter
from collections.abc import Callable

import ttkbootstrap as ttk

from uploader.appearance import Palette


class DropZone(tkinter.Canvas):
    """A title, a hint and a button in the middle of a dashed frame."""

    def __init__(self, parent: tkinter.Misc, palette: Palette, choose: Callable[[], None]) -> None:
        ground, edge = palette.zone, palette.zone_edge
        super().__init__(parent, background=ground, highlightthickness=0)
        self._edge = edge
        self._inside = tkinter.Frame(self, background=ground)
        self._title = tkinter.Label(
            self._inside, background=ground, foreground=palette.zone_ink, font="Zone", justify="center"
        )
        self._hint = tkinter.Label(self._inside, background=ground, foreground=palette.quiet, justify="center")
        self._button = ttk.Button(self._inside, command=choose)
        self._arrow = tkinter.Canvas(self._inside, width=44, height=44, background=ground, highlightthickness=0)
        self._arrow.create_line(22, 30, 22, 6, width=3, fill=edge, arrow="last", arrowshape=(12, 13, 7))
        self._arrow.create_line([4, 28, 4, 40, 40, 40, 40, 28], width=3, fill=edge, joinstyle="round")
        for widget, space in ((self._arrow, 14), (self._title, 6), (self._hint, 18), (self._button, 0)):
            widget.pack(pady=(0, space))
        self.bind("<Configure>", self._draw)

    def say(self, title: str, hint: str, button: str) -> None:
        """Change the words."""
        self._title.configure(text=title)
        self._hint.configure(text=hint)
        self._button.configure(text=button)
        if button:
            self._button.pack()
        else:
            self._button.pack_forget()

    def _draw(self, event: "tkinter.Event[tkinter.Canvas]") -> None:
        self.delete("all")
        gap = 6
        self.create_rectangle(gap, gap, event.width - gap, event.height - gap, outline=self._edge, dash=(6, 5), width=2)
        self._hint.configure(wraplength=max(200, event.width - 120))
        self.create_window(event.width // 2, event.height // 2, window=self._inside)
