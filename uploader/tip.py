"""Tooltips for the mouse and the keyboard alike, kept on the screen; never the only place that says a thing."""

import contextlib
import tkinter
from collections.abc import Callable
from typing import Any

from tktooltip import ToolTip

_DELAY_MS = 500
_GAP = 6


def tip(widget: tkinter.Widget, say: Callable[[], str]) -> None:
    """Show what ``say`` returns when the mouse rests on a widget or the keyboard reaches it."""
    _Tip(widget, say)


class _Tip(ToolTip):
    """tkinter-tooltip with keyboard focus, the screen's edges, calm colours, and an end together with its widget."""

    def __init__(self, widget: tkinter.Widget, say: Callable[[], str]) -> None:
        self._pending: str | None = None
        super().__init__(
            widget,
            msg=say,
            follow=False,
            parent_kwargs={"bg": "#343a40", "padx": 1, "pady": 1},
            fg="#ffffff",
            bg="#343a40",
            padx=8,
            pady=4,
            width=320,
        )
        self.message_widget.configure(width=320)
        widget.bind("<FocusIn>", self._on_focus, add="+")
        widget.bind("<FocusOut>", self.on_leave, add="+")
        widget.bind("<KeyPress>", self.on_leave, add="+")
        widget.bind("<Destroy>", lambda _: self.destroy(), add="+")

    def on_enter(self, _: Any = None) -> None:
        """Appear after a moment."""
        self.on_leave()
        self._pending = self.after(_DELAY_MS, self._appear)

    def on_leave(self, _: Any = None) -> None:
        """Go, or do not come at all."""
        if self._pending is not None:
            self.after_cancel(self._pending)
            self._pending = None
        self.withdraw()

    def destroy(self) -> None:
        """End with the widget; its last events may come twice."""
        with contextlib.suppress(tkinter.TclError):
            self.on_leave()
            super().destroy()

    def _on_focus(self, _: Any) -> None:
        x, y = self.widget.winfo_pointerxy()
        if self.widget.winfo_containing(x, y) is not self.widget:  # a click brings focus too, and needs no tip
            self.on_enter()

    def _appear(self) -> None:
        self._pending = None
        self._update_message()
        self.update_idletasks()
        width, height = self.winfo_reqwidth(), self.winfo_reqheight()
        x = min(self.widget.winfo_rootx(), self.winfo_screenwidth() - width - _GAP)
        y = self.widget.winfo_rooty() + self.widget.winfo_height() + _GAP
        if y + height > self.winfo_screenheight():
            y = self.widget.winfo_rooty() - height - _GAP
        self.geometry(f"+{max(_GAP, x)}+{max(_GAP, y)}")
        self.deiconify()
        self.lift()
