"""Where the listed files come from: the chosen folder, and single files dropped from anywhere; never sends them."""

import contextlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from transfer.failures import Failure
from uploader.folder import Folder, LocalFile


@dataclass(frozen=True)
class Looked:
    """What a look brought: the files, and why the folder could not be read, if it could not."""

    places: "Places"
    files: list[LocalFile]
    failure: Failure | None


class Places:
    """One folder, or none, and what was dropped beside it. One thread may look while another adds."""

    def __init__(self, folder: Path | None, extensions: Iterable[str], never: Iterable[Path]) -> None:
        self.folder = folder.absolute() if folder else None
        self._never = list(never)
        self._listing = Folder(self.folder, extensions, self._never) if self.folder else None
        self._dropped: dict[Path, tuple[Folder, frozenset[Path]]] = {}

    def add(self, paths: Iterable[Path]) -> None:
        """List single files, too."""
        dropped = dict(self._dropped)
        for path in (path.absolute() for path in paths):
            folder, chosen = dropped.get(path.parent, (Folder(path.parent, never=self._never), frozenset()))
            dropped[path.parent] = folder, chosen | {path}
        self._dropped = dropped  # in one step: a look that goes on has the files of before

    def look(self, now: float) -> Looked:
        """Look at all of it, as it is at ``now``."""
        files: list[LocalFile] = []
        failure = None
        if self._listing is not None:
            try:
                files = self._listing.look(now)
            except Failure as refused:
                failure = refused
        for folder, chosen in self._dropped.values():
            with contextlib.suppress(Failure):  # taken from a drive that is gone: so are its rows
                files += [file for file in folder.look(now) if file.path in chosen]
        return Looked(self, files, failure)
