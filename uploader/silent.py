"""Sends a folder without a window, for scripts and schedulers; never asks anything and never imports a toolkit."""

import contextlib
import json
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TextIO

from transfer.client_ini import ClientIni
from transfer.failures import Failure
from transfer.ftp_session import FtpSession
from transfer.language import Language
from transfer.retry import Wait
from uploader.events import Event, Failed, Finished, Pausing, Sent, Started
from uploader.folder import Folder, LocalFile
from uploader.history import History
from uploader.sending import Reached
from uploader.upload import Upload

ALL_SENT, SOME_FAILED, USAGE, UNREACHABLE, LOGIN_REFUSED, CERTIFICATE_REFUSED, NOTHING_TO_SEND = 0, 1, 2, 3, 4, 5, 9
"""What the program ends with."""

STOPPED = {
    "session.unreachable": UNREACHABLE,
    "session.unknown_host": UNREACHABLE,
    "session.interrupted": UNREACHABLE,
    "session.busy": UNREACHABLE,
    "session.no_data_connection": UNREACHABLE,
    "session.login_refused": LOGIN_REFUSED,
    "session.certificate_refused": CERTIFICATE_REFUSED,
    "session.tls_refused": CERTIFICATE_REFUSED,
    "session.fingerprint_differs": CERTIFICATE_REFUSED,
}

"""What a failure that stops an upload as a whole ends the program with."""

LASTING = frozenset(code for code, number in STOPPED.items() if number in {LOGIN_REFUSED, CERTIFICATE_REFUSED})
"""Those that no waiting mends."""


class Report:
    """Says what happens on ``out``: a sentence for each event, or with ``as_json`` a JSON object on its own line."""

    def __init__(self, language: Language, out: TextIO, as_json: bool) -> None:
        self._language = language
        self._out = out
        self._json = as_json

    def failure(self, failure: Failure) -> None:
        """Say why the upload could not even begin."""
        sentence = self._language.failure(failure)
        self._say(sentence, event="refused", code=failure.code)

    def watching(self, folder: Path) -> None:
        """Say that a folder is watched from now on."""
        self._say(self._language.say("silent.watching", folder=folder), event="watching", folder=str(folder))

    def still_written(self, file: LocalFile) -> None:
        """Say that a file is left for the next time, because another program still writes it."""
        sentence = self._language.say("silent.still_written", file=file.path.name)
        self._say(sentence, event="waiting", file=file.path.name)

    def event(self, event: Event) -> None:
        """Say an event of the upload."""
        say = self._language.say
        match event:
            case Started(path, size) if self._json:
                self._say("", event="started", file=path.name, size=size)
            case Sent(path, receipt, fate, kept_as, trouble):
                folder = kept_as.parent if kept_as else ""
                gone = say(f"silent.{fate}", file=path.name, folder=folder)
                sentence = self._language.failure(trouble) if trouble else gone
                self._say(
                    sentence,
                    event="sent",
                    file=path.name,
                    size=receipt.size,
                    sha256=receipt.sha256,
                    stored_as=receipt.stored_as,
                    proof=receipt.proof,
                    fate=fate,
                    kept_as=str(kept_as) if kept_as else None,
                    code=trouble.code if trouble else None,
                )
            case Failed(path, failure):
                sentence = say("silent.failed", file=path.name, reason=self._language.failure(failure))
                self._say(sentence, event="failed", file=path.name, code=failure.code)
            case Pausing(path, failure, seconds):
                sentence = say("silent.pausing", reason=self._language.failure(failure), n=round(seconds))
                self._say(sentence, event="pausing", code=failure.code, seconds=seconds)
            case Finished():
                self._finished(event)

    def _finished(self, event: Finished) -> None:
        sentence = self._language.say_n("silent.sent_count", event.sent)
        if event.failed:
            sentence += " " + self._language.say_n("silent.failed_count", event.failed)
        if event.left:
            sentence += " " + self._language.say_n("silent.left_count", event.left)
        counts = {"sent": event.sent, "failed": event.failed, "stayed": event.stayed, "left": event.left}
        self._say(sentence, event="finished", **counts)

    def _say(self, sentence: str, **fields: object) -> None:
        line = json.dumps({**fields, "sentence": sentence}) if self._json else sentence
        print(line, file=self._out, flush=True)


@dataclass(frozen=True)
class Options:
    """What a silent upload was asked: the folder, the INI's file, and how to go about it."""

    folder: Path
    ini_path: Path
    settle: float
    connections: int
    fail_if_empty: bool


def run(
    ini: ClientIni,
    options: Options,
    history: History,
    report: Report,
    *,
    wait: Wait | None = None,
    now: Callable[[], float] = time.time,
    reached: Reached = lambda _: None,
) -> int:
    """Send what is finished in the folder and return the exit code.

    ``wait`` pauses and ``now`` tells the time; without them the clock of the system does.
    """
    folder = Folder(
        options.folder, ini.extensions, never=[options.ini_path, Path(sys.executable)], settle=options.settle
    )
    try:
        files = folder.look(now())
        if any(not file.ready for file in files):
            (wait or time.sleep)(options.settle)
            files = folder.look(now())
    except Failure as failure:
        report.failure(failure)
        return USAGE
    for file in files:
        if not file.ready:
            report.still_written(file)
    upload = Upload(
        ini,
        history,
        partial(FtpSession, ini.connection),
        report.event,
        wait=wait,
        connections=options.connections,
        reached=reached,
    )
    with ended_by_signals(upload.cancel):
        finished = upload.run(file.path for file in files if file.ready)
    return exit_code(finished, options.fail_if_empty)


def exit_code(finished: Finished, fail_if_empty: bool) -> int:
    """Return what the program ends with: see the constants above."""
    if finished.stopped_by is not None:
        return STOPPED.get(finished.stopped_by.code, SOME_FAILED)
    if finished.failed or finished.stayed or finished.left:
        return SOME_FAILED
    return NOTHING_TO_SEND if fail_if_empty and not finished.sent else ALL_SENT


@contextlib.contextmanager
def ended_by_signals(cancel: Callable[[], None]) -> Iterator[None]:
    """Let Ctrl-C and a polite kill end the upload after the files under way, the second one at once."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {name: signal.signal(name, lambda *_: cancel()) for name in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for name, way in before.items():
            signal.signal(name, way)
