"""The ports a server is reached by, and what each is for; never accepts anybody."""

import socket
import sys
from enum import StrEnum

from transfer.failures import PermanentFailure

BACKLOG = 1024


class Way(StrEnum):
    """What a port expects of who comes."""

    EXPLICIT = "explicit"  # plain FTP, and TLS after AUTH
    IMPLICIT = "implicit"  # TLS before the first word
    OLD_PRINTERS = "old_printers"  # as explicit, with TLS 1.0 and old ciphers too, for WRITE accounts only


Doorways = dict[Way, socket.socket]
"""One listening socket for each way that a server offers."""


def doorways(host: str, ports: dict[Way, int], processes: int = 1) -> list[Doorways]:
    """Return for each process a listening socket on every port (0: a free one); those of one port take turns.

    Raises ``server.port_taken`` when another program holds a port.
    """
    alone = {way: _listening(host, port) for way, port in ports.items()}
    if processes == 1:
        return [alone]
    numbers = {way: int(sock.getsockname()[1]) for way, sock in alone.items()}
    for sock in alone.values():  # they showed that nobody listens there: sockets that share would not notice
        sock.close()
    return [{way: _listening(host, port, shared=True) for way, port in numbers.items()} for _ in range(processes)]


def _listening(host: str, port: int, *, shared: bool = False) -> socket.socket:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        family, _, _, _, address = found[0]
        sock = socket.socket(family, socket.SOCK_STREAM)
        try:
            if sys.platform != "win32":
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if shared:
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            sock.bind(address)
            sock.listen(BACKLOG)
        except BaseException:
            sock.close()
            raise
    except OSError as error:
        raise PermanentFailure("server.port_taken", host=host, port=port) from error
    return sock
