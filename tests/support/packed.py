"""Builds the packed uploader as its makers do, and uses it as a client does; never looks inside it."""

import hashlib
import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from firm_side import FirmSide
from ini_files import write_ini
from navette_server import FIDUCIARY, ROOT, NavetteServer, navette
from sample_documents import pdf
from screen import Screen
from waiting import until

DOSSIER = "000204"
TITLE = "Boulangerie Dupont"


def built(system: str, *words: str | Path) -> Path:
    """Return the folder with what is packed for ``linux`` or ``windows``, after building what has changed.

    It is not in dist/: there lies what is handed out, signed with another certificate than that of the tests.
    """
    command = [sys.executable, ROOT / "packaging" / "make_dist.py", system, "--to", ROOT / "build" / "tests", *words]
    told = subprocess.run(command, capture_output=True, text=True, check=False, timeout=1500)
    assert told.returncode == 0, told.stderr + told.stdout
    return Path(told.stdout.splitlines()[-1])


@dataclass
class Client:
    """A client's folder of documents, with the INI to send them to a running server over FTPS."""

    folder: Path
    ini: Path
    server: NavetteServer
    sent: dict[str, bytes]

    def seen(self) -> set[str]:
        """Return the names that are still in the folder; each other document must be on the server, whole."""
        left = {entry.name for entry in os.scandir(self.folder)}
        stored = self.server.published(DOSSIER)  # looked at later: what went must be there by now
        for name in self.sent.keys() - left:
            assert stored.get(name) == self.sent[name], f"{name} is gone and not stored"
        return left

    def watch_all_go(self, seconds: float = 120) -> None:
        """Wait until the folder is empty, looking all the while that no document is nowhere."""
        until(lambda: not self.seen(), seconds, "all documents to leave the folder")
        receipts = "SELECT sha256 FROM deposits"  # a row follows its 226
        hashes = {hashlib.sha256(content).hexdigest() for content in self.sent.values()}
        until(lambda: {row[0] for row in self.server.rows(receipts)} >= hashes, what="the receipts to be recorded")

    def check_result(self, told: dict[str, Any]) -> None:
        """Check what a self-test told that was to send the folder."""
        assert told["code"] == 0, told
        assert told["errors"] == []
        assert told["frozen"]
        assert told["drop"]
        assert min(told["size"]) > 400
        assert [event["proof"] for event in told["events"] if event["event"] == "sent"] == ["hash"] * len(self.sent)
        assert self.seen() == set()


def client_of(server: NavetteServer, home: Path) -> Client:
    """Return a client with three documents that stand still since a minute, one of them with a difficult name."""
    folder = home / "à envoyer"
    folder.mkdir(parents=True)
    sent = {name: pdf(name, padding=300_000) for name in ("facture n°1 €.pdf", "relevé.pdf", "z.pdf")}
    for name, content in sent.items():
        (folder / name).write_bytes(content)
        os.utime(folder / name, (time.time() - 60,) * 2)
    ini = write_ini(home / "envoi.ini", server.connection(f"WRITE_{FIDUCIARY}"), f"/{DOSSIER}", language="fr")
    return Client(folder, ini, server, sent)


def kit_for(client: Client, program: Path, folder: str) -> Path:
    """Let the firm make the client's kit, with the client's ``folder`` written into the INI by hand first."""
    server, out = client.server, client.ini.parent / "kit"
    connection = server.connection(f"WRITE_{FIDUCIARY}")
    firm = FirmSide(server.home)
    firm.set(
        fiduciary__number=FIDUCIARY,
        fiduciary__name="Fiduciaire Exemple",
        ftp__host=connection.host,
        ftp__port=str(connection.port),
        ftp__fingerprint=connection.fingerprint or "",
        ftp__write_password=connection.password,
    )
    firm.add_dossier(DOSSIER, TITLE)
    navette(server.home, "ini", "write", DOSSIER, "--to", out)
    own = out / f"{DOSSIER}.ini"
    written = own.read_bytes()
    own.write_bytes(
        re.sub(rb"(\[uploader\].*?\nfolder =) ?", lambda found: found[1] + b" " + folder.encode(), written, flags=re.S)
    )
    assert own.read_bytes() != written
    navette(server.home, "kit", DOSSIER, "--to", out, "--program", program)
    return out / f"Navette-{DOSSIER}.zip"


def press_upload(screen: Screen, seconds: float = 90) -> str:
    """Press Upload with the mouse, say yes to the first question, and return the window's number."""
    window = screen.window(TITLE, seconds)
    screen.until_drawn(window)
    screen.focus(window)
    _, _, width, height = screen.place(window)
    screen.click(width - 60, height - 40, window)
    question = screen.window("^Navette$", seconds)
    screen.focus(question)
    screen.key("Return")
    return window


def result_of(path: Path, seconds: float, running: Callable[[], object]) -> dict[str, Any]:
    """Wait for the result of a self-test while the program is ``running``, and return it."""
    until(lambda: (path.exists() and path.read_text()) or not running(), seconds, "the result of the self-test")
    assert path.exists(), "the program ended without a result"
    result = json.loads(until(path.read_text, 5))
    assert isinstance(result, dict)
    return result
