"""The page a client works in, drawn from the desk: folder, list, progress, buttons; never sends anything itself."""

import math
import tkinter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from tkinter import filedialog

import ttkbootstrap as ttk

from transfer.failures import Failure
from transfer.language import Language
from uploader import wording
from uploader.desk import Changes, Desk
from uploader.drop_zone import DropZone
from uploader.events import Finished
from uploader.file_list import FileList
from uploader.notice import Action, Band
from uploader.question import Question, ask
from uploader.rows import Row
from uploader.tip import tip

_PAD = 20
_CANNOT_CONNECT = ("session.login_refused", "session.certificate_refused", "session.fingerprint_differs")


@dataclass(frozen=True)
class Surroundings:
    """What the page needs of the window around it."""

    language: Language
    images: dict[str, tkinter.PhotoImage]
    choose_ini: Callable[[], None]
    copy: Callable[[str], None]


class SendPage(ttk.Frame):
    """Everything below the header."""

    def __init__(self, parent: tkinter.Misc, desk: Desk, around: Surroundings) -> None:
        super().__init__(parent)
        self._desk = desk
        self._around = around
        self._say = around.language.say
        self._out_of_reach = False
        self._band = Band(self)
        self._band.pack(fill="x", padx=_PAD)  # type: ignore[no-untyped-call]
        self._folder_row().pack(fill="x", padx=_PAD, pady=(12, 10))
        self._list = FileList(self, desk.rows, around.language, around.images, self.refresh)  # Tab goes in this order
        self._foot().pack(side="bottom", fill="x", padx=_PAD, pady=(10, 16))
        self._list.pack(fill="both", expand=True, padx=_PAD)  # type: ignore[no-untyped-call]
        self._zone = DropZone(self._list, self.choose_folder)
        self.show_rows()

    def show_rows(self) -> None:
        """Draw the list and all that depends on it."""
        self._list.show()
        if len(self._desk.rows):
            self._zone.place_forget()
        else:
            kind = "no_folder" if self._desk.folder is None else "empty"
            self._zone.say(*(self._say(f"zone.{kind}_{part}") for part in ("title", "hint", "button")))
            self._zone.place(relx=0, rely=0, relwidth=1, relheight=1)
        if self._desk.folder_failure is not None:
            self._tell_failure(self._desk.folder_failure, [(self._say("window.choose_folder"), self.choose_folder)])
        self.refresh()

    def focus_list(self) -> None:
        """Let the keyboard begin in the list."""
        self._list.tree.focus_set()

    def take_in(self, changes: Changes) -> None:
        """Show what a poll of the desk brought."""
        if changes.rows:
            self._list.update_rows(changes.rows)
        if changes.listed:
            self.show_rows()
        if changes.rows and self._out_of_reach:
            self._out_of_reach = False
            self._band.clear()
        if changes.reaching is not None:
            self._out_of_reach = True
            seconds = round(changes.reaching.seconds)
            self._band.say("warning", self._say("band.no_connection", seconds=seconds))
        if changes.finished is not None:
            self._show_end(changes.finished)
        elif changes.rows:
            self.refresh()
        if due := self._desk.due():
            self._begin(due)

    def refresh(self) -> None:
        """Bring buttons, counts and the progress in line with the desk."""
        running, chosen = self._desk.running, self._desk.rows.chosen()
        self._send.configure(state="normal" if chosen and not running else "disabled")
        self._all.configure(state="disabled" if running or not len(self._desk.rows) else "normal")
        self._all_ticked.set(self._desk.rows.all_ticked())
        self._choose.configure(state="disabled" if running or self._folder_locked else "normal")
        self._reload.configure(state="disabled" if running else "normal")
        failed = self._desk.rows.failed()
        for button, shown in ((self._retry, bool(failed) and not running), (self._cancel, running)):
            if shown:
                button.grid()
            else:
                button.grid_remove()
        self._cancel.configure(text=self._say("window.cancel_now" if self._desk.cancels else "window.cancel"))
        self._path.set(str(self._desk.folder or ""))
        if running:
            self._show_progress()
        else:
            self._bar.pack_forget()
            count = sum(row.size for row in chosen)
            text = self._around.language.say_n(
                "window.chosen", len(chosen), size=wording.size(self._around.language, count)
            )
            self._status.configure(text=text if chosen else "")

    def upload(self) -> None:
        """Send the ticked files, after the one question whether it is known that they then go."""
        chosen = self._desk.rows.chosen()
        if chosen and not self._desk.running:
            self._begin(chosen)

    def retry(self) -> None:
        """Send again what failed."""
        if not self._desk.running:
            self._begin(self._desk.rows.failed())

    def cancel(self) -> None:
        """End after the files under way; pressed again, at once."""
        self._desk.cancel()
        self.refresh()

    def look(self) -> None:
        """Look at the folder now."""
        if not self._desk.running:
            self._desk.look()
            self.show_rows()

    def choose_folder(self) -> None:
        """Let the person choose a folder."""
        if self._desk.running or self._folder_locked:
            return
        start = str(self._desk.folder or Path.home())
        chosen = filedialog.askdirectory(
            parent=self, initialdir=start, mustexist=True, title=self._say("window.choose_folder")
        )
        if chosen:
            self.show_folder(Path(chosen))

    def show_folder(self, folder: Path) -> None:
        """Show the files of a folder."""
        self._band.clear()
        self._desk.choose(folder)
        self.show_rows()

    def drop(self, paths: Sequence[Path]) -> None:
        """Take in what was dropped on the window: a folder is chosen, files join the list."""
        if self._desk.running:
            return
        folders = [path for path in paths if path.is_dir()]
        if folders and not self._folder_locked:
            self._desk.choose(folders[0])
        self._desk.add(path for path in paths if path.is_file())
        self.show_rows()

    @property
    def _folder_locked(self) -> bool:
        return "folder" in self._desk.ini.locked

    def _begin(self, rows: list[Row]) -> None:
        if self._desk.must_confirm:
            after = self._desk.ini.after_upload
            words = [self._say(f"ask.{key}") for key in (f"{after}_title", f"{after}_text", "again", "send", "back")]
            agreed, again = ask(self.winfo_toplevel(), Question(*words))
            if not agreed:
                self._desk.rest(math.inf)
                return
            if not again:
                self._desk.confirmed()
        self._band.clear()
        self._desk.start(rows)
        self._list.update_rows(row.path for row in rows)
        self.refresh()

    def _show_progress(self) -> None:
        settled, count, done, total = self._desk.rows.progress()
        self._bar.configure(maximum=max(1, total), value=done)
        self._bar.pack(side="top", fill="x", pady=(0, 8), before=self._line)
        language = self._around.language
        key = "window.cancelling" if self._desk.cancels else "window.progress"
        text = self._say(
            key, done=settled, n=count, sent=wording.size(language, done), total=wording.size(language, total)
        )
        remaining = self._desk.remaining()
        if remaining is not None and not self._desk.cancels:
            text += self._say("window.remaining", time=wording.duration(language, remaining))
        self._status.configure(text=text)

    def _show_end(self, finished: Finished) -> None:
        self.show_rows()
        failures = self._desk.failures
        plural = self._around.language.say_n
        if finished.stopped_by is not None:
            self._tell_failure(finished.stopped_by, self._ways_out(finished.stopped_by))
        elif failures:
            text = self._around.language.failure(failures[0])
            if finished.failed:
                text = plural("band.failed", finished.failed) + " " + text
            self._band.say("danger" if finished.failed else "warning", text, close=self._close())
        elif finished.sent:
            kept = plural(f"band.received_{self._desk.ini.after_upload}", finished.sent)
            self._band.say("success", kept, close=self._close())

    def _ways_out(self, failure: Failure) -> list[Action]:
        actions: list[Action] = [(self._say("window.retry"), self.upload)]
        if failure.code in _CANNOT_CONNECT:
            actions.append((self._say("window.choose_ini"), self._around.choose_ini))
        sentence = self._around.language.failure(failure)
        return [*actions, (self._say("window.copy"), lambda: self._around.copy(sentence))]

    def _tell_failure(self, failure: Failure, actions: Sequence[Action]) -> None:
        self._band.say("danger", self._around.language.failure(failure), actions)

    def _close(self) -> Action:
        return ("✕", self._band.clear)

    def _folder_row(self) -> ttk.Frame:
        row = ttk.Frame(self)
        ttk.Label(row, text=self._say("window.folder")).pack(side="left", padx=(0, 10))
        self._path = tkinter.StringVar(self)
        field = ttk.Entry(row, textvariable=self._path, state="readonly")
        field.pack(side="left", fill="x", expand=True)
        self._choose = ttk.Button(row, text="…", width=3, command=self.choose_folder)
        self._choose.pack(side="left", padx=(8, 0))
        self._reload = ttk.Button(row, icon="arrow-clockwise", icon_only=True, command=self.look)
        self._reload.pack(side="left", padx=(8, 0))
        tip(self._choose, lambda: self._say("tip.choose_folder"))
        tip(self._reload, lambda: self._say("tip.reload"))
        return row

    def _foot(self) -> ttk.Frame:
        foot = ttk.Frame(self)
        self._bar = ttk.Progressbar(foot)
        self._line = ttk.Frame(foot)
        self._line.pack(side="top", fill="x")
        self._all_ticked = tkinter.BooleanVar(self)
        self._all = ttk.Checkbutton(
            self._line, text=self._say("window.all"), variable=self._all_ticked, command=self._tick_all
        )
        self._status = ttk.Label(self._line, style="Quiet.TLabel")
        self._retry = ttk.Button(self._line, text=self._say("window.retry_failed"), command=self.retry)
        self._cancel = ttk.Button(self._line, command=self.cancel)
        self._send = ttk.Button(self._line, text=self._say("window.send"), bootstyle="primary", command=self.upload)
        self._line.columnconfigure(1, weight=1)  # where room is short, the words give way and not the buttons
        self._all.grid(row=0, column=0)
        self._status.grid(row=0, column=1, sticky="w", padx=16)
        for column, button in enumerate((self._retry, self._cancel, self._send), start=2):
            button.grid(row=0, column=column, padx=(8, 0))
        after = self._desk.ini.after_upload
        tip(self._all, lambda: self._say("tip.all"))
        tip(self._send, lambda: self._say(f"tip.send_{after}"))
        tip(self._cancel, lambda: self._say("tip.cancel_now" if self._desk.cancels else "tip.cancel"))
        tip(self._retry, lambda: self._say("tip.retry"))
        return foot

    def _tick_all(self) -> None:
        self._desk.rows.tick_all(self._all_ticked.get())
        self._list.show()
        self.refresh()
