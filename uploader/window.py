"""The uploader's window: finds the INI, shows the page or what is in its way, and polls; never touches the network."""

import contextlib
import logging
import sys
import tkinter
from collections.abc import Callable
from functools import partial
from pathlib import Path
from tkinter import filedialog, font
from typing import Any

import ttkbootstrap as ttk
from tkinterdnd2 import DND_FILES, TkinterDnD

from transfer.client_ini import ClientIni, read
from transfer.failures import Failure
from transfer.language import LANGUAGES, Language, system_language
from uploader.appearance import DARK, LIGHT, system_is_dark
from uploader.desk import Desk
from uploader.history import History, data_folder
from uploader.notice import Action, Obstacle
from uploader.send_page import SendPage
from uploader.single import Single
from uploader.start import find_ini, program_folder
from uploader.surroundings import Surroundings
from uploader.ticks import app_icon, tick_images
from uploader.tip import tip
from uploader.upload import target_of
from uploader.view_bar import View

_POLL_MS = 50
_SMALLEST = (760, 480)
_USUAL_SIZE = (920, 620)
_ACCENT = "#0d6efd"
_TITLE_EVERY = 10  # polls

_log = logging.getLogger("navette.uploader")


def show(
    ini_path: Path | None = None, folder: Path | None = None, language: str | None = None, watch: bool = False
) -> int:
    """Open the window and return when it is closed; each argument goes before what is remembered or in the INI.

    ``watch`` sends new files by themselves. Where a window for the same place is open already, that one is shown.
    """
    window = Window(ini_path, folder, language, watch)
    if not window.gone:
        window.mainloop()
    return 0


