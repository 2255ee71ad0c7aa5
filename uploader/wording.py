"""Sizes, dates, durations and states in words, as each language writes them; never looks anything up on disk."""

from datetime import datetime

from transfer.language import Language
from uploader.rows import Row, State

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_UNITS = {"fr": ("o", "Ko", "Mo", "Go"), "nl": ("B", "kB", "MB", "GB"), "en": ("B", "kB", "MB", "GB")}


def size(language: Language, count: int) -> str:
    """Return a number of bytes as ``1,2 Mo`` (French), ``1,2 MB`` (Dutch) or ``1.2 MB`` (English)."""
    units = _UNITS[language.code]
    step, shown = 0, float(count)
    while shown >= 999.5 and step < len(units) - 1:
        shown, step = shown / 1000, step + 1
    text = f"{shown:.1f}" if step and shown < 99.95 else f"{shown:.0f}"
    return f"{text if language.code == 'en' else text.replace('.', ',')}\N{NO-BREAK SPACE}{units[step]}"


def date(language: Language, mtime_ns: int) -> str:
    """Return a file's time of change, to the minute, in the zone of this PC."""
    return _written(language, datetime.fromtimestamp(mtime_ns / 1e9).astimezone())


def moment(language: Language, at: datetime) -> str:
    """Return a moment with its zone, to the minute, in the zone of this PC."""
    return _written(language, at.astimezone())


def duration(language: Language, seconds: float) -> str:
    """Return a remaining time as ``12 s``, ``3 min`` or ``2 h 05``."""
    whole = max(1, round(seconds))
    if whole < 60:
        return f"{whole}\N{NO-BREAK SPACE}s"
    if whole < 3600:
        return f"{-(-whole // 60)}\N{NO-BREAK SPACE}min"
    hour = language.say("window.hour")
    return f"{whole // 3600}\N{NO-BREAK SPACE}{hour}\N{NO-BREAK SPACE}{whole % 3600 // 60:02}"


def state(language: Language, row: Row) -> str:
    """Return what a row's last column says."""
    if row.state is State.SENDING:
        if row.sent >= row.size:
            return language.say("state.checking")
        return language.say("state.sending", n=100 * row.sent // row.size)
    if row.state is State.PAUSING:
        return language.say("state.pausing", seconds=round(row.seconds))
    if row.state is State.RECEIVED:
        return language.say(f"state.received_{row.fate}")
    return language.say(f"state.{row.state}")


def _written(language: Language, at: datetime) -> str:
    return f"{at.day} {_MONTHS[at.month - 1]} {at:%Y %H:%M}" if language.code == "en" else f"{at:%d/%m/%Y %H:%M}"
