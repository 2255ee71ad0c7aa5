"""Wraps connections into TLS with one certificate, for any thread; never chooses the certificate, nor shakes hands."""

import socket
import ssl
import threading


class Protection:
    """One TLS context for control and data connections, so that a data connection may resume its control connection."""

    def __init__(self, context: ssl.SSLContext) -> None:
        self._context = context
        self._tickets = context.num_tickets
        self._lock = threading.Lock()

    def control(self, sock: socket.socket) -> ssl.SSLSocket:
        """Protect a control connection; raises OSError, and closes it, when the other side has gone."""
        return self._wrapped(sock, self._tickets)

    def data(self, sock: socket.socket) -> ssl.SSLSocket:
        """Protect a data connection, without session tickets.

        A sender that never reads would close with them unread, and that close resets the connection and tears the end
        off its own document.
        """
        return self._wrapped(sock, 0)

    def _wrapped(self, sock: socket.socket, tickets: int) -> ssl.SSLSocket:
        with self._lock:  # the number belongs to the context, and each connection takes it over when it is made
            self._context.num_tickets = tickets
            return self._context.wrap_socket(
                sock, server_side=True, do_handshake_on_connect=False, suppress_ragged_eofs=False
            )
