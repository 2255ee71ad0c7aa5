"""What a form says, as texts, numbers and files; never believes that a field is there or has a certain length."""

from typing import BinaryIO

from starlette.datastructures import FormData, QueryParams, UploadFile

from transfer.failures import PermanentFailure

LONGEST = 4000
"""Letters that a field has at most unless its reader says otherwise."""


class Form:
    """The fields of a form, or of the query of an address."""

    def __init__(self, fields: FormData | QueryParams) -> None:
        self._fields = fields

    def text(self, name: str, longest: int = LONGEST) -> str:
        """Return a field without blanks around it; empty when it is not there, cut where it is too long."""
        return self.raw(name, longest).strip()

    def raw(self, name: str, longest: int = LONGEST) -> str:
        """Return a field as it was typed, for passwords."""
        value = self._fields.get(name)
        return value[:longest] if isinstance(value, str) else ""

    def number(self, name: str) -> int | None:
        """Return a whole number of up to 18 digits, or None for anything else."""
        return whole_number(self.text(name))

    def ticked(self, name: str) -> bool:
        """Tell whether a box is ticked."""
        return bool(self.text(name))

    def several(self, name: str) -> list[str]:
        """Return all values of a field that may be there several times."""
        return [value.strip() for value in self._fields.getlist(name) if isinstance(value, str)]

    def numbers(self, name: str) -> list[int]:
        """Return the whole numbers of a field that may be there several times."""
        return [number for number in map(whole_number, self.several(name)) if number is not None]

    def file(self, name: str) -> tuple[str, BinaryIO]:
        """Return the name and the content of a file, or refuse the form with ``console.no_file``."""
        sent = self._fields.get(name)
        if not isinstance(sent, UploadFile) or not sent.filename:
            raise PermanentFailure("console.no_file")
        return sent.filename, sent.file

    def __bool__(self) -> bool:
        """Tell whether anything was said."""
        return bool(self._fields)


def whole_number(text: str) -> int | None:
    """Return the number that a text of 1 to 18 digits is, or None."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 18 else None
