"""Runs Debian's clamd with signatures made for the tests on a socket of its own; never as a service."""

import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from ports import free_port, is_listening
from processes import end, reap, started
from waiting import until

MARK = b"navette-test-marker-4711"
"""What the signature finds."""

_CONFIG = """
LocalSocket {folder}/clamd.sock
LocalSocketMode 666
FixStaleSocket yes
TCPSocket {port}
TCPAddr 127.0.0.1
DatabaseDirectory {folder}/db
TemporaryDirectory {folder}/tmp
PidFile {folder}/clamd.pid
LogFile {folder}/clamd.log
Foreground yes
StreamMaxLength 1M
MaxThreads 2
SelfCheck 0
"""


@dataclass(frozen=True)
class VirusScanner:
    """A running clamd: the path of its socket, and its TCP port."""

    socket: str
    port: int


@contextmanager
def virus_scanner() -> Iterator[VirusScanner]:
    """Run a clamd that knows one signature for a ``with`` block; it refuses files of more than 1 MiB."""
    program = shutil.which("clamd", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    assert program, "clamd is not there: run packaging/linux/install-test-peers (make peers)"
    folder = Path(tempfile.mkdtemp(prefix="clamd", dir="/tmp"))  # its socket's path must be short
    for part in ("db", "tmp"):
        (folder / part).mkdir()
    (folder / "db" / "local.ndb").write_text(f"Navette.Test.Marker:0:*:{MARK.hex()}\n")
    (folder / "db" / "local.hdb").write_text(f"{hashlib.md5(b'never').hexdigest()}:5:Never\n")
    port = free_port()
    (folder / "clamd.conf").write_text(_CONFIG.format(folder=folder, port=port))
    log = folder / "started.log"
    process = started([program, "-c", folder / "clamd.conf"], log)
    try:
        until(
            lambda: process.poll() is not None or (is_listening(port) and (folder / "clamd.sock").exists()),
            seconds=60,
            what=f"clamd to listen; it said: {log.read_text(errors='replace')}",
        )
        assert process.poll() is None, f"clamd ended at once: {log.read_text(errors='replace')}"
        yield VirusScanner(str(folder / "clamd.sock"), port)
    finally:
        end(process)
        reap("clamd")
        shutil.rmtree(folder)
