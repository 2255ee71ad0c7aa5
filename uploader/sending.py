"""Sends one local file over one session and brings back its receipt; never touches a local file but to read it."""

import contextlib
import hashlib
import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

from transfer.failures import Failure, PermanentFailure
from transfer.fingerprints import Fingerprint, measure
from transfer.ftp_session import FtpSession, Stored
from transfer.receipts import Proof, Receipt, confirm
from transfer.safe_names import is_numbered, numbered, safe_name, twin_key
from uploader.history import History, path_key
from uploader.local_file import WatchedFile
from uploader.sent_file import Placed

_SAME_DAYS = timedelta(days=6)
"""The server takes the same bytes under the same name for the same document during seven days."""

Reached = Callable[[str], None]
"""Told the name of each step that was just completed; tests end the program there."""


class Sending:
    """How files reach one folder of one server; shared by all connections of an upload.

    Navette's own server publishes only whole files, keeps every name and knows bytes it has already. Any other one
    gets a file under a name for unfinished files, which is then changed to one that was free; where it refuses
    renaming, the file goes straight to its name.
    """

    def __init__(
        self, history: History, target: str, folder: str, clock: Callable[[], datetime], reached: Reached
    ) -> None:
        self._history = history
        self._target = target
        self._folder = folder
        self._clock = clock
        self._reached = reached
        self._lock = threading.Lock()
        self._claimed: dict[str, Path] = {}
        self._begun: set[str] = set()
        self._unanswered: set[Path] = set()
        self._unfinished: set[str] = set()
        self._installation = ""
        self._renames = True
        self._tells_sizes = False

    def begin(self) -> None:
        """Read what earlier uploads left unfinished."""
        self._unfinished = self._history.unfinished(self._target)
        self._installation = self._history.installation()

    def unfinished(self, path: Path) -> bool:
        """Tell whether an earlier upload, or an earlier attempt of this one, ended somewhere within this file."""
        return path_key(path) in self._unfinished

    def make_folders(self, session: FtpSession) -> None:
        """Make the target folder and those above it; existing ones are as good."""
        parts = [part for part in self._folder.split("/") if part]
        for depth in range(1, len(parts) + 1):
            session.make_folder("/" + "/".join(parts[:depth]))

    def send(self, session: FtpSession, source: WatchedFile, progress: Callable[[int], None]) -> Receipt:
        """Send a file and prove that it is stored; raises the failures of the session, the file and the receipt."""
        if session.is_navette:
            return self._to_own_server(session, source, progress)
        return self._earlier(session, source) or self._to_other_server(session, source, progress)

    def _to_own_server(self, session: FtpSession, source: WatchedFile, progress: Callable[[int], None]) -> Receipt:
        if source.path in self._unanswered and (receipt := self._received(session, source)) is not None:
            return receipt
        self._unanswered.add(source.path)
        path = self._path(safe_name(source.path.name))
        stored = session.store(source, path, source.seen.size, progress)
        self._unanswered.discard(source.path)
        self._reached("upload.sent")
        return self._proven(session, source, stored)

    def _received(self, session: FtpSession, source: WatchedFile) -> Receipt | None:
        """Ask for the receipt of a file whose answer was lost: the same bytes, under its name, in its folder.

        The server would answer with the same receipt if they were sent again.
        """
        found = measure(source)
        source.seek(0)
        name = safe_name(source.path.name)
        since = self._clock() - _SAME_DAYS
        for one in session.follow([str(found.sha256)])[0]:
            folder, _, stored_as = one.path.rpartition("/")
            here = f"{folder}/".endswith(self._path(""))
            if here and is_numbered(stored_as, name) and one.sha256 == found.sha256 and one.received_at > since:
                path = self._path(stored_as)
                return self._proven(session, source, Stored(found, path, Fingerprint(found.size, one.sha256)))
        return None

    def _earlier(self, session: FtpSession, source: WatchedFile) -> Receipt | None:
        """Find out whether an upload that broke off had stored the file whole under the name it chose."""
        if not self.unfinished(source.path):
            return None
        placed = self._history.placed(self._target, source.path, source.seen)
        if placed is None or session.size(placed.stored_as) != source.seen.size:
            return None
        if placed.part is not None and session.size(placed.part) is not None:
            return None  # it never got its name: what stands there is somebody else's
        try:
            return self._proven(session, source, Stored(measure(source), placed.stored_as))
        except PermanentFailure:
            source.seek(0)
            return None

    def _to_other_server(self, session: FtpSession, source: WatchedFile, progress: Callable[[int], None]) -> Receipt:
        part: Stored | None = None
        if self._renames:
            try:
                part = session.store(source, self._part_path(source), source.seen.size, progress)
                path = self._renamed(session, source, part.path)
            except PermanentFailure as failure:
                if failure.code != "session.refused":
                    raise
                self._renames = False
                source.seek(0)
            else:
                self._reached("upload.sent")
                return self._proven(session, source, replace(part, path=path))
        path = self._chosen(session, source, part=None)
        self._begun.add(path)
        stored = session.store(source, path, source.seen.size, progress)
        self._reached("upload.sent")
        receipt = self._proven(session, source, stored)
        self._tells_sizes = receipt.proof is not Proof.REPLY
        if part is not None:
            with contextlib.suppress(Failure):  # a server that refuses renaming often refuses removing too
                session.remove(confirm(part.path, part.sent, session.fingerprint(stored.path), stored.path))
        return receipt

    def _renamed(self, session: FtpSession, source: WatchedFile, part: str) -> str:
        """Give a finished part its name. A name taken in that very moment makes a server refuse: try the next."""
        self._tells_sizes = self._tells_sizes or session.size(part) is not None
        while True:
            path = self._chosen(session, source, part)
            try:
                session.rename(part, path)
            except PermanentFailure as failure:
                if failure.code != "session.refused" or session.size(path) is None:
                    raise
            else:
                return path

    def _chosen(self, session: FtpSession, source: WatchedFile, part: str | None) -> str:
        """Choose a free name and write it down before the server can show it."""
        path = self._free(session, source)
        self._unfinished.add(path_key(source.path))
        self._history.place(self._target, source.path, source.seen, Placed(path, part))
        return path

    def _free(self, session: FtpSession, source: WatchedFile) -> str:
        """Return the first free path: the file's name, then with a counter; with the time if no sizes are told.

        Free is also what an attempt that broke off has begun to store for this very file.
        """
        name = safe_name(source.path.name)
        if not self._tells_sizes:
            return self._path(numbered(name, int(self._clock().strftime("%Y%m%d%H%M%S%f"))))
        n, path = 1, self._path(name)
        while not self._claim(path, source) or (path not in self._begun and session.size(path) is not None):
            n += 1
            path = self._path(numbered(name, n))
        return path

    def _claim(self, path: str, source: WatchedFile) -> bool:
        """Take a path for one file; no other file of this upload gets it, over whichever connection."""
        with self._lock:
            return self._claimed.setdefault(twin_key(path), source.path) == source.path

    def _proven(self, session: FtpSession, source: WatchedFile, stored: Stored) -> Receipt:
        told = stored.told if stored.told.sha256 else session.fingerprint(stored.path)
        receipt = confirm(str(source.path), stored.sent, told, stored.path)
        self._reached("upload.confirmed")
        return receipt

    def _part_path(self, source: WatchedFile) -> str:
        """Return an unfinished name that only this file of this PC has, the same at each attempt."""
        mark = hashlib.sha256(f"{self._installation} {source.path!r}".encode()).hexdigest()[:8]
        return self._path(f"{safe_name(source.path.name)}.{mark}.part")

    def _path(self, name: str) -> str:
        return f"{self._folder.rstrip('/')}/{name}"
