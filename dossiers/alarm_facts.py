"""Gathers from the database and the disks the facts that alarms are decided from; never decides on one."""

import shutil
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

from sqlalchemy import extract, select

from dossiers import mailboxes, tables, waiting_list
from dossiers.alarm import Facts, Failing, Limits
from dossiers.designation import gone
from dossiers.firm import Firm
from dossiers.habit import WINDOW
from dossiers.rounds import is_ticked, statuses

Free = Callable[[Path], int]
"""Returns the free bytes of the disk that a folder is on."""


def free_bytes(folder: Path) -> int:
    """Return the free bytes of the disk that a folder is on."""
    return shutil.disk_usage(folder).free


def limits(firm: Firm) -> Limits:
    """Return from which number on each kind is an alarm, as the settings say."""
    settings = firm.settings
    return Limits(
        failing_rounds=settings.number("alarms.failing_rounds"),
        free_gib=settings.number("alarms.free_gib"),
        suspects=settings.number("alarms.suspects"),
        waiting=settings.number("alarms.waiting"),
        silent=settings.switch("alarms.silent"),
        days_before=settings.number("alarms.days_before"),
        runner_minutes=settings.number("alarms.runner_minutes"),
    )


def quick_facts(firm: Firm, free: Free = free_bytes) -> Facts:
    """Return what can be found out every minute: nothing here reads many rows."""
    failing = {
        status.source: Failing(status.failures, status.failure or "")
        for status in statuses(firm)
        if status.failures and is_ticked(firm, status.source)
    }
    folders: dict[str, int | None] = {}
    for folder in (firm.root, firm.home):
        try:
            folders[str(folder)] = free(folder)
        except OSError:  # a share that is away; its pause says so
            folders[str(folder)] = None
    return Facts(firm.clock(), failing=failing, free=folders, waiting=waiting_list.count(firm), heartbeats=gone(firm))


def all_facts(firm: Firm, ends: Mapping[str, datetime | None], free: Free = free_bytes) -> Facts:
    """Return also what is found out twice a day; ``ends`` tells when certificates end, beside the declared passwords.

    Reads the days of all dossiers: a query over the documents of thirteen months.
    """
    return replace(quick_facts(firm, free), days=_days(firm), ends={**_passwords(firm), **ends})


def _days(firm: Firm) -> dict[str, set[date]]:
    """Return the days on which something came for each dossier that is open."""
    found, of = tables.documents.c.found, tables.documents.c.dossier
    day = [extract(part, found) for part in ("year", "month", "day")]
    query = select(of, *day).join(tables.dossiers, tables.dossiers.c.number == of)
    query = query.where(found >= firm.clock() - WINDOW, tables.dossiers.c.archived.is_(None)).distinct()
    days = defaultdict(set)
    with firm.database.read() as connection:
        for number, *parts in connection.execute(query):
            days[number].add(date(*map(int, parts)))
    return dict(days)


def _passwords(firm: Firm) -> dict[str, datetime]:
    """Return when the passwords end of which somebody said so."""
    said = {"ftp.read_password_until": firm.settings.text("ftp.read_password_until")}
    said |= {f"mail.password_until {box.name}": box.password_until for box in mailboxes.every(firm) if box.active}
    return {name: datetime.fromisoformat(day).replace(tzinfo=UTC) for name, day in said.items() if day}
