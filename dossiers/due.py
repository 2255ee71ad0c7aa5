"""Tells which sources are due for a round where several machines share them; never runs or starts one."""

from collections.abc import Iterable, Mapping
from datetime import datetime

from dossiers.designation import collected
from dossiers.firm import Firm
from dossiers.rounds import Status, asked_at, is_ticked, statuses


def due(firm: Firm, sources: Iterable[str]) -> list[str]:
    """Return the sources whose next round is to begin now; one that is being collected is not among them."""
    known = {status.source: status for status in statuses(firm)}
    busy, asked, paused = collected(firm), asked_at(firm), firm.settings.switch("service.paused")
    wanted = [source for source in sources if source not in busy and is_ticked(firm, source)]
    return [source for source in wanted if is_due(known, source, firm.clock(), asked, paused)]


def is_due(known: Mapping[str, Status], source: str, now: datetime, asked: datetime | None, paused: bool) -> bool:
    """Decide for one source that nobody collects at this moment; a round without an end was left by a dead program."""
    last = known.get(source)
    if asked is not None and (last is None or asked > last.started):
        return True
    if paused:
        return False
    return last is None or last.ended is None or last.next is None or last.next <= now
