"""The sockets under an FTP session, in plain FTP and in explicit FTPS; never decides what is sent over them."""

import contextlib
import ftplib
import hashlib
import socket
import ssl
import struct

from transfer.client_ini import Connection
from transfer.failures import PermanentFailure, TemporaryFailure
from transfer.fingerprints import BLOCK
from transfer.wire_names import from_wire, to_wire

_LONGEST_LISTING = 64 * 1024 * 1024
_RESET = struct.pack("HH" if hasattr(socket, "WSAStartup") else "ii", 1, 0)


class PlainWire(ftplib.FTP):
    """ftplib with sockets that send at once, names as the server holds them, and sockets another thread can break."""

    data_socket: socket.socket | None = None
    welcome = ""
    _binary = False
    _announcement: str | None = None

    def __init__(self, timeout: float) -> None:
        super().__init__(timeout=timeout, encoding="latin-1")  # one character per byte: see getline and putline

    def connect(
        self, host: str = "", port: int = 0, timeout: float = -999, source_address: tuple[str, int] | None = None
    ) -> str:
        """Connect, with a control socket that sends each command at once."""
        reply = super().connect(host, port, timeout, source_address)
        assert self.sock is not None
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return reply

    def getline(self) -> str:
        """Return a reply's line with names as :mod:`transfer.wire_names` carries them."""
        return from_wire(super().getline().encode("latin-1"))

    def putline(self, line: str) -> None:
        """Send a command with the bytes of the names it holds."""
        super().putline(self._command(line).decode("latin-1"))

    def send_ahead(self, lines: list[str]) -> None:
        """Send several commands at once; the caller then takes as many replies."""
        commands = b"".join(self._command(line) + b"\r\n" for line in lines)
        if self.sock is None:
            raise EOFError
        self.sock.sendall(commands)

    def announce(self, line: str) -> None:
        """Send a command together with the next one; whatever the server answers to it."""
        self._announcement = line

    def sendcmd(self, cmd: str) -> str:
        """Send a command, after what was to be announced with it, and return its reply."""
        announcement, self._announcement = self._announcement, None
        if announcement is None:
            return super().sendcmd(cmd)
        self.send_ahead([announcement, cmd])
        self.getmultiline()
        return self.getresp()

    def rename_ahead(self, path: str, new_path: str) -> None:
        """Rename with both commands sent at once."""
        self.send_ahead([f"RNFR {path}", f"RNTO {new_path}"])
        try:
            self.getresp()
        except ftplib.Error:
            self.getmultiline()  # says only that nothing was asked for
            raise
        self.voidresp()

    def _command(self, line: str) -> bytes:
        """Return a command's bytes without line end; a name that would end it early is refused."""
        if "\r" in line or "\n" in line:
            raise PermanentFailure("session.bad_name", host=self.host, port=self.port)
        try:
            return to_wire(line)
        except UnicodeEncodeError:
            raise PermanentFailure("session.bad_name", host=self.host, port=self.port) from None

    def binary(self) -> None:
        """Ask for bytes as they are, unless the server was asked already; many servers tell no SIZE without it."""
        if not self._binary:
            self.voidcmd("TYPE I")
            self._binary = True

    def lines(self, command: str) -> list[str]:
        """Return the lines a listing command answers over its data connection."""
        self.voidcmd("TYPE A")
        self._binary = False
        data = self.transfercmd(command)
        raw = bytearray()
        try:
            while block := data.recv(BLOCK):
                raw += block
                if len(raw) > _LONGEST_LISTING:
                    raise ftplib.error_proto("endless listing")
        except BaseException:
            reset(data)
            raise
        finish(data)
        self.voidresp()
        return [from_wire(bytes(line.rstrip(b"\r"))) for line in raw.split(b"\n") if line.strip()]

    def ntransfercmd(self, cmd: str, rest: int | str | None = None) -> tuple[socket.socket, int | None]:
        """Open a data connection and start the transfer a command asks for."""
        try:
            data, size = ftplib.FTP.ntransfercmd(self, cmd, rest)
        except (ConnectionRefusedError, TimeoutError) as error:
            raise TemporaryFailure("session.no_data_connection", host=self.host, port=self.port) from error
        data.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.data_socket = data
        return data, size

    def patience(self, seconds: float | None) -> None:
        """Wait at most so long for each answer to come."""
        if self.sock is None:
            raise EOFError
        self.sock.settimeout(seconds)

    def break_off(self) -> None:
        """End what goes on over either socket, from any thread."""
        for sock in (self.data_socket, self.sock):
            if sock is not None:
                with contextlib.suppress(OSError):  # SSLSocket.shutdown would let a sender go on without encryption
                    socket.socket.shutdown(sock, socket.SHUT_RDWR)


class TlsWire(PlainWire, ftplib.FTP_TLS):
    """Explicit FTPS that trusts exactly the pinned certificate, or else what the system trusts."""

    _tls_session: ssl.SSLSession | None = None  # the control connection's, which some servers insist on

    def __init__(self, connection: Connection, timeout: float) -> None:
        self._pinned = connection.fingerprint
        if self._pinned:  # the system's authorities are not asked, and reading them takes a tenth of a second
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        else:
            context = ssl.create_default_context()
        ftplib.FTP_TLS.__init__(self, context=context, timeout=timeout, encoding="latin-1")

    def auth(self) -> str:
        """Protect the control connection, and check the certificate before anything else is said."""
        try:
            reply = super().auth()
        except ftplib.error_perm as error:
            raise PermanentFailure("session.tls_refused", host=self.host, port=self.port) from error
        self._check(self.sock)
        return reply

    def ntransfercmd(self, cmd: str, rest: int | str | None = None) -> tuple[socket.socket, int | None]:
        """Open a data connection, protect it, and check that it leads to the same server."""
        data, size = super().ntransfercmd(cmd, rest)
        if self._tls_session is None and isinstance(self.sock, ssl.SSLSocket):
            self._tls_session = self.sock.session  # kept: each look at it copies it with its certificate
        try:
            data = self.context.wrap_socket(data, server_hostname=self.host, session=self._tls_session)
            self._check(data)
        except BaseException:
            data.close()
            raise
        self.data_socket = data
        return data, size

    def _check(self, sock: object) -> None:
        if self._pinned and isinstance(sock, ssl.SSLSocket):
            shown = hashlib.sha256(sock.getpeercert(binary_form=True) or b"").hexdigest()
            if shown != self._pinned:
                raise PermanentFailure("session.fingerprint_differs", host=self.host, port=self.port)


def finish(data: socket.socket) -> None:
    """Close a data connection so that the other side knows the bytes are complete (TLS: with its closing message)."""
    if isinstance(data, ssl.SSLSocket):
        with contextlib.suppress(OSError):  # a server that does not answer the closing message has still received it
            data.unwrap()
    data.close()


def reset(data: socket.socket) -> None:
    """Break a data connection off so that the other side cannot take what came for a whole file."""
    with contextlib.suppress(OSError):
        data.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
    data.close()
