"""Runs a server as several processes on one port, and starts them afresh when one dies; never serves a session itself.

The processes are forked before any of them has a loop or a thread. One that dies takes the others with it: nothing they
hold is worth more than what the next start sorts out on the disk, and a sender who was not answered sends again.
"""

import contextlib
import logging
import os
import signal
import sys
import time
from collections.abc import Callable
from types import FrameType

from ftp_server.board import Board
from ftp_server.doorways import Way, doorways
from ftp_server.home_lock import locked
from ftp_server.server import Place, Server, ServerSettings, prepare, reload_on_signal, stop_on_signals

log = logging.getLogger("navette.server")

_STOPPING = (signal.SIGTERM, signal.SIGINT)
_OBEYED = (*_STOPPING, signal.SIGHUP) if sys.platform != "win32" else _STOPPING
_LAST = 45  # seconds that processes have to end by themselves
_PAUSE = 1.0  # seconds before a new start: a fault at the start must not keep a processor busy


class Processes:
    """The processes of one server. ``made`` builds the server at its place; ``serve`` runs it until it is stopped.

    Raises ``server.port_taken`` when another program holds the port.
    """

    def __init__(
        self,
        settings: ServerSettings,
        count: int,
        made: Callable[[Place], Server],
        serve: Callable[[Server], None],
    ) -> None:
        self._settings = settings
        self._made = made
        self._serve = serve
        self._lock = locked(settings.home)
        self._doorways = doorways(settings.host, settings.ports, count)
        host, port = self._doorways[0][Way.EXPLICIT].getsockname()[:2]
        self.address = str(host), int(port)
        self.certificate = prepare(settings, time.time)
        self._running: set[int] = set()
        self._stopping = False

    def start(self) -> None:
        """Start the processes, and return once they serve; for the main thread only, as :meth:`run`."""
        for number in _STOPPING:
            signal.signal(number, self._stop_on_signal)
        signal.signal(signal.SIGALRM, lambda *_: self._signal_all(signal.SIGKILL))
        reload_on_signal(self.reload, self.stop)
        self._start()

    def run(self) -> None:
        """Keep the processes running until :meth:`stop`."""
        while self._running:
            pid, status = os.wait()
            self._running.discard(pid)
            if not self._stopping:
                log.error("server.process_died pid=%d status=%d", pid, status)
                self._signal_all(signal.SIGKILL)
                while self._running:
                    self._running.discard(os.wait()[0])
                time.sleep(_PAUSE)
                self.certificate = prepare(self._settings, time.time)
                self._start()
        signal.alarm(0)

    def stop(self) -> None:
        """Ask all processes to stop, and end those that do not; from any thread."""
        if not self._stopping:
            self._stopping = True
            signal.alarm(_LAST)
        self._signal_all(signal.SIGTERM)

    def reload(self) -> None:
        """Make all processes load the certificate anew for new sessions."""
        self._signal_all(signal.SIGHUP)

    def _stop_on_signal(self, number: int, frame: FrameType | None) -> None:
        del number, frame
        self.stop()

    def _signal_all(self, number: int) -> None:
        for pid in tuple(self._running):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)

    def _start(self) -> None:
        board = Board(len(self._doorways))
        held, self._lifeline = os.pipe()  # what the processes hold closes with this one, however it ends
        told, self._tell = os.pipe()
        signal.pthread_sigmask(signal.SIG_BLOCK, _OBEYED)
        for number in range(len(self._doorways)):
            pid = os.fork()
            if pid == 0:
                os.close(told)
                self._be(number, board, held)
            self._running.add(pid)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _OBEYED)
        os.close(held)
        os.close(self._tell)
        while os.read(told, 1):  # one byte of each process that serves, then the end
            continue
        os.close(told)

    def _be(self, number: int, board: Board, held: int) -> None:
        """Be one of the processes, and never return."""
        ended = 1
        try:
            os.dup2(held, 0)
            os.close(held)
            os.close(self._lifeline)
            for other, ways in enumerate(self._doorways):
                for sock in ways.values() if other != number else ():
                    sock.close()
            server = self._made(Place(number, board, self._doorways[number], self.certificate))
            os.write(self._tell, b".")
            os.close(self._tell)
            stop_on_signals(server)
            signal.pthread_sigmask(signal.SIG_UNBLOCK, _OBEYED)
            self._serve(server)
            ended = 0
        except Exception:  # the outermost loop of a process
            log.exception("server.process_failed")
        finally:
            logging.shutdown()
            os._exit(ended)
