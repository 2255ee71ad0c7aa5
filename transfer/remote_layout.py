"""How dossiers and folders stand on the server, as pure paths; never asks a server or a file system."""

from transfer.accounts import dossier_number
from transfer.failures import PermanentFailure
from transfer.safe_names import safe_name

DEPTH = 4
"""Deepest folder a deposit may name below its account's root."""


def dossier_folder(dossier: str) -> str:
    """Return the server folder that deposits for a dossier go to: ``000204`` -> ``/000204``."""
    return f"/{dossier_number(dossier)}"


def folder_parts(raw: str, current: tuple[str, ...] = ()) -> tuple[str, ...]:
    """Resolve a path a device gives against its current folder into safe folder names below the account's root.

    ``..`` stops at the root, doubled slashes and ``.`` mean nothing, backslashes separate as devices expect.
    Deeper than four folders is refused with ``layout.too_deep``.
    """
    raw = raw.replace("\\", "/")
    parts = [] if raw.startswith("/") else list(current)
    for part in raw.split("/"):
        if part == "..":
            del parts[-1:]
        elif part.strip() not in {"", "."}:
            parts.append(safe_name(part))
    if len(parts) > DEPTH:
        raise PermanentFailure("layout.too_deep", limit=DEPTH)
    return tuple(parts)


def file_parts(raw: str, current: tuple[str, ...] = ()) -> tuple[tuple[str, ...], str]:
    """Resolve a path a device gives for a file into its folders and its safe name."""
    folder, _, name = raw.replace("\\", "/").rpartition("/")
    if "/" in raw.replace("\\", "/"):
        return folder_parts(folder + "/", current), safe_name(name)
    return current, safe_name(name)


def dossier_of(remote_path: str) -> str | None:
    """Return the dossier number a remote file lies under (its first folder), or None for a file at the root."""
    first, _, rest = remote_path.lstrip("/").partition("/")
    return first if rest else None


def kind_of(remote_path: str) -> str:
    """Return the first folder within the dossier that a remote file lies in (``Achats``), or nothing."""
    _, _, below = remote_path.lstrip("/").partition("/")
    kind, _, rest = below.partition("/")
    return kind if rest else ""
