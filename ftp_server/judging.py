"""Decides by the evidence whether what was received is a whole document; never touches a socket or a file."""

import enum
from typing import NamedTuple

from transfer.evidence import Evidence


class Ending(enum.StrEnum):
    """How the data connection ended."""

    CLOSED = "closed"  # plain FTP, a clean end
    CLOSE_NOTIFY = "close_notify"  # TLS, with its closing message
    TRUNCATED = "truncated"  # TLS, without it
    RESET = "reset"
    STALLED = "stalled"
    ABORTED = "aborted"


class Outcome(enum.Enum):
    """What to do with a received file."""

    PUBLISH = enum.auto()
    ASK_CONTROL = enum.auto()  # wait a moment whether the control connection shows that the sender lives
    SUSPECT = enum.auto()


class Judgement(NamedTuple):
    """The outcome and the evidence or the doubt it rests on (a stable word kept with the document)."""

    outcome: Outcome
    reason: str


def judge(ending: Ending, size: int, announced: int | None, content: Evidence) -> Judgement:
    """Weigh what is known of ``size`` received bytes; ``announced`` is the size the sender gave with ALLO.

    A broken connection is always doubtful. An announced size decides alone: fewer bytes are torn, the same number is
    whole, even for a file that was damaged before it was sent. Then the format's end mark decides, then the closing
    message of TLS; only a plain connection and a format without end mark leave the question to the control connection.
    """
    if ending is not Ending.CLOSED and ending is not Ending.CLOSE_NOTIFY:
        return Judgement(Outcome.SUSPECT, ending.value)
    if announced is not None and size < announced:
        return Judgement(Outcome.SUSPECT, "shorter_than_announced")
    if announced is not None and size == announced:
        return Judgement(Outcome.PUBLISH, "announced_size")
    if content is Evidence.TORN:
        return Judgement(Outcome.SUSPECT, "no_end_mark")
    if content is Evidence.WHOLE:
        return Judgement(Outcome.PUBLISH, "end_mark")
    if ending is Ending.CLOSE_NOTIFY:
        return Judgement(Outcome.PUBLISH, "close_notify")
    return Judgement(Outcome.ASK_CONTROL, "control_alive")
