"""``navette up``: FTP server, service and console on embedded defaults, until Ctrl-C; never does their work itself."""

import argparse
import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from dossiers import dossier as dossiers
from dossiers.firm import Firm
from dossiers.rounds import ask_at_once
from ftp_server.accounts import Accounts
from ftp_server.server import database
from navette.first_start import Address, prepare
from navette.ini_commands import write_dossier_ini
from navette.parent import HELD
from transfer.failures import PermanentFailure
from transfer.language import Language

PORT = 2121
CONSOLE_PORT = 8480
_HERE = "127.0.0.1"  # the console is opened from this machine; others need a certificate, and `navette console`
_LOOK = 0.2  # seconds between two looks whether a part has ended
_PATIENCE = 60.0  # seconds a part may take to end by itself


def add(commands: Any, language: Language) -> None:
    """Add the command to ``navette``."""
    up = commands.add_parser("up", help=language.say("cli.up"))
    up.add_argument("--host", default="127.0.0.1")
    up.add_argument("--port", type=int, help=language.say("cli.up.port", port=PORT))
    up.add_argument("--console-port", type=int, help=language.say("cli.up.console_port", port=CONSOLE_PORT))
    up.set_defaults(run=_run)


@dataclass(frozen=True)
class Part:
    """A part of Navette that runs as a program of its own, with its log."""

    name: str
    process: subprocess.Popen[str]
    log: Path


def _run(args: argparse.Namespace) -> int:
    home, language = args.home.absolute(), args.language
    with ExitStack() as parts, Firm(home) as firm:
        port = args.port or (firm.settings.number("ftp.port") if firm.settings.is_set("ftp.port") else PORT)
        _check_port(args.host, port)
        stopping = parts.enter_context(_signals())
        words = ["server", "run", "--host", args.host, "--port", str(port), "--json", "--tell-deposits"]
        server = parts.enter_context(_started("server", home, language, words))
        address = _address(server)
        with_accounts = database(home / "server")
        prepare(firm, Accounts(with_accounts), address, language)
        with_accounts.close()
        inis = {each.number: write_dossier_ini(firm, each, home / "ini") for each in dossiers.every(firm)}
        service = parts.enter_context(_started("service", home, language, ["service", "run"]))
        words = ["console", "--host", _HERE, "--port", str(_console_port(firm, args.console_port)), "--json"]
        console = parts.enter_context(_started("console", home, language, words))
        opened = json.loads(_first_line(console))
        _tell(firm, address, opened, inis, parts=[server, service, console], language=language)
        ended = _watch([server, service, console], _Deposits(server), firm, stopping)
        print(language.say("up.stopping"), flush=True)
    if ended:
        raise PermanentFailure("up.part_ended", part=ended.name, log=str(ended.log))
    print(language.say("up.stopped"), flush=True)
    return 0


def _check_port(host: str, port: int) -> None:
    """Refuse a port that another program holds, and propose one that is free."""
    if not _is_free(host, port):
        proposed = next((each for each in range(port + 1, min(port + 100, 65_536)) if _is_free(host, each)), 0)
        raise PermanentFailure("up.port_taken", host=host, port=port, proposed=proposed)


def _is_free(host: str, port: int) -> bool:
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        if os.name != "nt":
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True


@contextmanager
def _signals() -> Iterator[threading.Event]:
    """Set an event on Ctrl-C, on a polite end, and when the terminal goes."""
    stopping = threading.Event()
    numbers = [signal.SIGINT, signal.SIGTERM, *([signal.SIGHUP] if hasattr(signal, "SIGHUP") else [])]
    before = [signal.signal(number, lambda *_: stopping.set()) for number in numbers]
    try:
        yield stopping
    finally:
        for number, earlier in zip(numbers, before, strict=True):
            signal.signal(number, earlier)


