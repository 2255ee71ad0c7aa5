"""A firm's PC: its dossiers and settings, and its rounds run as programs; never reaches into the firm's database."""

import hashlib
import subprocess
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from navette_server import NAVETTE, ROOT, navette
from processes import started

from dossiers import dossier as dossiers
from dossiers import mailboxes
from dossiers.dossier import Dossier
from dossiers.firm import Firm
from transfer.client_ini import Connection


class FirmSide:
    """A firm that collects from one FTP server into the dossiers below its home."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.dossiers = home / "dossiers"
        self.waiting = home / "firm" / "waiting"

    def set(self, **settings: str) -> None:
        """Set settings; ``ftp__host`` stands for ``ftp.host``."""
        with Firm(self.home) as firm:
            for name, value in settings.items():
                firm.settings.set(name.replace("__", "."), value)

    def collect_from(self, connection: Connection, **settings: str) -> None:
        """Tell the firm where its documents are collected, and as whom."""
        self.set(
            ftp__host=connection.host,
            ftp__port=str(connection.port),
            ftp__security=connection.security.value,
            ftp__fingerprint=connection.fingerprint or "",
            ftp__read_user=connection.user,
            ftp__read_password=connection.password,
            **settings,
        )

    def mailbox(self, accepted: bool = True, name: str = "main", **values: str) -> None:
        """Declare a mailbox, or change it; its mails may be taken unless ``accepted`` is False."""
        with Firm(self.home) as firm:
            known = name in {box.name for box in mailboxes.every(firm)}
            box = mailboxes.change(firm, name, values) if known else mailboxes.add(firm, name, values)
            if accepted:
                mailboxes.accept(firm, box)

    def add_dossier(self, number: str, name: str) -> None:
        """Declare a dossier."""
        with Firm(self.home) as firm:
            dossiers.add(firm, Dossier(number, name, "fr"))

    def fetch(self, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run one round to its end."""
        return navette(self.home, "fetch", "--once", check=check)

    def start_fetching(self, log: Path, kill_at: str = "") -> subprocess.Popen[bytes]:
        """Start one round with its output in ``log``."""
        command = [*NAVETTE, "--home", self.home, "fetch", "--once"]
        return started(command, log, {"NAVETTE_TEST_KILL_AT": kill_at}, cwd=ROOT)

    def documents(self, dossier: str) -> dict[str, bytes]:
        """Return what lies in a dossier's folder: name -> bytes."""
        return {path.name: path.read_bytes() for path in _files(self.dossiers.glob(f"{dossier} *"))}

    def waiting_documents(self) -> dict[str, bytes]:
        """Return what lies in the waiting folder: name -> bytes."""
        return {path.name: path.read_bytes() for path in _files([self.waiting])}

    def received(self) -> Counter[str]:
        """Return the SHA-256 of every file in dossiers and waiting folder, finished or not, and how often."""
        return fingerprints(_files([self.dossiers, self.waiting]))


def fingerprints(paths: Iterable[Path]) -> Counter[str]:
    """Return the SHA-256 of files, and how often each occurs."""
    found: Counter[str] = Counter()
    for path in paths:
        with path.open("rb") as file:
            found[hashlib.file_digest(file, "sha256").hexdigest()] += 1
    return found


def _files(folders: Iterable[Path]) -> Iterable[Path]:
    return (path for folder in folders for path in sorted(folder.rglob("*")) if path.is_file())
