"""How an unfinished file is named and recognised, by scanners, by other programs and by Navette; never opens a file."""

OWN_PREFIX = ".navette-"
"""Start of the names Navette gives to files it has not finished writing."""

_SUFFIXES = (".part", ".filepart", ".partial", ".tmp", ".temp", ".crdownload", ".download", ".swp", ".lock")
_PREFIXES = (OWN_PREFIX, "~$", ".~lock.", "._")


def is_in_progress(name: str) -> bool:
    """Tell whether ``name`` (without folder) is one that programs give to a file they are still writing."""
    lower = name.lower()
    return lower.endswith(_SUFFIXES) or lower.startswith(_PREFIXES) or lower.endswith("~")
