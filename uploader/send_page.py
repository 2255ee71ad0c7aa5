"""The page a client works in, drawn from the desk: folder, views, list, foot; never sends anything itself."""

import math
import tkinter
from collections.abc import Sequence
from pathlib import Path
from tkinter import filedialog

import ttkbootstrap as ttk

from transfer.failures import Failure
from uploader.desk import Changes, Desk
from uploader.drop_zone import DropZone
from uploader.events import Finished
from uploader.file_list import FileList
from uploader.foot import Foot, Presses, Progress
from uploader.mnemonics import Mnemonics, Pressable
from uploader.notice import Action, Band
from uploader.question import Question, ask
from uploader.rows import Row, State
from uploader.sent_file import SentFile
from uploader.sent_list import SentList, SentPresses
from uploader.surroundings import Surroundings
from uploader.tip import tip
from uploader.view_bar import View, ViewBar

_PAD = 20
_CANNOT_CONNECT = ("session.login_refused", "session.certificate_refused", "session.fingerprint_differs")
_CHOOSABLE = frozenset({"no_folder", "empty"})
_FAILED = frozenset({State.FAILED})


class SendPage(ttk.Frame):
    """Everything below the header."""

    def __init__(self, parent: tkinter.Misc, desk: Desk, around: Surroundings) -> None:
        super().__init__(parent)
        self._desk = desk
        self._around = around
        self._say = around.language.say
        self._out_of_reach = False
        self._just_begun = False
        language, palette = around.language, around.palette
        self._band = Band(self, palette)
        self._band.pack(fill="x", padx=_PAD)  # type: ignore[no-untyped-call]
        self._folder_row().pack(fill="x", padx=_PAD, pady=(12, 10))
        self._views = ViewBar(self, language, self.view, self._watch)
        self._views.pack(fill="x", padx=_PAD, pady=(0, 8))  # type: ignore[no-untyped-call]
        self._files = ttk.Frame(self)
        self._list = FileList(self._files, desk.rows, around, self.refresh, self._explain)
        self._reason = ttk.Label(self._files, style="Wrong.TLabel", justify="left")
        self._reason.bind("<Configure>", lambda event: self._reason.configure(wraplength=event.width))
        presses = Presses(self._tick_all, self.retry, self.cancel, self.upload)
        self._foot = Foot(self._files, language, desk.ini.after_upload, presses)
        self._foot.pack(side="bottom", fill="x", pady=(10, 0))  # type: ignore[no-untyped-call]
        self._list.pack(fill="both", expand=True)  # type: ignore[no-untyped-call]
        self._zone = DropZone(self._list, palette, self.choose_folder)
        self._sent = SentList(self, around, SentPresses(self._put_back, self._ask_again))
        self._mnemonics = Mnemonics(self)
        self.view(View.FILES)
        self.show_rows()

    def view(self, view: View) -> None:
        """Show what is to be sent, what was sent, or what failed."""
        self._views.choose(view)
        shown, hidden = (self._sent, self._files) if view is View.SENT else (self._files, self._sent)
        hidden.pack_forget()
        shown.pack(fill="both", expand=True, padx=_PAD, pady=(0, 16))
        foot = self._foot
        if view is View.SENT:
            self._desk.sent.follow()
            self._show_sent()
            presses: list[Pressable] = [self._sent.back, self._sent.copy, self._sent.again]
        else:
            self._list.only = (lambda row: row.state in _FAILED) if view is View.FAILED else (lambda _: True)
            self.show_rows()
            presses = [foot.upload, foot.all, foot.cancel, foot.retry]
        self._mnemonics.give([*presses, self._views.watch])

    def show_rows(self) -> None:
        """Draw the list and all that depends on it."""
        self._list.show()
        if any(map(self._list.only, self._desk.rows)):
            self._zone.place_forget()
        else:
            kind = self._emptiness()
            has_button = kind in _CHOOSABLE and not self._folder_locked
            button = self._say(f"zone.{kind}_button") if has_button else ""
            self._zone.say(self._say(f"zone.{kind}_title"), self._say(f"zone.{kind}_hint"), button)
            self._zone.place(relx=0, rely=0, relwidth=1, relheight=1)
        if self._desk.folder_failure is not None:
            self._tell_failure(self._desk.folder_failure, [(self._say("window.choose_folder"), self.choose_folder)])
        self.refresh()

    def _emptiness(self) -> str:
        """Return why the list is empty."""
        if self._views.view is View.FAILED:
            return "no_failed"
        if self._desk.folder is None:
            return "no_folder"
        return "reading" if self._desk.reading else "empty"

    def focus_list(self) -> None:
        """Let the keyboard begin in the list."""
        self._list.tree.focus_set()

    def take_in(self, changes: Changes) -> None:
        """Show what a poll of the desk brought."""
        if changes.rows:
            self._list.update_rows(changes.rows)
            if self._just_begun:  # the largest goes first, wherever it stands
                self._just_begun = False
                self._list.bring_up(min(changes.rows))
        if changes.listed:
            self.show_rows()
        if changes.followed:
            self._show_sent()
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
        desk, running = self._desk, self._desk.running
        only = self._list.only
        failed = desk.rows.failed()
        self._choose.configure(state="disabled" if running or self._folder_locked else "normal")
        self._reload.configure(state="disabled" if running else "normal")
        self._path.set(str(desk.folder or ""))
        waiting = sum(row.state is not State.RECEIVED for row in desk.rows)
        self._views.count({View.FILES: waiting, View.FAILED: len(failed)})
        self._views.show_watching(desk.watching, "watch" in desk.ini.locked)
        if running:
            self._foot.show_progress(Progress(*desk.rows.progress(), *desk.pace(), desk.cancels))
        else:
            sizes = [row.size for row in desk.rows.chosen(only)]
            self._foot.show_choice(sizes, len(failed), len(desk.rows) > 0, desk.rows.all_ticked(only))
        self._explain()

    def upload(self) -> None:
        """Send the ticked files, after the one question whether it is known that they then go."""
        chosen = self._desk.rows.chosen(self._list.only)
        if chosen and not self._desk.running and self._views.view is not View.SENT:
            self._begin(chosen)

    def retry(self) -> None:
        """Send again what failed."""
        if not self._desk.running and (failed := self._desk.rows.failed()):
            self._begin(failed)

    def cancel(self) -> None:
        """End after the files under way; pressed again, at once."""
        self._desk.cancel()
        self.refresh()

    def look(self) -> None:
        """Look at the folder now, or ask the server anew."""
        if self._views.view is View.SENT:
            self._ask_again()
        elif not self._desk.running:
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
            self._band.clear()
            self._desk.choose(Path(chosen))
            self.view(View.FILES)

    def drop(self, paths: Sequence[Path]) -> None:
        """Take in what was dropped on the window: a folder is chosen, files join the list."""
        if self._desk.running:
            return
        folders = [path for path in paths if path.is_dir()]
        if folders and not self._folder_locked:
            self._desk.choose(folders[0])
        self._desk.add(path for path in paths if path.is_file())
        self.view(View.FILES)

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
        self._just_begun = True
        self.show_rows()

    def _show_end(self, finished: Finished) -> None:
        self.show_rows()
        if self._views.view is View.SENT:
            self._desk.sent.follow()
            self._show_sent()
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

    def _explain(self) -> None:
        """Say below the list why the file the person is at was not sent, or stayed."""
        row = self._list.row()
        if row is not None and row.failure is not None:
            self._reason.configure(text=self._around.language.failure(row.failure))
            self._reason.pack(side="bottom", fill="x", pady=(8, 0))
        else:
            self._reason.pack_forget()

    def _watch(self, wanted: bool) -> None:
        self._desk.watch(wanted)

    def _show_sent(self) -> None:
        if self._views.view is View.SENT:
            self._sent.show(self._desk.sent.lines())
            self._sent.tell(self._desk.sent.asking, self._desk.sent.failure)

    def _ask_again(self) -> None:
        self._desk.sent.follow(anew=True)
        self._sent.tell(self._desk.sent.asking, self._desk.sent.failure)

    def _put_back(self, line: SentFile) -> None:
        try:
            path = self._desk.sent.put_back(line)
        except Failure as failure:
            self._band.say("warning", self._around.language.failure(failure), close=self._close())
        else:
            text = self._say("band.put_back", file=path.name, folder=path.parent)
            self._band.say("success", text, close=self._close())
            self._desk.look()
        self._show_sent()

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

    def _tick_all(self, ticked: bool) -> None:
        self._desk.rows.tick_all(ticked, self._list.only)
        self._list.show()
        self.refresh()
