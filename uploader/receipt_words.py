"""A receipt in words, short for a list, full for reading, and whole for copying; never says more than is proven."""

from pathlib import Path

from transfer.language import Language
from transfer.receipts import Proof
from uploader import wording
from uploader.events import Fate
from uploader.sent_file import SentFile


def short(language: Language, line: SentFile) -> str:
    """Return what a list says of a document at the firm's side."""
    if line.collected_at is not None:
        return language.say("sent.collected_short", date=wording.moment(language, line.collected_at))
    if line.received_at is not None:
        return language.say("sent.received_short", date=wording.moment(language, line.received_at))
    return language.say(f"sent.proof_{line.proof}_short")


def full(language: Language, line: SentFile) -> str:
    """Return a receipt as sentences: when it was received and collected, what proves it, and what became of it here."""
    say = language.say
    received = line.received_at or line.sent_at
    told = [say("sent.received", date=wording.moment(language, received))]
    if line.collected_at is not None:
        told.append(say("sent.collected", date=wording.moment(language, line.collected_at)))
    elif line.received_at is not None:
        told.append(say("sent.waits"))
    told.append(say(f"sent.proof_{line.proof}"))
    folder = str(Path(line.kept_as).parent) if line.kept_as and line.fate is Fate.KEPT else ""
    told.append(say(f"sent.here_{line.fate}", folder=folder))
    return " ".join(told)


def copied(language: Language, line: SentFile) -> str:
    """Return all that is known of a document, line by line, to be pasted into a mail."""
    proven = f"SHA-256 {line.sha256}" if line.proof is Proof.HASH else ""
    size = wording.size(language, line.size)
    return "\n".join(filter(None, [Path(line.path).name, size, full(language, line), line.stored_as, proven]))
