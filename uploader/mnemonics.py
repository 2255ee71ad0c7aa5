"""Gives buttons a letter that Alt presses, chosen from their own words; never two of a page the same."""

import tkinter
from collections.abc import Iterable
from typing import Any

Pressable = Any
"""A ttk button of any kind: it has a text, an underline, a state and ``invoke``."""


class Mnemonics:
    """The letters of one page. What is hidden or disabled is not pressed."""

    def __init__(self, page: tkinter.Misc) -> None:
        self._window = page.winfo_toplevel()
        self._buttons: dict[str, Pressable] = {}
        self._bound: set[str] = set()

    def give(self, buttons: Iterable[Pressable]) -> None:
        """Underline a letter of each button and let Alt with it press the button; those before lose theirs."""
        self._buttons.clear()
        for button in buttons:
            text = str(button.cget("text"))
            at = letter(text, set(self._buttons))
            button.configure(underline=at)
            if at >= 0:
                self._buttons[text[at].lower()] = button
        for key in self._buttons.keys() - self._bound:
            self._bound.add(key)
            for pressed in (key, key.upper()):
                self._window.bind(f"<Alt-Key-{pressed}>", self._on_key)

    def _on_key(self, event: "tkinter.Event[tkinter.Misc]") -> str | None:
        button = self._buttons.get(event.keysym.lower())
        if button is None or not button.winfo_exists() or not button.winfo_viewable():
            return None
        button.invoke()  # a disabled one does nothing
        return "break"


def letter(text: str, taken: set[str]) -> int:
    """Return where the first letter stands that is free, best one that begins a word; -1 if there is none."""
    places: list[int] = sorted(range(len(text)), key=lambda at: at > 0 and text[at - 1] != " ")
    for at in places:
        character = text[at].lower()
        if character.isascii() and character.isalnum() and character not in taken:
            return at
    return -1
