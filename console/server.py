"""Runs the console on an address until it is told to stop; never listens beyond this machine without a certificate."""

import contextlib
import ipaddress
import socket
import ssl
from dataclasses import dataclass
from pathlib import Path

import uvicorn

from console.application import Application
from console.following import following
from console.gate import own_names
from console.office import Office
from dossiers.firm import Firm
from transfer.failures import PermanentFailure

_GRACE = 5  # seconds that visits under way have when the console stops


@dataclass(frozen=True)
class Place:
    """Where the console listens; with certificate and key (PEM files) by TLS."""

    host: str
    port: int
    certificate: Path | None = None
    key: Path | None = None

    @classmethod
    def of(cls, firm: Firm, host: str | None = None, port: int | None = None) -> "Place":
        """Return the place that the settings name, unless another host or port is given."""
        text = firm.settings.text
        certificate, key = text("console.certificate"), text("console.key")
        return cls(
            host or text("console.host"),
            firm.settings.number("console.port") if port is None else port,
            Path(certificate) if certificate else None,
            Path(key) if key else None,
        )


@dataclass(frozen=True)
class Opened:
    """The address of a running console, and the link that makes its first user, as long as there is none."""

    address: str
    first: str | None


class ConsoleServer:
    """A console that listens from its making on; :meth:`run` answers."""

    def __init__(self, firm: Firm, place: Place) -> None:
        secure = place.certificate is not None and place.key is not None
        if not secure and not _is_loopback(place.host):
            raise PermanentFailure("console.needs_certificate", host=place.host)
        if secure:
            _check_certificate(place)
        self._socket = _listening(place)
        office = Office(firm, secure=secure)
        self._firm, self._previews = firm, office.previews
        port = self._socket.getsockname()[1]
        host = f"[{place.host}]" if ":" in place.host else place.host
        address = f"{'https' if secure else 'http'}://{host}:{port}"
        self.opened = Opened(address, f"{address}/first/{office.first_word}" if office.first_word else None)
        names = own_names(place.host, firm.settings.text("console.names"))
        self._server = uvicorn.Server(
            uvicorn.Config(
                Application(office, names).asgi,
                ssl_certfile=place.certificate,
                ssl_keyfile=place.key,
                http="h11",
                ws="none",
                log_config=None,
                access_log=False,
                proxy_headers=False,
                server_header=False,
                timeout_keep_alive=20,
                timeout_graceful_shutdown=_GRACE,
                limit_concurrency=200,
            )
        )

    def run(self) -> None:
        """Answer until :meth:`stop`, or until a signal asks to end."""
        with contextlib.closing(self._socket), following(self._firm, self._previews):
            self._server.run(sockets=[self._socket])

    def stop(self) -> None:
        """Let :meth:`run` return; from any thread."""
        self._server.should_exit = True


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def _check_certificate(place: Place) -> None:
    assert place.certificate is not None
    assert place.key is not None
    try:
        ssl.create_default_context(ssl.Purpose.CLIENT_AUTH).load_cert_chain(place.certificate, place.key)
    except (OSError, ssl.SSLError):
        raise PermanentFailure("console.bad_certificate", certificate=str(place.certificate)) from None


def _listening(place: Place) -> socket.socket:
    listening = socket.socket(socket.AF_INET6 if ":" in place.host else socket.AF_INET)
    with contextlib.ExitStack() as closing:
        closing.callback(listening.close)
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listening.bind((place.host, place.port))
            listening.listen(256)
        except OSError:
            raise PermanentFailure("console.port_taken", host=place.host, port=place.port) from None
        closing.pop_all()
    return listening
