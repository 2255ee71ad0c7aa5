"""A PostgreSQL server from Debian, with a cluster of its own on a free loopback port; never the machine's own one."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ports import free_port
from processes import MARK
from sqlalchemy import create_engine
from waiting import until

_BINARIES = Path("/usr/lib/postgresql")


class PostgreSQL:
    """A running server; it can be stopped, started again and killed."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._bin = max(_BINARIES.iterdir(), key=lambda each: int(each.name)) / "bin"
        self._port = free_port()
        self._made = 0
        if os.getuid() == 0:  # PostgreSQL refuses to run as root
            shutil.chown(folder, "postgres", "postgres")
        self._run("initdb", "--auth=trust", "--username=navette", "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync")
        with (folder / "data" / "postgresql.conf").open("a") as settings:
            settings.write(f"port={self._port}\nlisten_addresses='127.0.0.1'\nunix_socket_directories='{folder}'\n")

    def start(self) -> None:
        """Start it, and wait until it takes connections."""
        self._run("pg_ctl", "--wait", "--log", str(self._folder / "log"), "start")

    def stop(self, how: str = "fast") -> None:
        """Stop it: ``immediate`` is as a power cut."""
        self._run("pg_ctl", "--wait", "--mode", how, "stop")

    def new_database(self) -> str:
        """Return the URL of a database that nothing is in yet."""
        self._made += 1
        name = f"navette{self._made}"
        engine = create_engine(f"{self._url('postgres')}", isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            connection.exec_driver_sql(f"CREATE DATABASE {name}")
        engine.dispose()
        return self._url(name)

    def _url(self, name: str) -> str:
        return f"postgresql+psycopg://navette@127.0.0.1:{self._port}/{name}"

    def _run(self, program: str, *words: str) -> None:
        command = [str(self._bin / program), "--pgdata", str(self._folder / "data"), *words]
        if os.getuid() == 0:
            command = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups", *command]
        log = self._folder / "commands.log"
        unmarked = {name: value for name, value in os.environ.items() if name != MARK}  # it outlives a single test
        with log.open("ab") as output:
            subprocess.run(command, cwd="/", env=unmarked, stdout=output, stderr=output, check=True, timeout=120)


@contextmanager
def running_postgresql() -> Iterator[PostgreSQL]:
    """Run a server for a ``with`` block; nothing is left of it."""
    folder = Path(tempfile.mkdtemp(prefix="navette-postgresql-", dir="/tmp"))
    server = PostgreSQL(folder)
    try:
        server.start()
        yield server
    finally:
        server.stop("immediate")
        until(lambda: not (folder / "data" / "postmaster.pid").exists(), 30, "PostgreSQL to end")
        shutil.rmtree(folder)