class Window(ttk.App, TkinterDnD.DnDWrapper):
    """The only root. It owns the history and the desk, and outlives every page it shows."""

    def __init__(self, ini_path: Path | None, folder: Path | None, language: str | None, watch: bool = False) -> None:
        super().__init__(title="Navette", theme=LIGHT.theme, iconphoto=None)
        self._ini_path = ini_path
        self._asked_folder = folder
        self._asked_language = language
        self._watch_asked = watch
        self._language = Language(language or system_language(), "uploader")
        self._history: History | None = None
        self._desk: Desk | None = None
        self._page: SendPage | None = None
        self._trouble: Failure | None = None
        self._single: Single | None = None
        self._palette = LIGHT
        self._polls = 0
        self.gone = False
        """Whether the window is closed, or never opened because another one is there."""
        self._header = ttk.Frame(self)
        self._content: tkinter.Misc = ttk.Frame(self)
        self.minsize(*self._fitting(_SMALLEST))
        self._icon = app_icon(64, _ACCENT)
        self.iconphoto(True, self._icon)
        self._make_fonts()
        self._images: dict[str, tkinter.PhotoImage] = {}
        self._accept_drops()
        self._bind_keys()
        self.protocol("WM_DELETE_WINDOW", self.close)
        self._open()
        if not self.gone:
            self.after(_POLL_MS, self._poll)

    def close(self) -> None:
        """End everything that runs, remember the window's size, and go."""
        if self.gone:
            return
        self.gone = True
        if self._desk is not None:
            self._desk.close()
        if self._history is not None:
            with contextlib.suppress(Failure):
                if self.winfo_ismapped():
                    self._history.remember("size", f"{self.winfo_width()}x{self.winfo_height()}")
            self._history.close()
        if self._single is not None:
            self._single.release()
        self.destroy()

    def report_callback_exception(self, *error: object) -> None:
        """Log what no one foresaw, instead of a traceback on a screen nobody sees; the window goes on."""
        _log.error("window.unexpected", exc_info=error)  # type: ignore[arg-type]

    def _open(self) -> None:
        """Read history and INI, and show the page; or the page that says what is in the way."""
        try:
            if self._history is None:
                self._history = History(data_folder())
                self.geometry(self._history.setting("size") or "{}x{}".format(*self._fitting(_USUAL_SIZE)))
            path = self._ini_path or self._found_ini()
            ini = read(path)
            if not self._alone(target_of(ini)):
                return
        except Failure as failure:
            self._trouble = failure
            self._dress()
            self._build()
            return
        self._trouble = None
        self._ini_path = path
        self._language = Language(self._asked_language or self._history.setting("language") or ini.language, "uploader")
        self._desk = Desk(ini, path, self._history, Path(sys.executable))
        if self._watch_asked:
            self._desk.watch(True)
        folder = self._asked_folder or Path(self._desk.last_folder() or ini.local_folder or "")
        if "folder" in ini.locked and ini.local_folder:
            folder = Path(ini.local_folder)
        if folder != Path():
            self._desk.choose(folder)
        self._dress()
        self._build()
        self._count()

    def _alone(self, target: str) -> bool:
        """Be the only window for a target; one that is there already comes to the front, and this one goes."""
        if self._single is not None:
            self._single.release()
        self._single = Single(data_folder(), target)
        if self._single.take():
            return True
        self.close()
        return False

    def _build(self) -> None:
        """Draw everything anew, in the language of the moment."""
        self._header.destroy()
        self._content.destroy()
        self._page = None
        self._header = self._new_header(None if self._desk is None else self._desk.ini)
        self._header.pack(fill="x", padx=20, pady=(16, 0))
        if self._desk is None or self._trouble is not None:
            self._content = self._obstacle(self._trouble)
        else:
            around = Surroundings(self._language, self._palette, self._images, self._choose_ini, self._copy)
            self._content = self._page = SendPage(self, self._desk, around)
            self._page.focus_list()
        self._content.pack(fill="both", expand=True)  # type: ignore[no-untyped-call]

    def _new_header(self, ini: ClientIni | None) -> ttk.Frame:
        header = ttk.Frame(self)
        ttk.Separator(header).pack(side="bottom", fill="x", pady=(10, 0))
        words = ttk.Frame(header)
        words.pack(side="left", fill="x", expand=True)
        title = (ini.dossier_name or ini.dossier) if ini else "Navette"
        below = self._language.say("window.purpose", dossier=ini.dossier) if ini else ""
        ttk.Label(words, text=title, style="Title.TLabel").pack(anchor="w")
        ttk.Label(words, text=below, style="Quiet.TLabel").pack(anchor="w")
        chosen = tkinter.StringVar(header, value=self._language.code)
        languages = ttk.Frame(header)
        languages.pack(side="right", anchor="n")
        for code in LANGUAGES:
            button = ttk.Radiobutton(
                languages,
                text=code.upper(),
                value=code,
                variable=chosen,
                command=partial(self._speak, code),
                bootstyle="secondary ghost toolbutton",
            )
            button.pack(side="left", padx=(2, 0))
            tip(button, partial(self._language.say, f"tip.language_{code}"))
        shade = ttk.Button(
            languages,
            icon="sun" if self._palette is DARK else "moon",
            icon_only=True,
            command=self._turn_over,
            bootstyle="secondary ghost",
        )
        shade.pack(side="left", padx=(8, 0))
        tip(shade, lambda: self._language.say("tip.to_light" if self._palette is DARK else "tip.to_dark"))
        return header

    def _obstacle(self, failure: Failure | None) -> Obstacle:
        say = self._language.say
        sentence = self._language.failure(failure) if failure else ""
        actions: list[Action] = [
            (say("window.choose_ini"), self._choose_ini),
            (say("window.retry"), self._open),
            (say("window.copy"), lambda: self._copy(sentence)),
            (say("window.quit"), self.close),
        ]
        about_ini = failure is None or failure.code.startswith(("ini.", "start."))
        remedy = say("obstacle.remedy_ini" if about_ini else "obstacle.remedy_other")
        return Obstacle(self, say("obstacle.title"), sentence, remedy, actions)

    def _speak(self, code: str) -> None:
        self._language = Language(code, "uploader")
        self._asked_language = code
        if self._history is not None:
            with contextlib.suppress(Failure):
                self._history.remember("language", code)
        self._build()

    def _turn_over(self) -> None:
        """Go from light to dark, or back, and remember it."""
        if self._history is not None:
            with contextlib.suppress(Failure):
                self._history.remember("appearance", "light" if self._palette is DARK else "dark")
        self._dress("light" if self._palette is DARK else "dark")
        self._build()

    def _choose_ini(self) -> None:
        kinds = [("INI", "*.ini"), (self._language.say("window.all_files"), "*")]
        start = str(self._ini_path.parent if self._ini_path else program_folder())
        chosen = filedialog.askopenfilename(
            parent=self, initialdir=start, filetypes=kinds, title=self._language.say("window.choose_ini")
        )
        if chosen:
            self._ini_path = Path(chosen)
            if self._desk is not None:
                self._desk.close()
                self._desk = None
            self._open()
            if self._trouble is None and self._history is not None and not self.gone:
                self._history.remember(f"ini {program_folder()}", chosen)

    def _found_ini(self) -> Path:
        """Return the INI beside the program, else the one that was chosen for want of it the last time."""
        try:
            return find_ini(program_folder())
        except Failure:
            remembered = self._history.setting(f"ini {program_folder()}") if self._history else ""
            if remembered and Path(remembered).exists():
                return Path(remembered)
            raise

    def _copy(self, text: str) -> None:
        self.clipboard_clear()
        self.clipboard_append(text)

    def _poll(self) -> None:
        self.after(_POLL_MS, self._poll)
        if self._desk is not None and self._page is not None:
            self._page.take_in(self._desk.poll())
        self._polls += 1
        if self._polls % _TITLE_EVERY == 0:
            self._count()
            if self._single is not None and self._single.asked():
                self._come_forward()

    def _count(self) -> None:
        """Keep in the title, which a minimised window shows, how far an upload is or how many files went."""
        if self._desk is None:
            return
        title = f"{self._desk.ini.dossier_name or self._desk.ini.dossier} – Navette"
        if self._desk.running:
            settled, count, _, _ = self._desk.rows.progress()
            title = f"{settled}/{count} · {title}"
        elif self._desk.sent_here:
            title = f"✓ {self._desk.sent_here} · {title}"
        if self.title() != title:
            self.title(title)

    def _come_forward(self) -> None:
        self.deiconify()
        self.lift()
        self.focus_force()

    def _accept_drops(self) -> None:
        """Let files and folders be dropped anywhere; a system without drag and drop does without."""
        with contextlib.suppress(RuntimeError, tkinter.TclError):
            TkinterDnD._require(self)
            self.drop_target_register(DND_FILES)  # type: ignore[no-untyped-call]
            self.dnd_bind("<<Drop>>", self._on_drop)  # type: ignore[no-untyped-call]

    def _on_drop(self, event: Any) -> str:
        if self._page is not None:
            self._page.drop([Path(name) for name in self.tk.splitlist(event.data)])
        return str(event.action)

    def _bind_keys(self) -> None:
        self.bind_class("TButton", "<Key-space>", _press)  # ttkbootstrap takes it away
        self.bind("<F5>", lambda _: self._on_page(SendPage.look))
        self.bind("<Escape>", lambda _: self._on_page(SendPage.cancel))
        self.bind("<Return>", self._on_return)
        for number, view in enumerate(View, start=1):
            self.bind(f"<Control-Key-{number}>", partial(self._view, view))

    def _on_page(self, act: Callable[[SendPage], None]) -> None:
        if self._page is not None:
            act(self._page)

    def _on_return(self, event: "tkinter.Event[tkinter.Misc]") -> None:
        if not isinstance(event.widget, ttk.Button | ttk.Checkbutton | ttk.Radiobutton):
            self._on_page(SendPage.upload)

    def _view(self, view: View, _: object) -> None:
        if self._page is not None:
            self._page.view(view)

    def _scale(self) -> float:
        """Return how many pixels stand for one of a 96 dpi screen."""
        return float(self.tk.call("tk", "scaling")) * 72 / 96

    def _fitting(self, size: tuple[int, int]) -> tuple[int, int]:
        """Return a size meant for 96 dpi in this screen's pixels, as far as the screen has them."""
        width, height = (round(side * self._scale()) for side in size)
        return min(width, self.winfo_screenwidth() - 40), min(height, self.winfo_screenheight() - 80)

    def _make_fonts(self) -> None:
        base = font.nametofont("TkDefaultFont")
        family, size = base.actual("family"), base.actual("size")
        self._fonts = [  # kept: a font goes with its object
            font.Font(self, name=name, family=family, size=size + larger, weight="bold")
            for name, larger in (("Title", 6), ("Heading", 2), ("Zone", 3))
        ]

    def _dress(self, wanted: str = "") -> None:
        """Set colours and the few styles that the theme does not have, light or dark."""
        wanted = wanted or (self._history.setting("appearance") if self._history else "")
        palette = self._palette = DARK if wanted == "dark" or (not wanted and system_is_dark()) else LIGHT
        style = self.style
        if style.theme_use() != palette.theme:
            style.theme_use(palette.theme)
        style.configure("Title.TLabel", font="Title")
        style.configure("Heading.TLabel", font="Heading")
        style.configure("Wrong.TLabel", foreground=palette.wrong)
        style.configure("Quiet.TLabel", foreground=palette.quiet)
        style.configure("Treeview", rowheight=round(30 * self._scale()))
        style.configure("Treeview.Cell", padding=(8, 0))
        style.configure("Treeview.Heading", padding=(8, 7), background=palette.heading, foreground=palette.quiet)
        style.map(
            "Treeview",
            background=[("selected", palette.chosen_ground)],
            foreground=[("selected", palette.chosen_ink)],
        )
        children: list[Any] = [
            ("Treeitem.image", {"side": "left", "sticky": "w"}),
            ("Treeitem.text", {"side": "left", "sticky": "w"}),
        ]
        style.configure("Treeview.Item", padding=(8, 0))
        style.layout("Treeview.Item", [("Treeitem.padding", {"sticky": "nswe", "children": children})])
        self._images = tick_images(round(16 * self._scale()), str(style.colors.primary), palette)


def _press(event: Any) -> None:
    event.widget.invoke()
