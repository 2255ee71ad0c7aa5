"""What each part of a page needs of the window around it; never draws anything."""

import tkinter
from collections.abc import Callable
from dataclasses import dataclass

from transfer.language import Language
from uploader.appearance import Palette


@dataclass(frozen=True)
class Surroundings:
    """Language, colours, tick images, and what only the window can do."""

    language: Language
    palette: Palette
    images: dict[str, tkinter.PhotoImage]
    choose_ini: Callable[[], None]
    copy: Callable[[str], None]
