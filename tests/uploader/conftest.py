"""Fixtures of the uploader's tests: stock servers, and uploads that note their events."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from stock_server import PlainServer, client_ini

from transfer.client_ini import ClientIni, Connection
from transfer.ftp_session import FtpSession
from uploader.events import Event, Finished
from uploader.history import History
from uploader.upload import Upload


@dataclass
class Uploads:
    """Runs uploads of one client's folder and keeps what they told."""

    folder: Path
    history: History
    ini: ClientIni
    events: list[Event] = field(default_factory=list)
    pauses: list[float] = field(default_factory=list)

    def upload(self, **given: Any) -> Upload:
        given.setdefault("open_session", lambda: FtpSession(self.ini.connection, timeout=10))
        given.setdefault("wait", self.pauses.append)
        given.setdefault("tell", self.events.append)
        return Upload(self.ini, self.history, **given)

    def run(self, *paths: Path, **given: Any) -> Finished:
        return self.upload(**given).run(paths or sorted(self.folder.iterdir()))

    def told(self, kind: type[Any]) -> list[Any]:
        return [event for event in self.events if isinstance(event, kind)]


@pytest.fixture
def plain_server(tmp_path: Path) -> Iterator[Callable[..., PlainServer]]:
    """Start stock FTP servers with the rights and refusals a test asks for."""
    running: list[PlainServer] = []

    def start(**given: Any) -> PlainServer:
        running.append(PlainServer(tmp_path / f"server{len(running)}", **given))
        return running[-1]

    yield start
    for server in running:
        server.stop()


@pytest.fixture
def uploads(tmp_path: Path) -> Iterator[Callable[..., Uploads]]:
    """Make an :class:`Uploads` for a connection, with the client's folder and history in the test's own folder."""
    made: list[Uploads] = []

    def make(connection: Connection, **given: Any) -> Uploads:
        folder = tmp_path / "client"
        folder.mkdir(exist_ok=True)
        made.append(Uploads(folder, History(tmp_path / "user"), client_ini(connection, **given)))
        return made[-1]

    yield make
    for one in made:
        one.history.close()
