"""What the page of sent documents shows, and asks the server for; never draws it, and never sends."""

import time
from collections.abc import Callable
from pathlib import Path

from transfer.failures import Failure
from transfer.following import Followed
from transfer.ftp_session import FtpSession
from uploader.history import History
from uploader.local_removal import put_back
from uploader.looking import Looker
from uploader.sent_file import SentFile

_SHOWN = 2000
_ASKED = 200
_AGAIN_SECONDS = 60.0

Answer = dict[int, Followed] | Failure
"""What the server told of lines, by their numbers; or why it could not be asked."""


class SentDesk:
    """The documents sent to one target. All methods belong to one thread; the server is asked in another."""

    def __init__(
        self,
        history: History,
        target: str,
        open_session: Callable[[], FtpSession],
        now: Callable[[], float] = time.time,
    ) -> None:
        self.failure: Failure | None = None
        """Why the server could not be asked the last time."""
        self._history = history
        self._target = target
        self._open_session = open_session
        self._now = now
        self._looker: Looker[Answer] = Looker()
        self._asked_at = -_AGAIN_SECONDS

    @property
    def asking(self) -> bool:
        """Whether the server is being asked."""
        return self._looker.busy

    def lines(self) -> list[SentFile]:
        """Return what was sent, newest first."""
        return self._history.latest(self._target, _SHOWN)

    def follow(self, *, anew: bool = False) -> None:
        """Ask the server whether the firm has collected what it had not yet; at most once a minute unless ``anew``."""
        if self._looker.busy or (not anew and self._now() - self._asked_at < _AGAIN_SECONDS):
            return
        waiting = self._history.uncollected(self._target, _ASKED)
        if waiting:
            self._asked_at = self._now()
            self._looker.begin(lambda: _answer(self._open_session, waiting))

    def poll(self, patience: float = 0) -> bool:
        """Take in what the server told; return whether there is anything new to show."""
        answer = self._looker.take(patience) if self._looker.busy else None
        if answer is None:
            return False
        self.failure = answer if isinstance(answer, Failure) else None
        if isinstance(answer, dict) and answer:
            self._history.note(answer)
        return True

    def put_back(self, line: SentFile) -> Path:
        """Put a kept file back into its folder; raises ``local.not_put_back``."""
        return put_back(line, self._history)


def _answer(open_session: Callable[[], FtpSession], lines: list[SentFile]) -> Answer:
    try:
        with open_session() as session:
            if not session.is_navette:
                return {}
            told = session.follow([line.sha256 for line in lines])
    except Failure as failure:
        return failure
    found = {line.number: _told_of(line, documents) for line, documents in zip(lines, told, strict=True)}
    return {number: one for number, one in found.items() if one is not None}


def _told_of(line: SentFile, documents: list[Followed]) -> Followed | None:
    """Choose among documents of the same bytes the one stored under this line's name about when it was sent.

    The path told begins at the firm's root, that of the history at the account's.
    """
    same = [one for one in documents if one.sha256 == line.sha256 and one.path.endswith(line.stored_as)]
    return min(same, key=lambda one: abs(one.received_at - line.sent_at), default=None)
