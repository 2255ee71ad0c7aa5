"""A POP3 mailbox: what is removed is gone when the server has said goodbye; never trusts anything before that."""

import binascii
import contextlib
import poplib
from collections.abc import Sequence

from mail_intake.mailbox import (
    TIMEOUT,
    Access,
    Listed,
    check_pinned,
    failures,
    hang_up,
    refusal,
    tls_context,
    xoauth2,
)
from transfer.receipts import Receipt

poplib._MAXLINE = 10_000_000  # type: ignore[attr-defined]  # mails have longer lines than its 2,048 bytes


class Pop3Mailbox:
    """Opens a mailbox; refused with a ``mailbox.`` code. A number is the server's UIDL."""

    generation = ""

    def __init__(self, access: Access) -> None:
        self._access = access
        self._pop: poplib.POP3 | None = None
        self._abandoned = False
        self._here: dict[str, int] = {}
        self._sizes: dict[str, int] = {}
        with failures(access):
            self._session()

    def listed(self) -> list[Listed]:
        """Return all messages."""
        with failures(self._access):
            self._session()
        return [Listed(number, self._sizes[number]) for number in self._here]

    def fetch(self, numbers: Sequence[str]) -> list[tuple[str, bytes]]:
        """Return messages with their bytes."""
        found = []
        with failures(self._access):
            pop = self._session()
            for number in numbers:
                if number in self._here:
                    _, lines, _ = pop.retr(self._here[number])
                    found.append((number, b"\r\n".join([*lines, b""])))
        return found

    def remove(self, receipts: Sequence[Receipt]) -> set[str]:
        """Remove messages and end the session: its goodbye is what removes them. POP3 has no folders."""
        if self._access.move_to is not None:
            raise ValueError("POP3 has no folders")
        if not receipts:
            return set()
        with failures(self._access):
            pop = self._session()
            gone = {receipt.source for receipt in receipts if receipt.source in self._here}
            for number in gone:
                pop.dele(self._here[number])
            self._pop = None
            try:
                pop.quit()
            except BaseException:
                pop.close()
                raise
        return gone

    def close(self) -> None:
        """Leave without removing anything more."""
        if self._pop is not None:
            with contextlib.suppress(poplib.error_proto, OSError):
                self._pop.quit()
            self._pop.close()
            self._pop = None

    def abandon(self) -> None:
        """Break the session off from another thread; none is opened anew."""
        self._abandoned = True
        if self._pop is not None:
            hang_up(self._pop.sock)

    def _session(self) -> poplib.POP3:
        """Return the open session, or a new one with the numbers as they are there."""
        if self._pop is not None:
            return self._pop
        if self._abandoned:
            raise EOFError
        pop = _connected(self._access)
        try:
            check_pinned(self._access, pop.sock)
            self._log_in(pop)
            sizes = dict(line.split()[:2] for line in pop.list()[1])
            told = [line.split() for line in pop.uidl()[1]]
            self._here = {uidl.decode("latin-1"): int(place) for place, uidl in told}
            self._sizes = {uidl.decode("latin-1"): int(sizes.get(place, b"0")) for place, uidl in told}
        except BaseException:
            pop.close()
            raise
        self._pop = pop
        return pop

    def _log_in(self, pop: poplib.POP3) -> None:
        try:
            if self._access.token is None:
                pop.user(self._access.user)
                pop.pass_(self._access.password)
            else:  # in two steps: Microsoft refuses both in one line
                self._command(pop, "AUTH XOAUTH2")
                self._command(pop, binascii.b2a_base64(xoauth2(self._access), newline=False).decode())
        except poplib.error_proto:
            raise refusal(self._access) from None

    @staticmethod
    def _command(pop: poplib.POP3, line: str) -> None:
        """Send a line and read its answer, which may be a plus that asks for the next."""
        pop._putcmd(line)  # type: ignore[attr-defined]
        answer, _ = pop._getline()  # type: ignore[attr-defined]
        if not answer.startswith(b"+"):
            raise poplib.error_proto(answer)
        if answer.startswith(b"+ ") and " " not in line:  # the token was refused: an empty line ends the explanation
            pop._putcmd("")  # type: ignore[attr-defined]
            raise poplib.error_proto(pop._getline()[0])  # type: ignore[attr-defined]


def _connected(access: Access) -> poplib.POP3:
    if access.security == "tls":
        return poplib.POP3_SSL(access.host, access.port, context=tls_context(access), timeout=TIMEOUT)
    pop = poplib.POP3(access.host, access.port, timeout=TIMEOUT)
    if access.security == "starttls":
        pop.stls(tls_context(access))
    return pop
