"""Following documents after they were sent, with Navette's own server and its firm's account."""

from datetime import UTC, datetime
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

from transfer.client_ini import AfterUpload
from transfer.failures import PermanentFailure
from transfer.fingerprints import Fingerprint
from transfer.ftp_session import FtpSession
from transfer.language import LANGUAGES, Language
from transfer.receipts import confirm
from uploader import receipt_words
from uploader.events import Fate
from uploader.sent_desk import SentDesk
from uploader.sent_file import SentFile
from uploader.upload import target_of


@pytest.fixture
def sent(navette_server: Any, uploads: Any) -> tuple[Any, SentDesk]:
    """Two documents sent with ``keep`` to Navette's server, and the desk that follows them."""
    client = uploads(navette_server.connection("WRITE_570013"), after=AfterUpload.KEEP)
    for name, content in {"a.pdf": b"%PDF a %%EOF", "b.pdf": b"%PDF b %%EOF"}.items():
        (client.folder / name).write_bytes(content)
    assert client.run().sent == 2
    opener = partial(FtpSession, client.ini.connection)
    return client, SentDesk(client.history, target_of(client.ini), opener)


def collect(server: Any, name: str) -> None:
    """Take a document as the firm does."""
    with FtpSession(server.connection("READ_570013")) as session:
        found = session.retrieve(f"/000204/{name}", BytesIO())
        session.remove(confirm(f"/000204/{name}", found, found, "the firm's disk"))


def by_name(desk: SentDesk) -> dict[str, SentFile]:
    return {Path(line.path).name: line for line in desk.lines()}


def test_the_server_tells_what_was_received_and_collected(navette_server: Any, sent: Any) -> None:
    """After asking, each line says when it was received, and the one that was collected says when."""
    _, desk = sent
    collect(navette_server, "a.pdf")
    desk.follow()
    assert desk.asking
    assert desk.poll(patience=20)
    lines = by_name(desk)
    assert desk.failure is None
    assert all(line.received_at is not None for line in lines.values())
    assert lines["a.pdf"].collected_at is not None
    assert lines["b.pdf"].collected_at is None
    assert abs((lines["a.pdf"].collected_at - datetime.now(UTC)).total_seconds()) < 60


def test_the_server_is_asked_at_most_once_a_minute(sent: Any) -> None:
    """Looking at the list again and again opens no session each time; the button does."""
    _, desk = sent
    desk.follow()
    assert desk.poll(patience=20)
    desk.follow()
    assert not desk.asking
    desk.follow(anew=True)
    assert desk.poll(patience=20)


def test_a_server_out_of_reach_is_said(navette_server: Any, sent: Any) -> None:
    """When the server cannot be asked, the list stays as it was, with the reason."""
    _, desk = sent
    navette_server.stop()
    desk.follow()
    assert desk.poll(patience=20)
    assert desk.failure is not None
    assert desk.failure.code == "session.unreachable"
    assert len(desk.lines()) == 2


def test_a_kept_file_is_put_back_once(sent: Any) -> None:
    """A kept file goes back under its name, still counts as sent, and cannot be put back twice."""
    client, desk = sent
    line = by_name(desk)["a.pdf"]
    assert desk.put_back(line) == client.folder / "a.pdf"
    assert (client.folder / "a.pdf").read_bytes() == b"%PDF a %%EOF"
    assert by_name(desk)["a.pdf"].fate is Fate.RESTORED
    with pytest.raises(PermanentFailure) as failed:
        desk.put_back(line)
    assert failed.value.code == "local.not_put_back"


def test_putting_back_never_replaces_a_new_file(sent: Any) -> None:
    """A new scan that took the name stays; the one that comes back gets a counter."""
    client, desk = sent
    (client.folder / "a.pdf").write_bytes(b"new")
    assert desk.put_back(by_name(desk)["a.pdf"]).name == "a(2).pdf"
    assert (client.folder / "a.pdf").read_bytes() == b"new"


@pytest.mark.parametrize("code", LANGUAGES)
def test_a_receipt_is_said_in_words(navette_server: Any, sent: Any, code: str) -> None:
    """Short, full and copied: no key shows, and what is copied holds the hash that proves it."""
    _, desk = sent
    collect(navette_server, "a.pdf")
    desk.follow()
    desk.poll(patience=20)
    for line in desk.lines():
        told = [words(Language(code, "uploader"), line) for words in (receipt_words.short, receipt_words.full)]
        assert not [text for text in told if "sent." in text]
        assert line.sha256 in receipt_words.copied(Language(code, "uploader"), line)


def test_the_proof_is_never_said_stronger_than_it_is() -> None:
    """A file that only the server's word vouches for says so."""
    english = Language("en", "uploader")
    receipt = confirm("/docs/a.pdf", Fingerprint(3, "ab"), Fingerprint(None, None), "/a.pdf")
    moment = datetime(2026, 11, 24, tzinfo=UTC)
    line = SentFile(1, "/docs/a.pdf", 3, 1, "ab", "/a.pdf", receipt.proof, moment, Fate.KEPT, "/docs/Sent/a.pdf")
    assert "no verification" in receipt_words.full(english, line)
    assert "SHA-256" not in receipt_words.copied(english, line)
