"""A band that says what happened, and a page for when nothing can be sent at all; never hides what to do next."""

import tkinter
from collections.abc import Callable, Sequence
from typing import Literal

import ttkbootstrap as ttk

from uploader.appearance import Palette

Kind = Literal["success", "warning", "danger"]
Action = tuple[str, Callable[[], None]]
"""A button's text and what it does."""

_SIGNS: dict[Kind, str] = {"success": "✓", "warning": "!", "danger": "!"}


class Band(ttk.Frame):
    """A coloured band with a sentence and buttons; it takes no room while it has nothing to say."""

    def __init__(self, parent: tkinter.Misc, palette: Palette) -> None:
        super().__init__(parent)
        self._palette = palette
        self._content = tkinter.Frame(self)

    def say(self, kind: Kind, text: str, actions: Sequence[Action] = (), close: Action | None = None) -> None:
        """Show a sentence in place of the last one, with ``actions`` below it and ``close`` beside it."""
        self.clear()
        colours = self._palette.bands[kind]
        ground, ink = colours.ground, colours.ink
        self._content = band = tkinter.Frame(self, background=ground)
        band.pack(fill="x", pady=(12, 0))
        mark = tkinter.Label(
            band, text=_SIGNS[kind], background=colours.sign, foreground="#ffffff", width=2, font="TkHeadingFont"
        )
        words = tkinter.Label(band, text=text, background=ground, foreground=ink, justify="left", anchor="w")
        buttons = tkinter.Frame(band, background=ground)
        mark.grid(row=0, column=0, sticky="n", padx=12, pady=12)
        words.grid(row=0, column=1, sticky="ew", pady=(11, 11))
        if close is not None:
            ttk.Button(band, text=close[0], width=2, command=close[1]).grid(row=0, column=2, padx=10, pady=6)
        for label, command in actions:
            ttk.Button(buttons, text=label, command=command).pack(side="left", padx=(0, 8))
        if actions:
            buttons.grid(row=1, column=1, sticky="w", pady=(0, 12))
        band.columnconfigure(1, weight=1)
        words.bind("<Configure>", lambda event: words.configure(wraplength=max(200, event.width - 12)))

    def clear(self) -> None:
        """Say nothing any more."""
        self._content.destroy()
        self.configure(height=1)


class Obstacle(ttk.Frame):
    """A calm page for what must be solved first: a heading, what is wrong, what to do, and buttons."""

    def __init__(self, parent: tkinter.Misc, heading: str, wrong: str, remedy: str, actions: Sequence[Action]) -> None:
        super().__init__(parent)
        middle = ttk.Frame(self)
        middle.place(relx=0.5, rely=0.42, anchor="center", relwidth=0.72)
        ttk.Label(middle, text=heading, style="Title.TLabel").pack(anchor="w")
        for text, style in ((wrong, "Wrong.TLabel"), (remedy, "TLabel")):
            label = ttk.Label(middle, text=text, style=style, justify="left")
            label.pack(anchor="w", fill="x", pady=(14, 0))
            label.bind("<Configure>", lambda event, label=label: label.configure(wraplength=event.width))  # type: ignore[misc]
        buttons = ttk.Frame(middle)
        buttons.pack(anchor="w", pady=(26, 0))
        for n, (text, command) in enumerate(actions):
            button = ttk.Button(buttons, text=text, command=command, bootstyle="neutral" if n else "primary")
            button.pack(side="left", padx=(0, 8))
            if n == 0:
                button.focus_set()
