"""Measures how fast mails are collected over TLS, beside imap_tools and getmail6 on the same server; never a test.

Run it as ``python -m benchmarks.mail --peers FOLDER [--quick] [--rounds N]``; the folder has imap-tools and getmail6
(``pip install --target FOLDER imap-tools getmail6``).
"""

import argparse
import os
import random
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from email.message import EmailMessage
from pathlib import Path

from firm_side import FirmSide
from mail_server import PASSWORD, USER, MailServer, mail_server
from navette_server import NAVETTE, ROOT

from benchmarks.disk import working_folder

COUNT, QUICK = 1000, 150

_GETMAIL = """
[retriever]
type = SimpleIMAPSSLRetriever
server = localhost
port = {port}
username = {user}
password = {password}
ca_certs = {authority}
[destination]
type = Maildir
path = {folder}/Maildir/
[options]
delete = true
read_all = true
verbose = 0
"""


@dataclass(frozen=True)
class Took:
    """What a program took: seconds on the clock, seconds of the processor, and MiB at most."""

    wall: float
    cpu: float
    memory: float


def mails(count: int) -> Iterator[tuple[bytes, int]]:
    """Yield mails of one to three PDF files of 20 to 400 KiB, and how many each has; the same in every run."""
    source = random.Random(570)
    for n in range(count):
        message = EmailMessage()
        message["From"], message["To"] = f"client{n % 40}@example.test", USER
        message["Subject"], message["Message-ID"] = f"Factures {n}", f"<{n}@example.test>"
        message.set_content("Bonjour,\n\nVoici les factures.\n")
        files = source.choice((1, 2, 2, 3))
        for k in range(files):
            content = b"%PDF-1.4\n" + source.randbytes(source.randint(20, 400) * 1024) + b"\n%%EOF\n"
            message.add_attachment(content, maintype="application", subtype="pdf", filename=f"facture-{n}-{k}.pdf")
        yield message.as_bytes(), files


def ran(command: Sequence[str | Path], more: dict[str, str] | None = None) -> Took:
    """Run a program to its end and return what it took, with all that it started and waited for."""
    began = time.perf_counter()
    process = subprocess.Popen(
        [str(word) for word in command], cwd=ROOT, env={**os.environ, **(more or {})}, stdout=subprocess.DEVNULL
    )
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"{command[0]} ended with {process.returncode}")
    return Took(time.perf_counter() - began, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024)


def navette(server: MailServer, folder: Path, _: Path) -> Took:
    """One round of the firm: stored, hashed, synced, on record, the raw mail kept, removed."""
    firm = FirmSide(folder)
    firm.add_dossier("000204", "Boulangerie Dupont")
    firm.mailbox(**server.settings())
    return ran([*NAVETTE, "--home", folder, "mail", "--once"])


def navette_not_keeping(server: MailServer, folder: Path, peers: Path) -> Took:
    """The same without keeping raw mails."""
    FirmSide(folder).set(mail__keep_raw_days="0")
    return navette(server, folder, peers)


def imap_tools(server: MailServer, folder: Path, peers: Path) -> Took:
    """imap_tools, 20 at a time, attachments stored and hashed, nothing synced."""
    script = Path(__file__).with_name("mail_peer.py")
    where = ["localhost", str(server.imaps), USER, PASSWORD, server.folder / "certificate.pem", folder]
    return ran([sys.executable, script, *where], {"PYTHONPATH": str(peers)})


def getmail6(server: MailServer, folder: Path, peers: Path) -> Took:
    """getmail6 into a Maildir, whole mails; it syncs each."""
    for part in ("new", "cur", "tmp"):
        (folder / "Maildir" / part).mkdir(parents=True)
    told = {"port": server.imaps, "user": USER, "password": PASSWORD, "folder": folder}
    (folder / "getmailrc").write_text(_GETMAIL.format(authority=server.folder / "certificate.pem", **told))
    command: list[str | Path] = [
        sys.executable,
        peers / "bin" / "getmail",
        f"--getmaildir={folder}",
        "--rcfile=getmailrc",
    ]
    if os.geteuid() == 0:  # it refuses to deliver as root
        allowed = ["--inh-caps=+dac_override", "--ambient-caps=+dac_override"]
        for path in (folder, *folder.rglob("*")):
            os.chown(path, 65534, 65534)
        command = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", *allowed, *command]
    return ran(command, {"PYTHONPATH": str(peers)})


CONTENDERS: dict[str, Callable[[MailServer, Path, Path], Took]] = {
    "Navette (durable, on record, raw mails kept)": navette,
    "Navette (raw mails not kept)": navette_not_keeping,
    "imap_tools, bulk of 20 (no sync)": imap_tools,
    "getmail6 (whole mails)": getmail6,
}


def main() -> None:
    """Let all contenders empty the same mailbox in turn, round after round, and print the medians."""
    words = argparse.ArgumentParser(prog="python -m benchmarks.mail")
    words.add_argument("--quick", action="store_true", help=f"{QUICK} mails")
    words.add_argument("--rounds", type=int, default=1)
    words.add_argument("--only", choices=list(CONTENDERS), action="append")
    words.add_argument("--peers", type=Path, required=True)
    chosen = words.parse_args()
    found: dict[str, list[Took]] = {}
    with working_folder(5120) as folder, mail_server() as server:
        (folder / "mails").mkdir()
        count = QUICK if chosen.quick else COUNT
        files = size = 0
        for number, (raw, inside) in enumerate(mails(count)):  # on the disk: a child is charged with this memory
            (folder / "mails" / str(number)).write_bytes(raw)
            files, size = files + inside, size + len(raw)
        for n in range(chosen.rounds):
            for name in chosen.only or CONTENDERS:
                server.empty()
                for number in range(count):
                    server.put((folder / "mails" / str(number)).read_bytes())
                run = folder / f"run-{n}"
                run.mkdir()
                found.setdefault(name, []).append(CONTENDERS[name](server, run, chosen.peers.absolute()))
                _check(server, run, count, files)
                shutil.rmtree(run)
    _print(found, f"{count} mails, {files} files, {size / 1e6:.0f} MB", count)


def _print(found: dict[str, list[Took]], what: str, count: int) -> None:
    print(f"{what}, IMAP over TLS\n| program | s | CPU ms a mail | MiB |\n|---|---|---|---|")
    middle = {name: statistics.median(one.wall for one in took) for name, took in found.items()}
    for name, took in found.items():
        cpu = statistics.median(one.cpu for one in took) * 1000 / count
        print(f"| {name} | {middle[name]:.1f} | {cpu:.1f} | {max(one.memory for one in took):.0f} |")
    first, *others = middle
    for other in others:
        print(f"{first} took {middle[first] / middle[other]:.2f} of the time of {other}")


def _check(server: MailServer, folder: Path, count: int, files: int) -> None:
    """Refuse to count a run that did not bring everything and empty the mailbox."""
    brought = len(list(folder.rglob("*facture-*.pdf"))), len(list(folder.glob("Maildir/new/*")))
    if any(server.maildir.glob("[nc]*/*")) or brought not in {(files, 0), (0, count)}:
        raise RuntimeError(f"{brought} of {files} files in {count} mails were brought")


if __name__ == "__main__":
    main()
