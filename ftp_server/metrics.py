"""Measurements for Prometheus, on this machine's own address only; never a name, a login or a document."""

import logging
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from prometheus_client import CollectorRegistry, start_http_server
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from ftp_server.room import FREE_SPACE
from ftp_server.status import Status, status
from ftp_server.tally import Told
from transfer.failures import PermanentFailure

log = logging.getLogger("navette.server")

_HERE = "127.0.0.1"

_BY_PROCESS: tuple[tuple[str, str, Callable[[Told], int]], ...] = (
    ("navette_sessions", "Sessions now.", lambda told: told.sessions),
    ("navette_sessions_logged_in", "Sessions now that are logged in.", lambda told: told.logged_in),
    ("navette_transfers", "Transfers now.", lambda told: told.transfers),
)
_COUNTED: tuple[tuple[str, str, Callable[[Told], int]], ...] = (
    ("navette_deposits", "Documents received since the process started.", lambda told: told.deposits),
    ("navette_deposited_bytes", "Bytes of those documents.", lambda told: told.bytes),
    ("navette_failed_logins", "Logins refused since the process started.", lambda told: told.failed_logins),
    ("navette_banned_logins", "Logins that a ban refused unread, beside those.", lambda told: told.banned_logins),
)


class Metrics(Collector):
    """Serves ``/metrics`` until the program ends.

    Raises ``server.metrics_port_taken`` when another program holds the port, before :meth:`serve` starts a thread.
    No process is forked while measurements are taken: a copy of a lock that is held would never be let go.
    """

    def __init__(self, home: Path, port: int, clock: Callable[[], float] = time.time) -> None:
        self._home = home
        self._port = port
        self._clock = clock
        self._taking = threading.Lock()
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((_HERE, port))
            except OSError as error:
                raise PermanentFailure("server.metrics_port_taken", port=port) from error

    def serve(self) -> None:
        """Start the thread that answers."""
        registry = CollectorRegistry(auto_describe=False)
        registry.register(self)
        if hasattr(os, "register_at_fork"):
            release = self._taking.release
            os.register_at_fork(before=self._taking.acquire, after_in_parent=release, after_in_child=release)
        try:
            start_http_server(self._port, addr=_HERE, registry=registry)
        except OSError as error:  # taken since the server was made: no reason to stop it
            log.error("server.not_measured %s", error)

    def collect(self) -> Iterator[Metric]:
        """Yield all measurements of this moment."""
        with self._taking:
            found = status(self._home, self._clock())
        yield from _of_processes(found)
        yield from _of_home(found)

    def describe(self) -> Iterator[Metric]:
        """Yield nothing: names need no look at the server when this is registered."""
        yield from ()


def _of_processes(found: Status) -> Iterator[Metric]:
    yield _gauge("navette_processes", "Processes that tell what they do.", len(found.told))
    if found.server:
        yield _gauge("navette_start_time_seconds", "When the server started.", found.server.since)
    for name, words, of in _BY_PROCESS:
        gauge = GaugeMetricFamily(name, words, labels=["process"])
        for told in found.told:
            gauge.add_metric([str(told.number)], of(told))
        yield gauge
    for name, words, of in _COUNTED:
        counter = CounterMetricFamily(name, words, labels=["process"])
        for told in found.told:
            counter.add_metric([str(told.number)], of(told), created=told.since)
        yield counter


def _of_home(found: Status) -> Iterator[Metric]:
    if found.counts:
        yield _gauge("navette_documents_waiting", "Documents not collected yet.", found.counts.waiting)
        yield _gauge("navette_documents_waiting_bytes", "Bytes of those documents.", found.counts.waiting_bytes)
        yield _gauge("navette_suspects", "Doubtful files that were put aside.", found.counts.suspects)
        yield _gauge("navette_deposits_today", "Documents received since midnight.", found.counts.today)
        if found.counts.last:
            yield _gauge("navette_last_deposit_time_seconds", "When the newest document came.", found.counts.last)
    if found.free is not None:
        yield _gauge("navette_disk_free_bytes", "Free space on the server's disk.", found.free)
        yield _gauge("navette_disk_floor_bytes", "Free space below which deposits are refused.", FREE_SPACE)
    if found.certificate:
        end = found.certificate.not_after.timestamp()
        yield _gauge("navette_certificate_end_time_seconds", "When the certificate ends.", end)
        yield _gauge("navette_certificate_to_reload", "1: another certificate waits to be loaded.", found.to_reload)


def _gauge(name: str, words: str, value: float) -> Metric:
    return GaugeMetricFamily(name, words, value=value)
