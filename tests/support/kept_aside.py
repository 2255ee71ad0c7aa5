"""What the tests of suspects and trash share: files that end there, and programs that die on their way out of there."""

import ftplib
import io
import json
import socket
import struct
import subprocess
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from navette_server import navette
from served import PDF, Served

from ftp_server.carrying import carry_out
from ftp_server.deposits import Deposit, Suspect
from ftp_server.folders import fiduciaries_of
from ftp_server.server import database
from ftp_server.suspects import Suspects
from ftp_server.trash import Trash

HALF = PDF[:5000]


def cut_off(served: Served, path: str, data: bytes = HALF, reset: bool = False) -> str:
    """Send a document that is not believed and return the id of the suspect that it became."""
    with served.session() as ftp:
        sock = ftp.transfercmd(f"STOR {path}")
        sock.sendall(data)
        if reset:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        sock.close()
        with pytest.raises(ftplib.error_temp, match="^426"):
            ftp.voidresp()
    return max((served.folder / "suspects").iterdir(), key=lambda kept: kept.stat().st_ctime_ns).name


def deposit(served: Served, path: str, data: bytes = PDF, login: str = "WRITE_570013") -> None:
    """Deposit a document."""
    with served.session(login) as ftp:
        assert ftp.storbinary(f"STOR {path}", io.BytesIO(data)).startswith("226")


def collect(served: Served, path: str) -> bytes:
    """Retrieve a document as READ does, then remove it; return its bytes."""
    got = io.BytesIO()
    with served.collecting() as ftp:
        ftp.retrbinary(f"RETR {path}", got.write)
        ftp.delete(path)
    return got.getvalue()


def listed(served: Served, folder: str) -> list[str]:
    """Return the names that READ sees in a folder."""
    with served.collecting() as ftp:
        return sorted(name for name, facts in ftp.mlsd(folder) if facts["type"] == "file")


class KeptAside:
    """The suspects and the trash of a server's folder, as a second process has them."""

    def __init__(self, home: Path, reached: Callable[[str], None] = lambda _: None) -> None:
        self.database = database(home)
        root = fiduciaries_of(home)
        self.suspects = Suspects(self.database, root, time.time, reached)
        self.trash = Trash(self.database, root, time.time, reached)
        self.carry_out = lambda: carry_out(home, self.database, time.time, reached)

    def release(self, suspect_id: str, name: str | None = None) -> Deposit:
        """Release a suspect and return the document that it became."""
        self.suspects.release(suspect_id, name)
        self.carry_out()
        return self.suspects.released(suspect_id)

    def restore(self, trashed_id: str) -> Deposit | Suspect:
        """Put back what lies in the trash and return it."""
        self.trash.restore(trashed_id)
        self.carry_out()
        return self.trash.restored(trashed_id)

    def close(self) -> None:
        self.database.close()


def kept_aside(home: Path, reached: Callable[[str], None] = lambda _: None) -> "closing[KeptAside]":
    """Open the suspects and the trash of a server's folder for a ``with`` block."""
    return closing(KeptAside(home, reached))


def killed_at(monkeypatch: pytest.MonkeyPatch, step: str, home: Path, *words: str) -> None:
    """Run a command of ``navette`` that dies by SIGKILL at a step."""
    with monkeypatch.context() as patched:
        patched.setenv("NAVETTE_TEST_KILL_AT", step)
        told = navette(home, *words, check=False)
    assert told.returncode == -9, (step, told.stdout, told.stderr)


def answered(home: Path, *words: str) -> "subprocess.CompletedProcess[str]":
    """Run a command of ``navette server`` in English, whatever its exit code."""
    return navette(home, "--language", "en", "server", *words, check=False)


def told(home: Path, *words: str) -> list[dict[str, object]]:
    """Run a command of ``navette server`` with ``--json`` and return what it told."""
    found: list[dict[str, object]] = json.loads(navette(home, "server", *words, "--json").stdout)
    return found
