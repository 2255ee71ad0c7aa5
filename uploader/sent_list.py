"""The list of what was sent, with the receipt of each document; never changes what it lists."""

import tkinter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import ttkbootstrap as ttk

from transfer.failures import Failure
from uploader import receipt_words, wording
from uploader.events import Fate
from uploader.fitting import Fitting
from uploader.sent_file import SentFile
from uploader.surroundings import Surroundings
from uploader.table import Column, table
from uploader.tip import tip

_COLUMNS = (
    Column("#0", "window.name", 330, stretches=True),
    Column("size", "window.size", 90, right=True),
    Column("date", "window.sent_at", 160),
    Column("state", "window.at_firm", 240),
)
_AT_ONCE = 300


@dataclass(frozen=True)
class SentPresses:
    """What the buttons below the list do."""

    put_back: Callable[[SentFile], None]
    ask_again: Callable[[], None]


class SentList(ttk.Frame):
    """Newest first; below it the words of the selected document's receipt, and what can be done with it."""

    def __init__(self, parent: tkinter.Misc, around: Surroundings, presses: SentPresses) -> None:
        super().__init__(parent)
        language = self._language = around.language
        self._images = around.images
        self._copied = around.copy
        self._presses = presses
        self._lines: dict[str, SentFile] = {}
        self._later: list[SentFile] = []
        foot = self._foot()
        listed = ttk.Frame(self)
        self.tree = table(listed, _COLUMNS, language, "browse", lambda _: None)
        self.tree.tag_configure("collected", foreground=around.palette.good)
        self._names = Fitting(self.tree, around.images["done"].width())
        self.tree.bind("<<TreeviewSelect>>", lambda _: self._show_receipt())
        self.tree.bind("<Configure>", self._on_width, add="+")
        self._nothing = ttk.Label(listed, style="Quiet.TLabel", text=language.say("sent.nothing"), justify="center")
        listed.lower()  # Tab goes through the list first
        foot.pack(side="bottom", fill="x", pady=(10, 0))
        listed.pack(fill="both", expand=True)

    def show(self, lines: list[SentFile]) -> None:
        """List these documents, and stay at the one that is selected."""
        at = self.line()
        self.tree.delete(*self.tree.get_children())
        self._lines.clear()
        self._later = lines[::-1]
        self._make_more()
        number = f"sent{at.number}" if at else ""
        chosen = number if number in self._lines else next(iter(self._lines), "")
        if chosen:
            self.tree.focus(chosen)
            self.tree.selection_set(chosen)
            self._nothing.place_forget()
        else:
            self._nothing.place(relx=0.5, rely=0.5, anchor="center")
            self._nothing.lift()
        self._show_receipt()

    def tell(self, asking: bool, failure: Failure | None) -> None:
        """Say that the server is being asked, or why it could not be."""
        say = self._language
        text = say.say("sent.asking") if asking else say.failure(failure) if failure else ""
        self._asked.configure(text=text)
        self.again.configure(state="disabled" if asking else "normal")

    def line(self) -> SentFile | None:
        """Return the document the person is at."""
        return self._lines.get(self.tree.focus())

    def _make_more(self) -> None:
        if not self.winfo_exists():
            return
        for _ in range(min(_AT_ONCE, len(self._later))):
            line = self._later.pop()
            key = f"sent{line.number}"
            self._lines[key] = line
            moment = int(line.sent_at.timestamp() * 1e9)
            self.tree.insert(
                "",
                "end",
                iid=key,
                text=self._names.fitted(Path(line.path).name),
                image=self._images["done"],
                values=(
                    wording.size(self._language, line.size),
                    wording.date(self._language, moment),
                    receipt_words.short(self._language, line),
                ),
                tags=("collected",) if line.collected_at else (),
            )
        if self._later:
            self.after(1, self._make_more)

    def _on_width(self, _: object) -> None:
        if self._names.measure():
            for key, line in self._lines.items():
                self.tree.item(key, text=self._names.fitted(Path(line.path).name))

    def _show_receipt(self) -> None:
        line = self.line()
        self._receipt.configure(text=receipt_words.full(self._language, line) if line else "")
        kept = line is not None and line.fate is Fate.KEPT
        self.back.configure(state="normal" if kept else "disabled")
        self.copy.configure(state="normal" if line else "disabled")

    def _foot(self) -> ttk.Frame:
        say = self._language.say
        foot = ttk.Frame(self)
        self._receipt = ttk.Label(foot, justify="left")
        self._receipt.pack(side="top", fill="x", pady=(0, 10))
        self._receipt.bind("<Configure>", lambda event: self._receipt.configure(wraplength=event.width))
        line = ttk.Frame(foot)
        line.pack(side="top", fill="x")
        self._asked = ttk.Label(line, style="Quiet.TLabel")
        self.back = ttk.Button(line, text=say("window.put_back"), command=lambda: self._on_line(self._presses.put_back))
        self.copy = ttk.Button(line, text=say("window.copy_receipt"), command=lambda: self._on_line(self._copy))
        self.again = ttk.Button(line, text=say("window.ask_again"), command=self._presses.ask_again)
        self._asked.pack(side="left", fill="x", expand=True)
        for button in (self.back, self.copy, self.again):
            button.pack(side="left", padx=(8, 0))
        for key, widget in (("put_back", self.back), ("copy_receipt", self.copy), ("ask_again", self.again)):
            tip(widget, lambda key=key: say(f"tip.{key}"))  # type: ignore[misc]
        return foot

    def _copy(self, line: SentFile) -> None:
        self._copied(receipt_words.copied(self._language, line))

    def _on_line(self, act: Callable[[SentFile], None]) -> None:
        if (line := self.line()) is not None:
            act(line)
