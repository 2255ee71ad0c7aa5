"""Belgian enterprise numbers: checked as they are typed, and found in a text; never asks whose one is."""

import re

from transfer.failures import PermanentFailure

_IN_TEXT = re.compile(r"(?<![0-9A-Za-z])(?:BE[\s.]?([01]?\d{3})|([01]\d{3}))[\s.-]?(\d{3})[\s.-]?(\d{3})(?!\d)", re.I)


def enterprise_number(text: str) -> str:
    """Return a Belgian enterprise number as ten digits; the last two must be 97 less the first eight modulo 97."""
    digits = re.sub(r"[\s.]", "", text.upper().removeprefix("BE")).zfill(10)
    if not re.fullmatch("[0-9]{10}", digits) or not _checks(digits):
        raise PermanentFailure("dossier.bad_enterprise", number=text[:40])
    return digits


def numbers_in(text: str) -> list[str]:
    """Return the enterprise numbers that stand in a text and check, each once, in their order."""
    found = ((each[1] or each[2]) + each[3] + each[4] for each in _IN_TEXT.finditer(text))
    return list(dict.fromkeys(digits for each in found if _checks(digits := each.zfill(10))))


def _checks(digits: str) -> bool:
    return 97 - int(digits[:8]) % 97 == int(digits[8:])
