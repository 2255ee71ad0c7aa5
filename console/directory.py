"""The dossiers by what people type and by what documents show, read anew every few seconds; never changes one."""

import threading
from collections.abc import Callable

from console.suggestion import Register
from dossiers import addresses
from dossiers import dossier as dossiers
from dossiers.dossier import Dossier
from dossiers.firm import Firm
from dossiers.mail_rule import text_key
from transfer.failures import PermanentFailure

Sees = Callable[[str], bool]
"""Tells whether somebody may see the dossier of a number."""

_FRESH = 5.0  # seconds for which what was read is used


class Directory:
    """The open dossiers of a firm, for any thread; ``clock`` gives seconds and never jumps."""

    def __init__(self, firm: Firm, clock: Callable[[], float]) -> None:
        self._firm = firm
        self._clock = clock
        self._turn = threading.Lock()
        self._read_at = -_FRESH
        self._dossiers: dict[str, Dossier] = {}
        self._keys: list[tuple[str, Dossier]] = []
        self._register = Register((), {})

    def register(self) -> Register:
        """Return what recognises a dossier in a document."""
        self._freshen()
        return self._register

    def name(self, number: str | None) -> str:
        """Return the name of a dossier, archived or not; nothing for None and for a number nobody has."""
        self._freshen()
        found = self._dossiers.get(number or "")
        return found.name if found else ""

    def matching(self, typed: str, most: int = 20, sees: Sees = lambda _: True) -> list[Dossier]:
        """Return the open dossiers whose number, name or enterprise number has every word that was typed."""
        self._freshen()
        words = text_key(typed).replace(".", "").split()
        keys = ((key, dossier) for key, dossier in self._keys if sees(dossier.number))
        found = (dossier for key, dossier in keys if all(word in key for word in words))
        return [dossier for dossier, _ in zip(found, range(most), strict=False)]

    def meant(self, typed: str, sees: Sees = lambda _: True) -> Dossier:
        """Return the one dossier that is meant: its number first, or all that was typed fits it alone.

        Refused with ``console.which_dossier``.
        """
        self._freshen()
        number = typed.split(maxsplit=1)[0] if typed.split() else ""
        exact = self._dossiers.get(number.upper()) or self._dossiers.get(number)
        if exact is not None and exact.archived is None and sees(exact.number):
            return exact
        found = self.matching(typed, 2, sees) if typed else []
        if len(found) != 1:
            raise PermanentFailure("console.which_dossier", typed=typed[:60])
        return found[0]

    def _freshen(self) -> None:
        with self._turn:
            if self._clock() - self._read_at < _FRESH:
                return
            known = dossiers.every(self._firm, archived=True)
            self._dossiers = {dossier.number: dossier for dossier in known}
            self._keys = [(_key(dossier), dossier) for dossier in known if dossier.archived is None]
            self._register = Register(known, addresses.every(self._firm))
            self._read_at = self._clock()


def _key(dossier: Dossier) -> str:
    return text_key(f"{dossier.number} {dossier.name} {dossier.enterprise or ''}").replace(".", "")
