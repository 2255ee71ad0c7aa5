"""The commands of a session that concern files and folders; never touches a file itself: views and workers do."""

import logging
import os
import time
from collections.abc import Callable

from ftp_server.data_connection import DataConnection
from ftp_server.folders import new_id, shown
from ftp_server.listing import Entry, blocks, fact_line, long_line, stamp
from ftp_server.receiving import Answer, Asked
from ftp_server.session import Session
from ftp_server.views import CollectView, DepositView, Refused
from transfer.safe_names import split_extension

log = logging.getLogger("navette.server")

FEATURES = (
    "EPRT",
    "EPSV",
    "HASH SHA-256*",
    "MDTM",
    "MLST type*;perm*;size*;modify*;x.sha256*;",
    "NAVETTE",
    "SIZE",
    "TVFS",
    "UTF8",
    "XSHA256",
)
_TLS_FEATURES = ("AUTH TLS", "PBSZ", "PROT")


class FileSession(Session):
    """A session with its commands on files; READ sees what is published, WRITE what it deposited itself."""

    # --- depositing

    def ftp_STOR(self, line: str) -> None:
        """Receive a document."""
        self._deposit(line, "150 Ready to receive.")

    def ftp_APPE(self, line: str) -> None:
        """Receive a document under a new name: nothing is ever appended to a stored one."""
        self._deposit(line, "150 Ready to receive.")

    def ftp_STOU(self, line: str) -> None:
        """Receive a document under a name of the server's making."""
        stem, extension = split_extension(line.strip() or "scan")
        name = f"{stem}-{new_id()[:8]}{extension}"
        self._deposit(name, f"150 FILE: {name}")

    def _deposit(self, raw: str, opening_line: str) -> None:
        view, services = self._depositing(), self.services
        asked = view.asked(raw, self.announced)
        self.announced = None
        if not services.has_room():
            raise Refused("452 The disk of the server is nearly full; please keep your file.")
        folders = services.folders(asked.fiduciary)
        with self.transfer(opening_line) as data:
            services.receiving.receive(asked, folders, data, lambda answer: self._stored(view, asked, answer))

    def _stored(self, view: DepositView, asked: Asked, answer: Answer) -> None:
        if answer.deposit is None:
            log.warning("not stored user=%s peer=%s file=%s: %s", asked.login, asked.peer, asked.name, answer.reply)
            self.respond(answer.reply)
            return
        deposit = answer.deposit
        path = view.remember(deposit, asked).replace('"', '""')
        self.respond(f'226 Stored as "{path}", {deposit.size} bytes, SHA-256 {deposit.sha256}.')
        self.services.receiving.reached("server.answered")
        again = " again" if answer.again else ""
        log.info(
            "stored%s user=%s peer=%s file=%s/%s size=%d",
            again,
            asked.login,
            asked.peer,
            deposit.folder,
            deposit.name,
            deposit.size,
        )
        self.services.deposited(deposit)

    def ftp_ALLO(self, line: str) -> None:
        """Remember the announced size as evidence of completeness."""
        number = line.split(maxsplit=1)[0]
        if not number.isdigit() or len(number) > 15:
            raise Refused("501 ALLO takes a number of bytes.")
        self.announced = int(number)
        self.respond("200 Noted.")

    def ftp_MKD(self, line: str) -> None:
        """Answer as if the folder were made."""
        path = self._depositing().make_folder(line).replace('"', '""')
        self.respond(f'257 "{path}" is there.')

    # --- collecting

    def ftp_RETR(self, line: str) -> None:
        """Send a document."""
        path = self._collecting().path(line)
        offset, self.restart = self.restart, 0
        with path.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            with self.transfer(f"150 Sending {size} bytes.") as data:
                self._sent(data, data.send_file(file, offset))

    def ftp_DELE(self, line: str) -> None:
        """Remove a document that was collected (it stays in the trash for a while)."""
        self._collecting().remove(line)
        log.info("removed user=%s file=%s", self.username, line)
        self.respond("250 Removed.")

    def ftp_RMD(self, line: str) -> None:
        """Refuse: folders are the server's own."""
        del line
        self.respond("550 Folders are not removed here.")

    def ftp_REST(self, line: str) -> None:
        """Begin the next download further on; deposits always begin at 0."""
        if not line.isdigit() or len(line) > 15:
            raise Refused("501 REST takes a number of bytes.")
        if line != "0" and not isinstance(self.view, CollectView):
            raise Refused("502 Deposits begin at 0; please send the whole file again.")
        self.restart = int(line)
        self.respond("350 The next transfer begins there.")

    # --- looking

    def ftp_LIST(self, line: str) -> None:
        """List a folder the way ``ls -l`` does."""
        now = time.time()
        self._list(_without_options(line), lambda entry: long_line(entry, now))

    def ftp_NLST(self, line: str) -> None:
        """List the names in a folder."""
        self._list(_without_options(line), lambda entry: entry.name)

    def ftp_MLSD(self, line: str) -> None:
        """List a folder with facts."""
        self._list(line, fact_line)

    def _list(self, raw: str, as_line: Callable[[Entry], str]) -> None:
        entries = self._viewing().entries(raw)
        with self.transfer("150 Here it comes.") as data:
            self._sent(data, data.send(blocks(as_line(entry) for entry in entries)))

    def _sent(self, data: DataConnection, complete: bool) -> None:
        if complete:
            data.finish()
            self.respond("226 Complete.")
        else:
            data.break_off()
            self.respond("426 The transfer was broken off.")

    def ftp_MLST(self, line: str) -> None:
        """Tell the facts of one file."""
        view = self._viewing()
        if line:
            fact = fact_line(view.entry(line))
        else:
            fact = fact_line(Entry(shown(view.folder), True, 0, time.time(), may="el"))
        self.push(f"250-Listing\r\n {fact}\r\n")
        self.respond("250 End.")

    def ftp_SIZE(self, line: str) -> None:
        """Tell a file's size in bytes, whatever the transfer type."""
        self.respond(f"213 {self._viewing().entry(line).size}")

    def ftp_MDTM(self, line: str) -> None:
        """Tell a file's time of change."""
        self.respond(f"213 {stamp(self._viewing().entry(line).modified)}")

    def ftp_XSHA256(self, line: str) -> None:
        """Tell a file's SHA-256."""
        self.respond(f"250 {self._viewing().sha256(line)}")

    def ftp_HASH(self, line: str) -> None:
        """Tell a file's SHA-256 in the form of draft-bryan-ftpext-hash."""
        view = self._viewing()
        size = view.entry(line).size
        self.respond(f"213 SHA-256 0-{size} {view.sha256(line)} {line}")

    def ftp_CWD(self, line: str) -> None:
        """Go to a folder."""
        self._viewing().change_folder(line)
        self.respond("250 You are there.")

    def ftp_CDUP(self, line: str) -> None:
        """Go to the folder above."""
        del line
        self.ftp_CWD("..")

    def ftp_PWD(self, line: str) -> None:
        """Tell the current folder."""
        del line
        path = shown(self._viewing().folder).replace('"', '""')
        self.respond(f'257 "{path}"')

    # --- ways of speaking

    def ftp_TYPE(self, line: str) -> None:
        """Accept every type: bytes are stored and sent as they are, since ASCII translation destroys documents."""
        if line[:1].upper() not in {"A", "I", "L", "E"}:
            raise Refused("504 There is no such type.")
        self.respond("200 Bytes stay as they are.")

    def ftp_MODE(self, line: str) -> None:
        """Accept stream mode."""
        self.respond("200 Stream." if line.upper() == "S" else "504 Only stream mode.")

    def ftp_STRU(self, line: str) -> None:
        """Accept file structure."""
        self.respond("200 File." if line.upper() == "F" else "504 Only file structure.")

    def ftp_OPTS(self, line: str) -> None:
        """Accept UTF-8, before and after the login."""
        self.respond(
            "200 Always UTF-8." if line.upper().startswith(("UTF8", "UTF-8", "MLST")) else "501 No such option."
        )

    def ftp_FEAT(self, line: str) -> None:
        """Tell the features."""
        del line
        lines = sorted([*FEATURES, *_TLS_FEATURES])
        self.push("211-Features:\r\n" + "".join(f" {feature}\r\n" for feature in lines))
        self.respond("211 End.")

    def ftp_STAT(self, line: str) -> None:
        """Tell that the session lives, and nothing else."""
        del line
        self.respond("211 Navette; a transfer is running." if self.transferring else "211 Navette.")

    def ftp_ABOR(self, line: str) -> None:
        """Break the running transfer off."""
        del line
        if self.transferring:
            self.abort()
        else:
            self.respond("225 Nothing to abort.")

    def ftp_QUIT(self, line: str) -> None:
        """Say goodbye."""
        del line
        self.respond("221 Goodbye.")
        self.ending = True

    def ftp_NOOP(self, line: str) -> None:
        """Do nothing."""
        del line
        self.respond("200 Yes.")

    def ftp_CLNT(self, line: str) -> None:
        """Take note of a program's name."""
        del line
        self.respond("200 Noted.")

    def ftp_ACCT(self, line: str) -> None:
        """Answer that no ACCT is needed."""
        del line
        self.respond("202 Not needed.")

    def ftp_HELP(self, line: str) -> None:
        """Answer shortly."""
        del line
        self.respond("214 Navette takes documents to your accountant.")

    # --- whose session this is

    def _depositing(self) -> DepositView:
        assert isinstance(self.view, DepositView)
        return self.view

    def _collecting(self) -> CollectView:
        assert isinstance(self.view, CollectView)
        return self.view

    def _viewing(self) -> DepositView | CollectView:
        assert self.view is not None
        return self.view


def _without_options(line: str) -> str:
    return "" if line.startswith("-") else line
