"""A firm in the test's own process that collects from a server; never a program of its own."""

from collections.abc import Callable

from firm_rooms import Clock

from dossiers.designation import running_rounds
from dossiers.disk import Disk
from dossiers.document import Document
from dossiers.firm import Firm
from dossiers.rounds import Result
from fetcher.round import run_round
from fetcher.sessions import Sessions
from transfer.client_ini import Connection
from transfer.failures import Failure


class Collecting:
    """A firm that collects from a server, one round at a time, with time that the test turns."""

    def __init__(self, firm: Firm, clock: Clock) -> None:
        self.firm = firm
        self.clock = clock
        self.wait: Callable[[float], None] = clock.wait
        self.stopping: Callable[[], bool] = lambda: False
        self.disk: Disk | None = None
        self.told: list[tuple[str, str | None]] = []

    def collect_from(self, connection: Connection) -> None:
        """Set where documents are collected."""
        settings = self.firm.settings
        settings.set("ftp.host", connection.host)
        settings.set("ftp.port", str(connection.port))
        settings.set("ftp.security", connection.security.value)
        settings.set("ftp.fingerprint", connection.fingerprint or "")
        settings.set("ftp.read_user", connection.user)
        settings.set("ftp.read_password", connection.password)

    def round(
        self,
        put_off: bool = True,
        reached: Callable[[str], None] = lambda _: None,
        sessions: Sessions | None = None,
    ) -> Result:
        """Run one round."""
        self.told.clear()

        def told(document: Document, failure: Failure | None) -> None:
            self.told.append((document.path, failure.code if failure else None))

        with running_rounds(self.firm) as lease:
            return run_round(
                self.firm,
                lease,
                wait=self.wait,
                stopping=self.stopping,
                told=told,
                reached=reached,
                disk=self.disk,
                put_off=put_off,
                sessions=sessions,
            )
