"""What can go wrong, as stable codes with the values their sentence needs; never holds a sentence or a password."""

from typing import ClassVar


class Failure(Exception):
    """A failure a person can read about: ``code`` names its sentence in the catalogues, ``values`` fill it.

    Values are short texts and numbers (a path, a line, a host); never put a password or a whole file line in them.
    """

    temporary: ClassVar[bool] = False

    def __init__(self, code: str, **values: str | int | None) -> None:
        super().__init__(code)
        self.code = code
        self.values = values

    def __str__(self) -> str:
        """Return the code and its values, for logs: ``session.unreachable host=ftp.example.be port=21``."""
        return " ".join([self.code, *(f"{key}={_one_line(value)}" for key, value in self.values.items())])


class TemporaryFailure(Failure):
    """Trying again later may help: the next round or the next attempt does so by itself."""

    temporary = True


class PermanentFailure(Failure):
    """Trying again will not help: a person must act."""


def _one_line(value: str | int | None) -> str:
    """Leave out what would end or forge a line of a log: file names come from anywhere."""
    return "".join(character if character.isprintable() else "?" for character in str(value))
