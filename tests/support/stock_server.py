"""A stock FTP server in a thread, and the INI that leads to it; never one with the guarantees of Navette's own."""

import contextlib
import threading
from pathlib import Path
from typing import Any

from pyftpdlib.authorizers import DummyAuthorizer
from pyftpdlib.handlers import FTPHandler, TLS_FTPHandler
from pyftpdlib.ioloop import IOLoop
from pyftpdlib.servers import FTPServer
from pytest_localftpserver.helper_functions import DEFAULT_CERTFILE

from transfer.client_ini import AfterUpload, ClientIni, Connection, Security

ALL_RIGHTS = "elradfmwMT"


class PlainServer:
    """A stock FTP server in a thread: it overwrites, it answers 226 to half a file, it knows no hashes.

    With ``tls`` it shows a certificate that nobody vouches for.
    """

    def __init__(
        self, root: Path, rights: str = ALL_RIGHTS, refused: frozenset[str] = frozenset(), tls: bool = False
    ) -> None:
        root.mkdir(exist_ok=True)
        self.root = root
        self.commands: list[str] = []
        authorizer = DummyAuthorizer()
        authorizer.add_user("client", "secret", str(root), perm=rights)
        heard = self.commands

        class Handler(TLS_FTPHandler if tls else FTPHandler):  # type: ignore[misc]
            certfile = DEFAULT_CERTFILE

            def pre_process_command(self, line: str, cmd: str, arg: str) -> None:
                heard.append(cmd)
                if cmd in refused:
                    self.respond("550 Not here.")
                else:
                    super().pre_process_command(line, cmd, arg)

        Handler.authorizer = authorizer
        Handler.auth_failed_timeout = 0.01
        self.handler: Any = Handler
        self._loop = IOLoop()
        self._server = FTPServer(("127.0.0.1", 0), Handler, ioloop=self._loop)
        self.port: int = self._server.socket.getsockname()[1]
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._serve, name="plain-server")
        self._thread.start()

    def _serve(self) -> None:
        while not self._ending.is_set():
            self._loop.loop(timeout=0.02, blocking=False)
        self._server.close_all()
        self._loop.close()

    def stop(self) -> None:
        self._ending.set()
        self._thread.join()

    def connection(self) -> Connection:
        return Connection("127.0.0.1", self.port, "client", "secret", Security.NONE)

    def holds(self, folder: str = "000204") -> dict[str, bytes]:
        """Return the files the server shows in a folder, by name."""
        found = {}
        for path in (self.root / folder).glob("*"):
            with contextlib.suppress(FileNotFoundError, IsADirectoryError):  # renamed just now; a folder
                found[path.name] = path.read_bytes()
        return found


def client_ini(connection: Connection, after: AfterUpload = AfterUpload.DELETE, folder: str = "/000204") -> ClientIni:
    return ClientIni(connection, folder, "000204", "Boulangerie Dupont", "570013", after_upload=after)
