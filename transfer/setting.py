"""The record that declares a setting once, for the console, the command line and the docs; never holds a value."""

import enum
from dataclasses import dataclass


class Kind(enum.StrEnum):
    """What a setting's value is."""

    TEXT = "text"
    NUMBER = "number"
    SWITCH = "switch"


@dataclass(frozen=True)
class Setting:
    """One setting: its name, kind, default as text, whether it is secret, and the page that shows it.

    Its help is the text ``setting.<name>`` in the catalogue of the room that declares it.
    """

    name: str
    kind: Kind
    default: str
    page: str
    secret: bool = False