@contextmanager
def _started(name: str, home: Path, language: Language, words: list[str]) -> Iterator[Part]:
    """Start a part; at the end of the block, ask it to end, and wait until it has."""
    logs = home / "logs"
    logs.mkdir(exist_ok=True)
    log = logs / f"{name}.log"
    command = [sys.executable, "-m", "navette", "--home", str(home), "--language", language.code, *words]
    with log.open("a", encoding="utf-8") as output:
        # a session of its own: Ctrl-C reaches us alone, and we end the parts in their order
        process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,  # held open until we end, in whatever way: see navette.parent
            stdout=output if name == "service" else subprocess.PIPE,
            stderr=output,
            text=True,
            start_new_session=True,
            env={**os.environ, "PYTHONUNBUFFERED": "1", HELD: "1"},
        )
    try:
        yield Part(name, process, log)
    finally:
        process.terminate()
        try:
            process.wait(_PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        for pipe in filter(None, (process.stdin, process.stdout)):
            pipe.close()


def _console_port(firm: Firm, asked: int | None) -> int:
    """Return the port that is asked for or set, else the first free one: nothing outside is set up for it."""
    if asked or firm.settings.is_set("console.port"):
        port = asked or firm.settings.number("console.port")
        _check_port(_HERE, port)
        return port
    return next(port for port in range(CONSOLE_PORT, 65_536) if _is_free(_HERE, port))


def _first_line(part: Part) -> str:
    """Wait until a part says where it listens."""
    assert part.process.stdout is not None
    line = part.process.stdout.readline()
    if not line:
        part.process.wait()
        raise PermanentFailure("up.part_ended", part=part.name, log=str(part.log))
    return line


def _address(server: Part) -> Address:
    told = json.loads(_first_line(server))
    return Address(told["host"], told["port"], told["fingerprint"])


def _tell(
    firm: Firm,
    address: Address,
    opened: dict[str, str | None],
    inis: dict[str, Path],
    *,
    parts: list[Part],
    language: Language,
) -> None:
    """Print where everything is."""
    say = language.say
    print(say("up.ready"))
    print(f"  {say('up.console'):<14} {opened['address']}")
    if opened["first"]:
        print(f"  {say('up.console_first'):<14} {opened['first']}")
    print(f"  {say('up.ftp'):<14} {say('up.ftp_address', host=address.host, port=address.port)}")
    for each in dossiers.every(firm):
        folder = each.folder(firm.root, firm.clock())
        print(f"  {each.number:<14} {each.name}")
        print(f"  {'':<14} {say('up.ini')} {_short(inis[each.number])}")
        print(f"  {'':<14} {say('up.folder')} {_short(folder)}")
    print(f"  {say('up.waiting'):<14} {_short(firm.waiting_folder)}")
    print(f"  {say('up.logs'):<14} {', '.join(_short(part.log) for part in parts)}")
    first = next(iter(inis.values()), None)
    if first:
        print(f"  {say('up.try'):<14} navette uploader --ini {_short(first)}")
    print(f"  {say('up.stop'):<14} Ctrl-C", flush=True)


def _short(path: Path) -> str:
    """Return a path as seen from the current folder, where that is shorter."""
    return min(os.path.relpath(path), str(path), key=len)


class _Deposits:
    """Hears from the server, line by line, that documents were deposited."""

    def __init__(self, server: Part) -> None:
        self._any = threading.Event()
        threading.Thread(target=self._hear, args=(server.process.stdout,), daemon=True).start()

    def any_since_last_look(self) -> bool:
        """Tell whether something was deposited since this was last asked."""
        heard = self._any.is_set()
        self._any.clear()
        return heard

    def _hear(self, lines: IO[str]) -> None:
        for _ in lines:
            self._any.set()


def _watch(parts: list[Part], deposits: _Deposits, firm: Firm, stopping: threading.Event) -> Part | None:
    """Wait until somebody wants to stop, or a part has ended by itself: that one is returned.

    Whatever is deposited meanwhile makes the service run a round at once.
    """
    while not stopping.wait(_LOOK):
        if deposits.any_since_last_look():
            ask_at_once(firm)
        for part in parts:
            if part.process.poll() is not None:
                return part
    return None
