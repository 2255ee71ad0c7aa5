"""Holds back what a device may still rename or delete: temporary names and probe files; never loses one.

A held document is on stable storage with its receipt, and 226 was answered; only its name is still hidden in staging.
It is published when it is renamed or its session ends, and by the next start if the server dies before.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from ftp_server.deposits import Deposit, Deposits, retry_key
from ftp_server.folders import Folder, Folders, shown
from ftp_server.moving import move_known
from ftp_server.publishing import Publishing
from ftp_server.staged import seal
from transfer.evidence import Evidence

_TEMPORARY = re.compile(r"(^\..*|.*\.(tmp|temp|part|partial|filepart))$", re.IGNORECASE)
TEST = "test"
"""The evidence of what a device only tried."""

_PROBE = 256
"""Bytes of the largest file without a known format that is taken for a device's probe."""


@dataclass(frozen=True)
class Held:
    """A received document that waits for its name, in the staging file ``stage``."""

    deposit: Deposit
    stage: Path
    folders: Folders


def is_temporary(name: str) -> bool:
    """Tell whether a name, as the device gave it, is one that devices rename when they are done."""
    return bool(_TEMPORARY.fullmatch(name.replace("\\", "/").rpartition("/")[2]))


def is_probe(size: int, content: Evidence) -> bool:
    """Tell whether a file looks like one with which a device only tries whether it can deposit."""
    return size <= _PROBE and content is Evidence.UNKNOWN


def publish_held(
    publishing: Publishing,
    held: Held,
    folder: Folder,
    name: str,
    answer: Callable[[Deposit, bool], None],
    *,
    at: float,
) -> None:
    """Publish a held document as ``name`` in ``folder``.

    Its bytes may be published under its temporary name already: its device sent them before, and a start or the end of
    a session that was cut came before it could rename them. Then that document gets the name, and this one goes.
    """
    first = held.deposit
    key = retry_key(first.login, folder, name, first.sha256)
    renamed = first._replace(folder=shown(folder), name=name, retry_key=key)
    if key != first.retry_key and publishing.deposits.known(first.retry_key):
        found = move_known(publishing, held.folders, first.retry_key, renamed, at=at, spare=held.stage)
        if found:
            answer(*found)
            return

    def sealed(named: Deposit) -> bool:
        if named != first:
            seal(held.stage, named)
        return True

    publishing.publish(renamed, str(held.stage), held.folders, sealed, answer)


def drop_held(deposits: Deposits, held: Held, at: float) -> None:
    """Note that a held document was a test, and put it into the trash: it is never published."""
    deposits.record_at_once(held.deposit._replace(evidence=TEST, collected_at=at, retry_key=""))
    held.stage.replace(held.folders.trash / held.deposit.id)
