"""Messages with what must be read in them beside each: ``messages/NAME.eml`` and ``NAME.json``."""

import hashlib
import json
from pathlib import Path

import pytest

from mail_intake.message import read

MESSAGES = sorted((Path(__file__).parent / "messages").glob("*.eml"), key=lambda path: path.stem)


@pytest.mark.parametrize("message", MESSAGES, ids=lambda path: path.stem)
def test_a_message_is_read_as_it_is_meant(message: Path) -> None:
    """Sender, subject and every file come out as the JSON beside the message says, which also says why it is there."""
    wanted = json.loads(message.with_suffix(".json").read_text("utf-8"))
    told = read(message.read_bytes())
    parts = [
        {
            "path": part.path,
            "name": part.name,
            "fate": part.fate.value,
            "reason": part.reason,
            "size": len(part.content),
            "sha256": hashlib.sha256(part.content).hexdigest(),
        }
        for part in told.parts
    ]
    assert parts == wanted["parts"], wanted["says"]
    assert (told.mail.sender, told.mail.subject) == (wanted["sender"], wanted["subject"]), wanted["says"]
    if "body" in wanted:
        assert " ".join(told.mail.body.split()) == wanted["body"], wanted["says"]


def test_there_are_enough_messages_and_none_without_a_meaning() -> None:
    """No message lies there without its expected result, nor the other way round."""
    assert len(MESSAGES) >= 100
    assert [path.stem for path in MESSAGES] == sorted(path.stem for path in MESSAGES[0].parent.glob("*.json"))
