"""An FTP server that answers by a script, for faults no real server makes on demand; never for anything else."""

import contextlib
import hashlib
import socket
import ssl
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Self

Answer = str | bytes | Callable[["ScriptedServer", str], str | bytes | None]

USUAL: dict[str, Answer] = {
    "USER": "331 password",
    "PASS": "230 in",
    "FEAT": "211-all\r\n SIZE\r\n211 End",
    "TYPE": "200 ok",
    "PBSZ": "200 ok",
    "PROT": "200 ok",
    "ALLO": "202 ok",
    "SIZE": "550 none",
    "QUIT": "221 bye",
}


class ScriptedServer:
    """Serves one control connection: each command's verb has an answer, or a function that makes one (None for none).

    ``heard`` holds all commands as they came; ``hang_up`` breaks both connections; ``data`` accepts the data connection
    that a PASV asked for.
    """

    def __init__(
        self, answers: dict[str, Answer], welcome: Answer = "220 ready", certificate: str | None = None
    ) -> None:
        self._answers = USUAL | answers
        self._welcome = welcome
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER) if certificate else None
        if self._context and certificate:
            self._context.load_cert_chain(certificate)
        self.heard: list[bytes] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._data_listener = socket.create_server(("127.0.0.1", 0))
        port = self._data_listener.getsockname()[1]
        self.pasv = f"227 Entering passive mode (127,0,0,1,{port // 256},{port % 256})"
        self._open: list[socket.socket] = []
        self._thread = threading.Thread(target=self._serve, name="scripted server")

    @property
    def port(self) -> int:
        """The port to connect to on 127.0.0.1."""
        return int(self._listener.getsockname()[1])

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        for listener in (self._listener, self._data_listener):
            with contextlib.suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)  # ends an accept that waits
        self.hang_up()
        self._thread.join(10)
        for sock in (self._listener, self._data_listener, *self._open):
            sock.close()
        assert not self._thread.is_alive()

    def answer(self, verb: str, answer: Answer) -> None:
        """Set the answer to a command."""
        self._answers[verb] = answer

    def say(self, answer: str | bytes) -> None:
        """Send one reply."""
        self._control.sendall((answer.encode() if isinstance(answer, str) else answer) + b"\r\n")

    def data(self) -> socket.socket:
        """Accept the data connection, protected when the control connection is."""
        sock = self._data_listener.accept()[0]
        if self._context:
            sock = self._context.wrap_socket(sock, server_side=True, suppress_ragged_eofs=False)
        self._open.append(sock)
        return sock

    def sends(self, content: bytes) -> Answer:
        """Return an answer that sends ``content`` over the data connection."""

        def answer(server: "ScriptedServer", _: str) -> str:
            server.say("150 here it comes")
            with server.data() as sock:
                sock.sendall(content)
            return "226 done"

        return answer

    def hang_up(self) -> None:
        """Break all connections as a server does that dies."""
        for sock in self._open:
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)

    def _serve(self) -> None:
        with contextlib.suppress(OSError):
            self._control = self._listener.accept()[0]
            self._open.append(self._control)
            self._reply(self._welcome, "")
            while line := self._line():
                self.heard.append(line)
                verb, _, argument = line.decode("latin-1").partition(" ")
                if verb == "PASV":
                    self.say(self.pasv)
                elif verb == "AUTH" and self._context:
                    self.say("234 go on")
                    self._control = self._context.wrap_socket(self._control, server_side=True)
                    self._open.append(self._control)
                else:
                    self._reply(self._answers.get(verb, "502 unknown"), argument)

    def _reply(self, answer: Answer, argument: str) -> None:
        reply = answer(self, argument) if callable(answer) else answer
        if reply is not None:
            self.say(reply)

    def _line(self) -> bytes:
        line = b""
        while not line.endswith(b"\r\n"):
            byte = self._control.recv(1)
            if not byte:
                return b""
            line += byte
        return line[:-2]


def fingerprint(certificate: str) -> str:
    """Return the SHA-256 of a certificate file's first certificate."""
    text = Path(certificate).read_text(encoding="ascii")
    start = text.index("-----BEGIN CERTIFICATE-----")
    return hashlib.sha256(ssl.PEM_cert_to_DER_cert(text[start:])).hexdigest()
