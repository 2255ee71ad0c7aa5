"""Finds the French, Dutch and English texts by their key; never holds a text itself."""

import gettext
import locale
import os
from pathlib import Path

from transfer.failures import Failure

LANGUAGES = ("fr", "nl", "en")
_ROOMS = Path(__file__).resolve().parent.parent


class Language:
    """The texts of one language, looked up in the catalogue of each named room first and in transfer's last."""

    def __init__(self, code: str, *rooms: str) -> None:
        self.code = code if code in LANGUAGES else "en"
        self._texts: gettext.NullTranslations = gettext.NullTranslations()
        for room in reversed((*rooms, "transfer")):
            folder = _ROOMS / room / "locale"
            catalogue = gettext.translation(room, folder, [self.code], fallback=True)
            if isinstance(catalogue, gettext.GNUTranslations):
                catalogue.add_fallback(self._texts)
                self._texts = catalogue

    def say(self, key: str, /, **values: object) -> str:
        """Return the text of ``key`` with its values filled in; an unknown key is returned as it is."""
        return self._texts.gettext(key).format_map(_Shown(values))

    def say_n(self, key: str, n: int, /, **values: object) -> str:
        """Return the text of ``key`` for ``n`` of something (``{n}`` in the text), in the language's own plural."""
        return self._texts.ngettext(key, key, n).format_map(_Shown({"n": n, **values}))

    def failure(self, failure: Failure) -> str:
        """Return the sentence of a failure, ending with its stable code in brackets."""
        return f"{self.say(failure.code, **failure.values)} [{failure.code}]"


class _Shown(dict[str, object]):
    """Values of a text; one that is missing shows as its name instead of ending the program."""

    def __missing__(self, key: str) -> str:
        return "{" + key + "}"


def system_language() -> str:
    """Return ``fr``, ``nl`` or ``en`` by NAVETTE_LANGUAGE, then by what the system is set to; ``en`` for any other."""
    named = os.environ.get("NAVETTE_LANGUAGE") or _locale_name()
    return named[:2].lower() if named[:2].lower() in LANGUAGES else "en"


def _locale_name() -> str:
    for variable in ("LC_ALL", "LC_MESSAGES", "LANG"):
        if os.environ.get(variable):
            return os.environ[variable]
    try:
        return locale.getlocale()[0] or ""
    except ValueError:  # a locale name that Python cannot read
        return ""
