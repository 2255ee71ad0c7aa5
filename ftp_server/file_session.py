"""The commands of a session that concern files and folders; never touches a file itself: views and workers do."""

import logging
import os
import time
from collections.abc import Iterable

from ftp_server.collect_view import CollectView
from ftp_server.data_connection import DataConnection
from ftp_server.deposit_view import DepositView
from ftp_server.folders import new_id, shown
from ftp_server.listing import blocks, fact_line, long_line, stamp
from ftp_server.receiving import Answer, Asked
from ftp_server.refused import GONE, Refused
from ftp_server.session import Session
from ftp_server.tracking import receipt_lines
from transfer.safe_names import split_extension

log = logging.getLogger("navette.server")

FEATURES = (
    "EPRT",
    "EPSV",
    "HASH SHA-256*",
    "MDTM",
    "MLST type*;perm*;size*;modify*;x.sha256*;x.login*;x.peer*;x.receipt*;",
    "NAVETTE",
    "SITE RECEIPT",
    "SIZE",
    "TVFS",
    "UTF8",
    "XCRC",
    "XMD5",
    "XSHA256",
)
_AT_ONCE = 200  # deletions that share one commit
_TLS_FEATURES = ("AUTH TLS", "PBSZ", "PROT")


class FileSession(Session):
    """A session with its commands on files; READ sees what is published, WRITE what it deposited itself."""

    _renaming: str | None = None

    # --- depositing

    def get_ready(self) -> None:
        """Make the file that a deposit will probably be received into."""
        if isinstance(self.view, DepositView):
            self.services.receiving.prepare(self.view.folders)

    def ftp_STOR(self, line: str) -> None:
        """Receive a document."""
        self._deposit(line, "150 Ready to receive.")

    def ftp_APPE(self, line: str) -> None:
        """Receive a document that begins like one, under a new name: nothing is ever appended to a stored one."""
        self._deposit(line, "150 Ready to receive.", appended=True)

    def ftp_STOU(self, line: str) -> None:
        """Receive a document under a name of the server's making."""
        stem, extension = split_extension(line.strip() or "scan")
        name = f"{stem}-{new_id()[-8:]}{extension}"
        self._deposit(name, f"150 FILE: {name}")

    def _deposit(self, raw: str, opening_line: str, *, appended: bool = False) -> None:
        view, receiving = self._depositing(), self.services.receiving
        asked = view.asked(raw, self.announced, appended)
        self.announced = None
        refusal = self.services.room(view.account)
        if refusal:
            raise Refused(refusal)
        with self.transfer(opening_line) as data:
            receiving.receive(asked, view.folders, data, lambda answer: self._stored(view, asked, answer))

    def _stored(self, view: DepositView, asked: Asked, answer: Answer) -> None:
        deposit = answer.deposit
        if deposit is None:
            log.warning("not stored user=%s peer=%s file=%s: %s", asked.login, asked.peer, asked.name, answer.reply)
            self.respond(answer.reply)
            return
        path = view.remember(answer, asked)
        self.respond(f'226 Stored as "{_quoted(path)}", {deposit.size} bytes, SHA-256 {deposit.sha256}.')
        self.services.receiving.reached("server.answered")
        state = "held" if answer.held else "stored again" if answer.again else "stored"
        place = f"{deposit.folder}/{deposit.name}"
        log.info("%s user=%s peer=%s file=%s size=%d", state, asked.login, asked.peer, place, deposit.size)
        if not answer.held:
            self.services.deposited(deposit)

    def ftp_RNFR(self, line: str) -> None:
        """Begin to rename a deposit of this session."""
        self._depositing().entry(line)
        self._renaming = line
        self.respond("350 And its new name?")

    def ftp_RNTO(self, line: str) -> None:
        """Rename it, never onto another file."""
        if self._renaming is None:
            raise Refused("503 Say RNFR first.")
        old, self._renaming = self._renaming, None
        path = self._depositing().rename(old, line)
        log.info("renamed user=%s from=%s to=%s", self.username, old, path)
        self.respond(f'250 It is now "{_quoted(path)}".')

    def ftp_ALLO(self, line: str) -> None:
        """Remember the announced size as evidence of completeness."""
        number, *_ = line.split() or [""]
        if not _is_number(number):
            raise Refused("501 ALLO takes a number of bytes.")
        self.announced = int(number)
        self.respond("200 Noted.")

    def ftp_MKD(self, line: str) -> None:
        """Answer as if the folder were made."""
        self.respond(f'257 "{_quoted(self._depositing().make_folder(line))}" is there.')

    def finish(self) -> None:
        """Publish what the session still holds back."""
        if isinstance(self.view, DepositView):
            self.view.release()

    @property
    def holds(self) -> bool:
        """Whether a deposit waits for its name."""
        return isinstance(self.view, DepositView) and self.view.holds

    # --- collecting

    def ftp_RETR(self, line: str) -> None:
        """Send a document."""
        offset, self.restart = self.restart, 0
        with self._collecting().open(line) as file:
            size = os.fstat(file.fileno()).st_size
            with self.transfer(f"150 Sending {size} bytes.") as data:
                self._sent(data, data.send_file(file, offset))

    def ftp_DELE(self, line: str) -> None:
        """Remove a document that was collected, or one of this session's own; it stays in the trash for a while."""
        lines = [line, *self.following("DELE", _AT_ONCE)]  # what was sent ahead shares one commit
        for removed, refusal in zip(lines, self._viewing().remove(lines), strict=True):
            if not refusal:
                log.info("removed user=%s file=%s", self.username, removed)
            self.respond(refusal or "250 Removed.")

    def ftp_RMD(self, line: str) -> None:
        """Refuse: folders are the server's own."""
        del line
        self.respond("550 Folders are not removed here.")

    def ftp_REST(self, line: str) -> None:
        """Begin the next download further on; deposits always begin at 0."""
        if not _is_number(line):
            raise Refused("501 REST takes a number of bytes.")
        if int(line) and not isinstance(self.view, CollectView):
            raise Refused("502 Deposits begin at 0; please send the whole file again.")
        self.restart = int(line)
        self.respond("350 The next transfer begins there.")

    # --- looking

    def ftp_LIST(self, line: str) -> None:
        """List a folder the way ``ls -l`` does."""
        now = time.time()
        self._list(long_line(entry, now) for entry in self._viewing().entries(_without_options(line)))

    def ftp_NLST(self, line: str) -> None:
        """List the names in a folder."""
        self._list(self._viewing().names(_without_options(line)))

    def ftp_MLSD(self, line: str) -> None:
        """List a folder with facts."""
        self._list(map(fact_line, self._viewing().entries(line, hashed=True)))

    def _list(self, lines: Iterable[str]) -> None:
        with self.transfer("150 Here it comes.") as data:
            self._sent(data, data.send(blocks(lines)))

    def _sent(self, data: DataConnection, complete: bool) -> None:
        if complete:
            data.finish()
            self.respond("226 Complete.")
        else:
            data.break_off()
            self.respond("426 The transfer was broken off.")

    def ftp_MLST(self, line: str) -> None:
        """Tell the facts of one file or folder."""
        view = self._viewing()
        entry = view.folder_entry(line) or view.entry(line)
        self.push(f"250-Listing\r\n {fact_line(entry)}\r\n")
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

    def ftp_XMD5(self, line: str) -> None:
        """Tell a file's MD5."""
        self.respond(f"250 {self._viewing().checksum(line, 'md5')}")

    def ftp_XCRC(self, line: str) -> None:
        """Tell a file's CRC-32."""
        self.respond(f"250 {self._viewing().checksum(line, 'crc32').upper()}")

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
        self.respond(f'257 "{_quoted(shown(self._viewing().folder))}"')

    def ftp_SITE(self, line: str) -> None:
        """Tell what became of an own document, of this session or an earlier one: ``SITE RECEIPT <name|sha256>``."""
        word, _, asked = line.partition(" ")
        if word.upper() != "RECEIPT" or not asked.strip():
            raise Refused("502 Only SITE RECEIPT <name or SHA-256>.")
        found = self.services.receipts(self._viewing().account.name.login, asked.strip())
        if not found:
            raise Refused(GONE)
        lines = [line for deposit in found for line in receipt_lines(deposit)]
        self.push("211-Receipts, newest first:\r\n" + "".join(f" {line}\r\n" for line in lines))
        self.respond(f"211 {len(found)} in all.")

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
        self.give_port_back()  # whoever comes next, told to come by this one, finds it free
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


def _is_number(text: str) -> bool:
    return text.isdecimal() and len(text) <= 15  # no other digits: int() does not know a raised two


def _quoted(path: str) -> str:
    return path.replace('"', '""')


def _without_options(line: str) -> str:
    return "" if line.startswith("-") else line
