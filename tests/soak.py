"""Loads a server of two processes for a while, kills it and its senders again and again, then counts every document.

``make soak MINUTES=30``. Each document that was answered 226 must be there exactly once, published or collected, with
the bytes it was sent with; one that was not answered at most once; half a one never. Ends with 0 if that is so.
"""

import argparse
import contextlib
import hashlib
import os
import random
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "support")]

import scanners  # noqa: E402
from client_side import ClientSide  # noqa: E402
from dialogue import READ, WRITE, Dialogue, finish  # noqa: E402
from navette_server import FIDUCIARY, NavetteServer  # noqa: E402
from processes import MARK, descendants, end, started  # noqa: E402

from transfer.client_ini import Connection, Security  # noqa: E402
from transfer.failures import Failure  # noqa: E402
from transfer.ftp_session import FtpSession  # noqa: E402

DOSSIER = f"{WRITE}_000204"
TROUBLE = (OSError, EOFError, AssertionError, Failure, subprocess.SubprocessError)


class Ledger:
    """What was sent, by the SHA-256 of its bytes; for any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.answered: Counter[str] = Counter()
        self.offered: dict[str, str] = {}
        self.halves: set[str] = set()
        self.collected: set[str] = set()
        self.wrong: list[str] = []
        self.killed: Counter[str] = Counter()

    def document(self, chance: random.Random, sender: str) -> bytes:
        """Make a document that no other equals."""
        size = chance.choice((300, 5_000, 60_000, 60_000, 400_000, 3_000_000))
        content = b"%PDF-1.4\n" + chance.randbytes(size) + b"\n%%EOF\n"
        with self._lock:
            self.offered[fingerprint(content)] = sender
        return content

    def took(self, content: bytes) -> None:
        """Note that 226 was answered."""
        with self._lock:
            self.answered[fingerprint(content)] += 1

    def half(self, content: bytes) -> None:
        """Note bytes that must never be published."""
        with self._lock:
            self.halves.add(fingerprint(content))


class Soak:
    """A server under load, and those who load it."""

    def __init__(self, folder: Path, seed: int, minutes: float) -> None:
        self.folder = folder
        self.seed = seed
        self.until = time.monotonic() + minutes * 60
        self.ledger = Ledger()
        self.server = NavetteServer(folder / "navette")
        self.server.add_accounts()
        self.server.add_accounts(dossier="000204")
        self.log = b""
        self.pause = threading.Event()
        self.client = ClientSide(folder / "client")
        self.uploaded: dict[str, str] = {}

    @property
    def going(self) -> bool:
        """Whether there is time left."""
        return time.monotonic() < self.until

    def start(self) -> None:
        """Start the server, keeping what it logged before."""
        with contextlib.suppress(FileNotFoundError):
            self.log += self.server.log.read_bytes()
        self.server.start(None, "--processes", "2")

    def run(self) -> int:
        """Load and kill until the time is over, then let everything come to its end and count."""
        self.start()
        self.client.give_ini(self.server.connection(DOSSIER), "/")
        work: list[Callable[[random.Random], None]] = [self.raw] * 4 + [self.curl, self.lftp, self.lftp]
        work += [self.rude, self.renaming, self.probing, self.uploader, self.collector, self.collector]
        threads = [
            threading.Thread(target=self.keep, args=(each, random.Random(self.seed + n))) for n, each in enumerate(work)
        ]
        for thread in threads:
            thread.start()
        try:
            self.trouble(random.Random(self.seed - 1))
        finally:
            self.until = 0
            for thread in threads:
                thread.join()
            self.server.stop()
            self.start()
        self.send_the_rest()
        self.server.stop()
        self.start()
        self.server.stop()
        self.log += self.server.log.read_bytes()
        return self.count()

    def keep(self, work: Callable[[random.Random], None], chance: random.Random) -> None:
        """Do one kind of work again and again."""
        while self.going:
            try:
                work(chance)
            except TROUBLE:
                self.pause.wait(0.2)
            except Exception as error:  # a fault of this script must not pass for quiet
                self.ledger.wrong.append(f"{work.__name__}: {error!r}")
                raise

    # --- trouble

    def trouble(self, chance: random.Random) -> None:
        """Kill processes of the server, or all of it, and stop it properly now and then."""
        while self.going:
            self.pause.wait(min(chance.uniform(2, 12), max(0.0, self.until - time.monotonic())))
            kind = chance.choice(("process", "process", "server", "stop"))
            if kind == "process":
                below = descendants(self.server.pid)
                if len(below) < 2:
                    continue
                with contextlib.suppress(ProcessLookupError):
                    os.kill(chance.choice(below), signal.SIGKILL)
            else:
                self.server.stop(signal.SIGKILL if kind == "server" else signal.SIGTERM)
                self.start()
            self.ledger.killed[kind] += 1

    # --- senders

    def retried(self, chance: random.Random, content: bytes, send: Callable[[], bool]) -> None:
        """Send until it is answered, as devices and people do; now and then give up."""
        while self.going:
            with contextlib.suppress(*TROUBLE):
                if send():
                    self.ledger.took(content)
                    return
            if chance.random() < 0.1:
                return
            self.pause.wait(chance.uniform(0.05, 1))

    def raw(self, chance: random.Random) -> None:
        """A scanner that logs in for each document, with names that come again and again."""
        content = self.ledger.document(chance, "raw")
        login, tls = chance.choice((WRITE, DOSSIER)), chance.random() < 0.5
        name = chance.choice(
            ("scan.pdf", "scan.pdf", f"{chance.randrange(10**6)}.pdf", "/box/scan.pdf", "/000204/a.pdf")
        )
        command = chance.choice((b"STOR", b"STOR", b"APPE"))

        def send() -> bool:
            with Dialogue(self.server) as session:
                if tls:
                    session.secure()
                session.log_in(login)
                if chance.random() < 0.3:
                    session.say(f"ALLO {len(content)}")
                return session.store(name, content, command)[:3] == "226"

        self.retried(chance, content, send)

    def rude(self, chance: random.Random) -> None:
        """A device that dies in the middle: by a reset, by a clean end of everything, by ABOR."""
        content = self.ledger.document(chance, "rude")
        half = content[: len(content) // 2]
        self.ledger.half(half)
        with Dialogue(self.server) as session:
            session.log_in(WRITE)
            data = session.begin("STOR /rude/half.pdf")
            data.sendall(half)
            way = chance.randrange(3)
            if way == 0:
                data.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            elif way == 1:
                session.say("ABOR")
            data.close()

    def renaming(self, chance: random.Random) -> None:
        """A device that sends under a temporary name and renames, and begins anew until both are answered."""
        content = self.ledger.document(chance, "renaming")
        name = chance.choice(("scan", f"r{chance.randrange(10**9)}"))

        def send() -> bool:
            with Dialogue(self.server) as session:
                session.log_in(WRITE)
                if session.store(f"/renamed/{name}.tmp", content)[:3] != "226":
                    return False
                session.say(f"RNFR /renamed/{name}.tmp")
                return session.say(f"RNTO /renamed/{name}.pdf")[:3] == "250"

        self.retried(chance, content, send)

    def probing(self, chance: random.Random) -> None:
        """A device whose test button sends a small file and deletes it."""
        content = b"test " + chance.randbytes(8).hex().encode()
        self.ledger.offered[fingerprint(content)] = "probing"
        with Dialogue(self.server) as session:
            session.log_in(WRITE)
            session.store("/probe/test.txt", content)
            session.say("DELE /probe/test.txt")
        self.pause.wait(0.5)

    def curl(self, chance: random.Random) -> None:
        """A script with curl."""
        self.program(chance, "curl", curl_command)

    def lftp(self, chance: random.Random) -> None:
        """A script with lftp."""
        self.program(chance, "lftp", lambda connection, path: scanners.lftp_command(connection, f'put "{path}"', True))

    def program(self, chance: random.Random, kind: str, command: Callable[[Connection, Path], list[str]]) -> None:
        """Send by a program, which may be killed before it ends."""
        content = self.ledger.document(chance, kind)
        path = self.folder / f"{kind}-{chance.randrange(10**9)}.pdf"
        path.write_bytes(content)

        def send() -> bool:
            log = self.folder / "programs.log"
            process = started(command(self.server.connection(WRITE, Security.NONE), path), log)
            try:
                return process.wait(chance.choice((0.05, 0.2, 30, 30, 30))) == 0
            finally:
                if process.poll() is None:
                    self.ledger.killed[kind] += 1
                end(process, signal.SIGKILL)

        try:
            self.retried(chance, content, send)
        finally:
            path.unlink()

    def uploader(self, chance: random.Random) -> None:
        """Our own uploader in silent mode, which is killed now and then."""
        for _ in range(chance.randrange(1, 30)):
            name = f"u{chance.randrange(10**9)}.pdf"
            content = self.ledger.document(chance, "uploader")
            fresh = self.folder / name
            fresh.write_bytes(content)
            self.uploaded[name] = fingerprint(content)
            fresh.rename(self.client.folder / name)
        process = self.client.start_uploading(self.folder / "uploader.log")
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(chance.choice((0.8, 1.5, 60)))
        if process.poll() is None:
            self.ledger.killed["uploader"] += 1
        end(process, signal.SIGKILL)

    def send_the_rest(self) -> None:
        """Let the uploader send what it still has; what is gone from its folder was answered."""
        for _ in range(10):
            if self.client.upload().code == 0 and not self.client.left():
                break
        left = set(self.client.left())
        if left:
            self.ledger.wrong.append(f"the uploader could not send {len(left)} documents")
        self.ledger.answered.update(sha for name, sha in self.uploaded.items() if name not in left)

    # --- the firm

    def collector(self, chance: random.Random) -> None:
        """Collect as READ: retrieve, compare, remove."""
        with FtpSession(self.server.connection(READ), timeout=20) as session:
            paths = [found.path for found in session.walk("/")]
        chance.shuffle(paths)
        with Dialogue(self.server) as session:
            session.secure()
            session.log_in(READ)
            for path in paths[: chance.randrange(60)]:
                with session.data(session.passive()) as plain:
                    if session.say(f"RETR {path}")[:3] != "150":  # the other collector was faster
                        continue
                    data = session.guarded(plain)
                    content = b"".join(iter(lambda data=data: data.recv(65_536), b""))
                    finish(data)
                if session.reply()[:3] != "226":
                    return
                if fingerprint(content) not in self.ledger.offered:
                    self.ledger.wrong.append(f"collected what nobody sent: {path}, {len(content)} bytes")
                if session.say(f"DELE {path}")[:3] == "250":
                    self.ledger.collected.add(fingerprint(content))
        self.pause.wait(chance.uniform(0, 2))

    # --- the count

    def held(self) -> Iterator[tuple[str, Path]]:
        """Yield what lies published, or collected in the trash: fingerprint and path; not what was withdrawn."""
        withdrawn = {
            deposit for (deposit,) in self.server.rows("select id from deposits where evidence = 'sent_again'")
        }
        top = self.server.home / "server" / "fiduciaries" / FIDUCIARY
        for room in ("files", "trash"):
            for path in (top / room).rglob("*"):
                if path.is_file() and path.name not in withdrawn:
                    yield fingerprint(path.read_bytes()), path

    def count(self) -> int:
        """Compare what was sent with what is there; print the result and return the exit code."""
        ledger, there, where = self.ledger, Counter[str](), {}
        for sha, path in self.held():
            there[sha] += 1
            where[sha] = str(path)
        recorded = "select sha256 from deposits where evidence not in ('test', 'sent_again')"
        rows = Counter(sha for (sha,) in self.server.rows(recorded))
        staged = [path for path in self.server.home.rglob("staging/*/*") if path.is_file()]
        failures = self.log.count(b"session.failed"), self.log.count(b"_failed ")
        faults = {
            "answered and lost": [sha for sha in ledger.answered if not there[sha]],
            "there twice": [sha for sha, times in there.items() if times > 1],
            "torn": [sha for sha in there if sha in ledger.halves],
            "there, and sent by nobody": [sha for sha in there if sha not in ledger.offered],
            "answered without a row": [sha for sha in ledger.answered if not rows[sha]],
            "two rows": [sha for sha, times in rows.items() if times > 1],
            "left in staging": staged,
            "wrong": ledger.wrong,
        }
        print(f"offered {len(ledger.offered)}, answered {len(ledger.answered)}, collected {len(ledger.collected)}")
        print(
            f"killed or stopped: {dict(ledger.killed)}; session.failed in the log: {failures[0]}, others: {failures[1]}"
        )
        for fault, found in faults.items():
            print(f"{fault}: {len(found)}")
            for each in found[:10]:
                print(f"  {each} {ledger.offered.get(str(each), '')} {where.get(str(each), '')}")
        return 1 if any(faults.values()) or any(failures) else 0


def curl_command(connection: Connection, path: Path) -> list[str]:
    """Return the command line that deposits one file with curl."""
    login = f"{connection.user}:{connection.password}"
    address = f"ftp://{connection.host}:{connection.port}/curl/"
    return ["curl", "-sS", "--max-time", "60", "--ssl-reqd", "--insecure", "-u", login, "-T", str(path), address]


def fingerprint(content: bytes) -> str:
    """Return the SHA-256 of bytes in hex."""
    return hashlib.sha256(content).hexdigest()


def main() -> int:
    """Run as a program."""
    parser = argparse.ArgumentParser(description="Load a server, kill it again and again, and count every document.")
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--seed", type=int, default=random.randrange(10**6))
    parser.add_argument("--keep", type=Path, help="a folder to work in and to leave as it is")
    asked = parser.parse_args()
    print(f"seed {asked.seed}", flush=True)
    os.environ[MARK] = str(os.getpid())
    with contextlib.ExitStack() as opened:
        folder = asked.keep or Path(opened.enter_context(tempfile.TemporaryDirectory()))
        folder.mkdir(parents=True, exist_ok=True)
        soak = Soak(folder, asked.seed, asked.minutes)
        try:
            result = soak.run()
        finally:
            soak.server.stop()
        (folder / "server.log").write_bytes(soak.log)
        return result


if __name__ == "__main__":
    sys.exit(main())
