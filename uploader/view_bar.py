"""Chooses between what is to be sent, was sent and failed, with the box for watching; never shows a file."""

import enum
import tkinter
from collections.abc import Callable
from functools import partial

import ttkbootstrap as ttk

from transfer.language import Language
from uploader.tip import tip


class View(enum.StrEnum):
    """What the page shows."""

    FILES = "files"
    SENT = "sent"
    FAILED = "failed"


class ViewBar(ttk.Frame):
    """Three buttons of which one is pressed, each with its count; at the right the box for sending by itself."""

    def __init__(
        self, parent: tkinter.Misc, language: Language, choose: Callable[[View], None], watch: Callable[[bool], None]
    ) -> None:
        super().__init__(parent)
        self._language = language
        self._chosen = tkinter.StringVar(self, value=View.FILES.value)
        self.buttons: dict[View, ttk.Radiobutton] = {}
        for view in View:
            button = ttk.Radiobutton(
                self,
                value=view.value,
                variable=self._chosen,
                command=partial(choose, view),
                bootstyle="secondary ghost toolbutton",
            )
            button.pack(side="left", padx=(0, 4))
            tip(button, partial(language.say, f"tip.view_{view}"))
            self.buttons[view] = button
        self._watching = tkinter.BooleanVar(self)
        self.watch = ttk.Checkbutton(
            self,
            text=language.say("window.watch"),
            variable=self._watching,
            command=lambda: watch(self._watching.get()),
        )
        self.watch.pack(side="right")
        tip(self.watch, partial(language.say, "tip.watch"))

    @property
    def view(self) -> View:
        """The view that is shown."""
        return View(self._chosen.get())

    def choose(self, view: View) -> None:
        """Press a button without telling anyone."""
        self._chosen.set(view.value)

    def count(self, counts: dict[View, int]) -> None:
        """Write the counts beside the names; none where there is nothing."""
        for view, button in self.buttons.items():
            name = self._language.say(f"view.{view}")
            text = f"{name}\N{EN SPACE}{counts[view]}" if counts.get(view) else name
            if button.cget("text") != text:
                button.configure(text=text)

    def show_watching(self, watching: bool, fixed: bool) -> None:
        """Tick the box or not; ``fixed``: the firm has decided it."""
        self._watching.set(watching)
        self.watch.configure(state="disabled" if fixed else "normal")
