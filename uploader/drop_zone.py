"""The inviting empty place of the list, with its dashed edge; never receives a drop itself: the whole window does."""

import tkinter
from collections.abc import Callable

import ttkbootstrap as ttk

_GROUND, _EDGE, _INK = "#f8f9fb", "#b6bfca", "#6b7684"


class DropZone(tkinter.Canvas):
    """A title, a hint and a button in the middle of a dashed frame."""

    def __init__(self, parent: tkinter.Misc, choose: Callable[[], None]) -> None:
        super().__init__(parent, background=_GROUND, highlightthickness=0)
        self._inside = tkinter.Frame(self, background=_GROUND)
        self._title = tkinter.Label(self._inside, background=_GROUND, font="Zone", justify="center")
        self._hint = tkinter.Label(self._inside, background=_GROUND, foreground=_INK, justify="center")
        self._button = ttk.Button(self._inside, command=choose)
        self._arrow = tkinter.Canvas(self._inside, width=44, height=44, background=_GROUND, highlightthickness=0)
        self._arrow.create_line(22, 30, 22, 6, width=3, fill=_EDGE, arrow="last", arrowshape=(12, 13, 7))
        self._arrow.create_line([4, 28, 4, 40, 40, 40, 40, 28], width=3, fill=_EDGE, joinstyle="round")
        for widget, space in ((self._arrow, 14), (self._title, 6), (self._hint, 18), (self._button, 0)):
            widget.pack(pady=(0, space))
        self.bind("<Configure>", self._draw)

    def say(self, title: str, hint: str, button: str) -> None:
        """Change the words."""
        self._title.configure(text=title)
        self._hint.configure(text=hint)
        self._button.configure(text=button)

    def _draw(self, event: "tkinter.Event[tkinter.Canvas]") -> None:
        self.delete("all")
        edge = 6
        self.create_rectangle(edge, edge, event.width - edge, event.height - edge, outline=_EDGE, dash=(6, 5), width=2)
        self._hint.configure(wraplength=max(200, event.width - 120))
        self.create_window(event.width // 2, event.height // 2, window=self._inside)
