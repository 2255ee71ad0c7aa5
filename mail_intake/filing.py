"""Delivers the files of mails where they were decided to go, and counts them; never removes a mail."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import BinaryIO

from dossiers import dossier as dossiers
from dossiers.delivery import BATCH, Delivery, Received
from dossiers.designation import LOST
from dossiers.document import Arrival, Destination, Document, State
from dossiers.firm import Firm
from dossiers.mails import Decided, Met
from dossiers.pauses import UNREACHABLE
from dossiers.rounds import Result
from mail_intake.part import Part
from mail_intake.routing import Routed
from mail_intake.rules import Action
from transfer.failures import Failure
from transfer.fingerprints import Fingerprint

ORIGIN = "mail"
"""The kind of source these documents come from."""

FULL = frozenset({"delivery.disk_full", "database.full"})
"""The failures that no other mail of this round would escape."""

Told = Callable[[Document, Failure | None], None]
"""Told each document that was stored, and each that failed with its failure."""

Missing = tuple[Arrival, Part, Document | None]
"""A file that is to be delivered, and its document if it was discovered before."""


class Filing:
    """The deliveries of one round; ``full`` is the failure after which no other would succeed."""

    def __init__(self, firm: Firm, delivery: Delivery, told: Told) -> None:
        self._firm = firm
        self._delivery = delivery
        self._told = told
        self._dossiers = {dossier.number: dossier for dossier in dossiers.every(firm)}
        self._counts = {"delivered": 0, "waiting": 0, "failed": 0}
        self.full: Failure | None = None

    def documents(self) -> dict[int, dict[str, Document]]:
        """Return the documents whose mail is still in its mailbox, by mail and path."""
        found: dict[int, dict[str, Document]] = {}
        for document in self._delivery.open_documents(ORIGIN):
            found.setdefault(int(document.path.partition("/")[0]), {})[document.path] = document
        return found

    def missing(
        self, mail: Met, sender: str, offered: Sequence[Routed], known: Mapping[str, Document]
    ) -> list[Missing]:
        """Return those of a mail's files that are not at rest."""
        wanted: list[Missing] = []
        for each in offered:
            old = known.get(path_of(mail, each.part))
            if old is None or old.state is State.DISCOVERED:
                wanted.append((self._arrival(mail, sender, each), each.part, old))
        return wanted

    def deliver(self, wanted: Sequence[Missing]) -> None:
        """Deliver files, up to 50 together, but for those whose folder cannot be reached."""
        pauses = self._delivery.pauses
        wanted = [one for one in wanted if not pauses.holds_back(one[0].to, one[0].path)]
        for at in range(0, len(wanted), BATCH):
            together = wanted[at : at + BATCH]
            arrivals = [arrival for arrival, _, _ in together]
            documents = self._delivery.discover(arrivals, {old.path: old for _, _, old in together if old})
            received: list[Received] = []
            failed: list[tuple[Document, Failure]] = []
            for document, (arrival, part, _) in zip(documents, together, strict=True):
                try:
                    received.append(self._delivery.receive(document, arrival, _writing(part)))
                except Failure as failure:
                    if failure.code == LOST:
                        raise
                    failed.append((document, failure))
            outcome = self._delivery.store(received)
            for document, _ in outcome.stored:
                self._counts["delivered" if document.dossier else "waiting"] += 1
                self._told(document, None)
            self._record(failed + outcome.failed)

    def forget(self, documents: Iterable[Document]) -> None:
        """Record that what was only discovered is no longer wanted."""
        self._delivery.vanished([one for one in documents if one.state is State.DISCOVERED])

    def removed(self, documents: Iterable[Document]) -> None:
        """Record that the mail of these documents is gone from its mailbox."""
        self._delivery.removed([one for one in documents if one.state is State.STORED])

    def holds_any(self, paths: Iterable[str]) -> bool:
        """Tell whether one of these documents was kept back because its folder cannot be reached."""
        return self._delivery.pauses.hold_any(paths)

    def count_failed(self) -> None:
        """Count a mail that could not be read."""
        self._counts["failed"] += 1

    def result(self, round_name: str) -> Result:
        """Keep what is paused under the name of the round, and return what was counted."""
        paused = self._delivery.pauses.end(round_name)
        return Result(**self._counts, paused=sum(pause.documents for pause in paused))

    def _record(self, failed: Sequence[tuple[Document, Failure]]) -> None:
        self.full = self.full or next((failure for _, failure in failed if failure.code in FULL), None)
        self._delivery.failed(failed)
        for document, failure in failed:
            if failure.code != UNREACHABLE:  # told once for the whole dossier, with all that its pause keeps back
                self._counts["failed"] += 1
                self._told(document, failure)

    def _arrival(self, mail: Met, sender: str, each: Routed) -> Arrival:
        decision, part = each.decision, each.part
        if each.threat is not None:
            to = Destination.waiting(self._firm.quarantine_folder, decision.reason)
        elif decision.action is Action.DELIVER and decision.dossier is not None:
            dossier = self._dossiers[decision.dossier]
            to = Destination.in_dossier(dossier, self._firm.root, self._firm.clock())
        else:
            to = Destination.waiting(self._firm.waiting_folder, decision.reason)
        told = part.fingerprint
        arrival = Arrival(ORIGIN, mail.source, path_of(mail, part), part.name, to, told.size, None, told.sha256)
        return replace(arrival, sender=sender or None, threat=each.threat)


def path_of(mail: Met, part: Part) -> str:
    """Return what tells a file of a mail from all others in the database."""
    return f"{mail.id}/{part.path}"


def decided(each: Routed) -> Decided:
    """Return the record of a decision."""
    part, decision = each.part, each.decision
    return Decided(
        part.path,
        part.name,
        part.fingerprint.sha256 or "",
        decision.action.value,
        decision.reason,
        decision.dossier,
        decision.rule,
    )


def _writing(part: Part) -> Callable[[BinaryIO], Fingerprint]:
    def fetch(target: BinaryIO) -> Fingerprint:
        target.write(part.content)
        return part.fingerprint

    return fetch
