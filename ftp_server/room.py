"""Looks whether a disk still has room; never frees any."""

import shutil
from pathlib import Path

FREE_SPACE = 64 * 1024 * 1024
"""Bytes that must stay free: below, deposits are refused with 452 before the disk is full."""


def has_room(folder: Path) -> bool:
    """Tell whether more than the floor is free on the disk that a folder lies on."""
    return shutil.disk_usage(folder).free > FREE_SPACE
