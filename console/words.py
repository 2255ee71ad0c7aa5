"""Says moments, sizes and numbers as people of each language write them; never holds a text."""

from datetime import date, datetime

from babel.dates import format_date, format_datetime, format_timedelta
from babel.numbers import format_decimal

LOCALES = {"fr": "fr_BE", "nl": "nl_BE", "en": "en_BE"}
"""The locale of each language, as written in Belgium."""

_UNITS = {"fr": ("o", "ko", "Mo", "Go"), "nl": ("B", "kB", "MB", "GB"), "en": ("B", "kB", "MB", "GB")}


class Words:
    """How one language writes what is no text; moments are told in the time of this machine."""

    def __init__(self, language: str) -> None:
        self._language = language
        self._locale = LOCALES[language]

    def moment(self, moment: datetime | None) -> str:
        """Return day and time, short; nothing for None."""
        return "" if moment is None else format_datetime(_local(moment), "short", locale=self._locale)

    def day(self, day: date | datetime) -> str:
        """Return a day, short."""
        return format_date(_local(day) if isinstance(day, datetime) else day, "short", locale=self._locale)

    def weekday(self, day: date) -> str:
        """Return a day of the week with its date, for the heading of a page."""
        return format_date(day, "full", locale=self._locale)

    def ago(self, moment: datetime, now: datetime) -> str:
        """Return how long ago a moment is, or in how long it comes."""
        return format_timedelta(moment - now, add_direction=True, locale=self._locale)

    def count(self, number: int) -> str:
        """Return a number with its thousands apart."""
        return format_decimal(number, locale=self._locale)

    def size(self, size: int | None) -> str:
        """Return a size of bytes in the largest unit that fits; nothing for None."""
        if size is None:
            return ""
        value, power = float(size), 0
        while value >= 999.5 and power < 3:
            value, power = value / 1000, power + 1
        digits = "#,##0.#" if power and value < 99.95 else "#,##0"
        return f"{format_decimal(value, digits, locale=self._locale)}\N{NO-BREAK SPACE}{_UNITS[self._language][power]}"


def _local(moment: datetime) -> datetime:
    return moment.astimezone().replace(tzinfo=None)
