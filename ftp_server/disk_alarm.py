"""Tells a host through the log, before deposits are refused, that the disk gets full; never measures it itself."""

import logging

from ftp_server.room import FREE_SPACE

log = logging.getLogger("navette.server")

SCARCE = 16 * FREE_SPACE
"""Bytes of free space below which somebody should make room."""

_AGAIN = 3600.0  # seconds between two warnings


class DiskAlarm:
    """Warns when free space becomes scarce and each hour that it stays so, and says when there is enough again."""

    def __init__(self) -> None:
        self._warned: float | None = None

    def look(self, free: int, now: float) -> None:
        """Take note of ``free`` bytes at ``now``, in seconds of a clock that never jumps."""
        if free >= SCARCE:
            if self._warned is not None:
                log.info("server.disk_enough free_mib=%d", free // 2**20)
            self._warned = None
        elif self._warned is None or now - self._warned >= _AGAIN:
            self._warned = now
            log.warning("server.disk_scarce free_mib=%d refused_below_mib=%d", free // 2**20, FREE_SPACE // 2**20)
