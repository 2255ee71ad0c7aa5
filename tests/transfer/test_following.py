"""What Navette's server answers about a document, as it is read."""

from datetime import UTC, datetime

from transfer.following import Followed, followed

SHA = "ab" * 32


def test_each_document_of_a_reply_is_read() -> None:
    """A document that waits and one that was collected, each with its moments; odd lines are no matter."""
    reply = (
        "211-Receipts, newest first:\n Path: /000204/été: 1.pdf\n Received: 2026-11-24T07:23:06Z\n Size: 3\n"
        f" SHA-256: {SHA.upper()}\n Collected: not yet\n Path: /000204/a.pdf\n Received: 2026-11-23T07:23:06Z\n"
        f" Size: 3\n SHA-256: {SHA}\n Collected: 2026-11-23T08:00:00Z\n211 2 in all."
    )
    assert followed(reply) == [
        Followed("/000204/été: 1.pdf", SHA, datetime(2026, 11, 24, 7, 23, 6, tzinfo=UTC), None),
        Followed(
            "/000204/a.pdf", SHA, datetime(2026, 11, 23, 7, 23, 6, tzinfo=UTC), datetime(2026, 11, 23, 8, tzinfo=UTC)
        ),
    ]


def test_what_is_not_told_in_full_is_left_out() -> None:
    """A refusal, an empty reply and half a document tell nothing."""
    assert followed("550 No such document.") == followed("") == []
    assert followed(" Path: /a\n Received: today\n SHA-256: x\n Collected: not yet") == []
    assert followed(" Path: /a\n Received: 2026-11-24T07:23:06Z") == []
