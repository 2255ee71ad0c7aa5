"""How much of a fiduciary may lie uncollected, as people write it; never measures a disk."""

import re
from decimal import Decimal, localcontext

from transfer.failures import PermanentFailure

_MIB = 2**20
_LARGEST = 2**53  # beyond that a float, as JSON readers use it, no longer holds each byte
_NONE = ("", "unlimited", "illimité", "onbeperkt")
_NUMBER = re.compile(r"\d{1,12}(?:[.,]\d{1,20})?")


def quota_of(text: str) -> int | None:
    """Return a quota in bytes from a number of MiB such as 500; None for ``unlimited`` or nothing.

    Raises ``account.bad_quota``.
    """
    text = text.strip()
    if text.lower() in _NONE:
        return None
    if not _NUMBER.fullmatch(text):
        raise PermanentFailure("account.bad_quota", text=text[:40])
    with localcontext() as context:
        context.prec = 60
        return checked_quota(int((Decimal(text.replace(",", ".")) * _MIB).to_integral_value()))


def quota_text(quota: int | None) -> str:
    """Return what :func:`quota_of` reads as the same quota; empty for None."""
    if quota is None:
        return ""
    with localcontext() as context:
        context.prec = 60
        return format((Decimal(quota) / _MIB).normalize(), "f")


def checked_quota(quota: int | None) -> int | None:
    """Return a quota in bytes (None: no limit); refuse less than one and more than 8 PiB: ``account.bad_quota``."""
    if quota is not None and not 1 <= quota <= _LARGEST:
        raise PermanentFailure("account.bad_quota", text=str(quota)[:40])
    return quota
