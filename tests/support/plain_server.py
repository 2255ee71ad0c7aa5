"""A plain FTP server of pyftpdlib in a thread, on which a test can make single commands fail; never Navette's own."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from pyftpdlib.authorizers import DummyAuthorizer
from pyftpdlib.handlers import FTPHandler
from pyftpdlib.ioloop import IOLoop
from pyftpdlib.servers import FTPServer

from transfer.client_ini import Connection, Security

HANG_UP = "hang up"
"""What a test's hook answers to have the connection closed."""

Hook = Callable[[str, str], str | None]
"""Called with the verb and the path of each command; returns a reply to give instead, or None."""


class PlainServer:
    """A running server: its folder, how to connect, the commands it got, and the hook that a test may set."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.heard: list[tuple[str, str]] = []
        self.hook: Hook = lambda *_: None
        authorizer = DummyAuthorizer()
        authorizer.add_user("compta", "geheim", str(root), perm="elradfmwMT")
        self._loop = IOLoop()
        self._server = FTPServer(("127.0.0.1", 0), self._handler(authorizer), ioloop=self._loop)
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="plain server")
        self.connection = Connection("127.0.0.1", self._server.address[1], "compta", "geheim", security=Security.NONE)

    def put(self, path: str, content: bytes) -> Path:
        """Put a file on the server, as if it had been there for long."""
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
        return file

    def files(self) -> dict[str, bytes]:
        """Return what is on the server: path -> bytes."""
        return {str(p.relative_to(self.root)): p.read_bytes() for p in sorted(self.root.rglob("*")) if p.is_file()}

    def refuse(self, verb: str, name: str, reply: str = "550 no") -> None:
        """Answer a command for a file of that name with ``reply`` from now on."""
        self.hook = lambda got, path: reply if got == verb and path.endswith(name) else None

    def limit_sessions(self, most: int) -> None:
        """Refuse further sessions from one address."""
        self._server.max_cons_per_ip = most

    def start(self) -> None:
        """Serve."""
        self._thread.start()

    def stop(self) -> None:
        """End all sessions and the thread."""
        self._stopping.set()
        self._thread.join(30)
        assert not self._thread.is_alive()

    def _run(self) -> None:
        while not self._stopping.is_set():
            self._loop.loop(timeout=0.02, blocking=False)
        self._server.close_all()

    def _handler(self, authorizer: DummyAuthorizer) -> type[FTPHandler]:
        server = self

        class Handler(FTPHandler):
            """Asks the test before each command, and lists names as they are on the disk."""

            unicode_errors = "surrogateescape"

            def pre_process_command(self, line: str, cmd: str, arg: str) -> None:
                server.heard.append((cmd, arg))
                answer = server.hook(cmd, arg)
                if answer is None:
                    super().pre_process_command(line, cmd, arg)
                elif answer == HANG_UP:
                    self.close()
                else:
                    self.respond(answer)

        Handler.authorizer = authorizer
        return Handler


@contextmanager
def plain_server(root: Path) -> Iterator[PlainServer]:
    """Run a server over a folder for a ``with`` block."""
    root.mkdir(parents=True, exist_ok=True)
    server = PlainServer(root)
    server.start()
    try:
        yield server
    finally:
        server.stop()
