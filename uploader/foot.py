"""The foot of the page: tick all, what is chosen or how far it is, and the buttons; never decides what they do."""

import tkinter
from collections.abc import Callable
from dataclasses import dataclass

import ttkbootstrap as ttk

from transfer.client_ini import AfterUpload
from transfer.language import Language
from uploader import wording
from uploader.tip import tip


@dataclass(frozen=True)
class Presses:
    """What the foot's buttons do."""

    tick_all: Callable[[bool], None]
    retry: Callable[[], None]
    cancel: Callable[[], None]
    send: Callable[[], None]


@dataclass(frozen=True)
class Progress:
    """How far an upload is: files and bytes, bytes per second and seconds left if they can be told."""

    settled: int
    count: int
    done: int
    total: int
    rate: float | None
    remaining: float | None
    cancels: int


class Foot(ttk.Frame):
    """Two faces: before an upload, and while one runs."""

    def __init__(self, parent: tkinter.Misc, language: Language, after: AfterUpload, presses: Presses) -> None:
        super().__init__(parent)
        self._language = language
        self._cancels = 0
        say = language.say
        self._bar = ttk.Progressbar(self)
        self._line = ttk.Frame(self)
        self._line.pack(side="top", fill="x")
        self._all_ticked = tkinter.BooleanVar(self)
        self.all = ttk.Checkbutton(
            self._line,
            text=say("window.all"),
            variable=self._all_ticked,
            command=lambda: presses.tick_all(self._all_ticked.get()),
        )
        self._status = ttk.Label(self._line, style="Quiet.TLabel")
        self.retry = ttk.Button(self._line, text=say("window.retry_failed"), command=presses.retry)
        self.cancel = ttk.Button(self._line, text=say("window.cancel"), command=presses.cancel)
        self.upload = ttk.Button(self._line, text=say("window.send"), bootstyle="primary", command=presses.send)
        self._line.columnconfigure(1, weight=1)  # where room is short, the words give way and not the buttons
        self.all.grid(row=0, column=0)
        self._status.grid(row=0, column=1, sticky="w", padx=16)
        buttons: list[ttk.Button] = [self.retry, self.cancel, self.upload]
        for column, button in enumerate(buttons, start=2):
            button.grid(row=0, column=column, padx=(8, 0))
        tip(self.all, lambda: say("tip.all"))
        tip(self.upload, lambda: say(f"tip.send_{after}"))
        tip(self.cancel, lambda: say("tip.cancel_now" if self._cancels else "tip.cancel"))
        tip(self.retry, lambda: say("tip.retry"))

    def show_choice(self, sizes: list[int], failed: int, tickable: bool, all_ticked: bool) -> None:
        """Show what would be sent: the sizes of the ticked files, and how many failed before."""
        self._bar.pack_forget()
        self._place(self.retry, failed > 0)
        self._place(self.cancel, False)
        self.upload.configure(state="normal" if sizes else "disabled")
        self.all.configure(state="normal" if tickable else "disabled")
        self._all_ticked.set(all_ticked)
        size = wording.size(self._language, sum(sizes))
        self._status.configure(text=self._language.say_n("window.chosen", len(sizes), size=size) if sizes else "")

    def show_progress(self, now: Progress) -> None:
        """Show how far the upload is."""
        say, language = self._language.say, self._language
        self._cancels = now.cancels
        self._place(self.retry, False)
        self._place(self.cancel, True)
        self.cancel.configure(text=say("window.cancel_now" if now.cancels else "window.cancel"))
        self.upload.configure(state="disabled")
        self.all.configure(state="disabled")
        self._bar.configure(maximum=max(1, now.total), value=now.done)
        self._bar.pack(side="top", fill="x", pady=(0, 8), before=self._line)
        text = say(
            "window.cancelling" if now.cancels else "window.progress",
            done=now.settled,
            n=now.count,
            sent=wording.size(language, now.done),
            total=wording.size(language, now.total),
        )
        if now.rate is not None and not now.cancels:
            text += say("window.rate", rate=wording.size(language, round(now.rate)))
        if now.remaining is not None and not now.cancels:
            text += say("window.remaining", time=wording.duration(language, now.remaining))
        self._status.configure(text=text)

    @staticmethod
    def _place(button: ttk.Button, shown: bool) -> None:
        if shown:
            button.grid()
        else:
            button.grid_remove()
