"""Writes the INI files that tests hand to the uploader, key by key; never through the generator it helps to check."""

from pathlib import Path

from transfer.client_ini import Connection, quoted


def write_ini(path: Path, connection: Connection, folder: str, dossier: str = "000204", **uploader: str) -> Path:
    """Write the INI of one client: where to deposit, for which dossier, and the keys of ``[uploader]``."""
    ftp = {
        "host": connection.host,
        "port": str(connection.port),
        "user": connection.user,
        "password": quoted(connection.password),
        "folder": folder,
        "security": connection.security.value,
        "fingerprint": connection.fingerprint or "",
        "passive": "yes" if connection.passive else "no",
    }
    sections = {
        "ftp": ftp,
        "dossier": {"number": dossier, "name": "Boulangerie Dupont", "fiduciary": "570013"},
        "uploader": uploader,
    }
    lines = [
        line
        for section, keys in sections.items()
        for line in (f"[{section}]", *(f"{key} = {value}" for key, value in keys.items() if value))
    ]
    path.write_text("\r\n".join(lines) + "\r\n", encoding="utf-8")
    return path
