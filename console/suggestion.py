"""Proposes a dossier for a document, with every reason for it and against it; never files one, and never asks SQL.

Each sign speaks for one dossier: certain ones (an enterprise number, the address of a dossier, an invoice's party) or
probable ones (a name in the text, where the sender's earlier documents went). Where the best signs for two dossiers are
equally strong, none is proposed, and both are shown with their reasons.
"""

import enum
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from dossiers.dossier import Dossier
from dossiers.enterprise import numbers_in
from dossiers.mail_rule import text_key, words

_LEGAL_FORMS = frozenset(
    ["sa", "nv", "srl", "bv", "sprl", "bvba", "sc", "cv", "scrl", "cvba", "snc", "vof", "asbl", "vzw", "scs", "commv"]
)
_LEAST_LETTERS = 5  # a shorter name stands in too many texts
_HABIT, _LEAST = 0.8, 2  # so much of a sender's documents, and so many, make a habit


class Weight(enum.IntEnum):
    """How much a sign says."""

    HINT = 1
    PROBABLE = 2
    CERTAIN = 3


@dataclass(frozen=True)
class Reason:
    """A sign: the code of its sentence, what fills it, and how much it says."""

    code: str
    weight: Weight
    seen: str = ""
    count: int = 0
    of: int = 0


@dataclass(frozen=True)
class Candidate:
    """A dossier with what speaks for it, strongest first."""

    dossier: Dossier
    reasons: tuple[Reason, ...]

    @property
    def weight(self) -> tuple[int, int]:
        """Its strongest sign, then all of them together."""
        return max(reason.weight for reason in self.reasons), sum(reason.weight for reason in self.reasons)


@dataclass(frozen=True)
class Suggestion:
    """The dossiers that anything speaks for, likeliest first; ``dossier`` is the one to propose, None if none is."""

    candidates: tuple[Candidate, ...] = ()

    @property
    def dossier(self) -> Dossier | None:
        """The likeliest one, unless another has a sign that is as strong, or nothing but a hint speaks for it."""
        if not self.candidates:
            return None
        first, *others = self.candidates
        best = first.weight[0]
        if best == Weight.HINT or any(other.weight[0] == best for other in others):
            return None
        return first.dossier

    @property
    def against(self) -> tuple[Candidate, ...]:
        """The other dossiers that something speaks for: to be said beside what is proposed."""
        return self.candidates[1:] if self.dossier else ()


@dataclass(frozen=True)
class Seen:
    """What is known of a document: its text, who sent it, and the enterprise numbers of an invoice's two parties."""

    text: str = ""
    sender: str = ""
    supplier: Sequence[str] = ()
    customer: Sequence[str] = ()


class Register:
    """The open dossiers by what they can be recognised by; make one and use it until a dossier changes."""

    def __init__(self, dossiers: Iterable[Dossier], addresses: Mapping[str, str]) -> None:
        self._by_number = {dossier.number: dossier for dossier in dossiers if dossier.archived is None}
        self._addresses = addresses
        self._by_enterprise: dict[str, list[Dossier]] = {}
        self._by_first_word: dict[str, list[tuple[list[str], Dossier]]] = {}
        for dossier in self._by_number.values():
            if dossier.enterprise:
                self._by_enterprise.setdefault(dossier.enterprise, []).append(dossier)
            name = _name_words(dossier.name)
            if sum(map(len, name)) >= _LEAST_LETTERS:
                self._by_first_word.setdefault(name[0], []).append((name, dossier))

    def suggest(self, seen: Seen, history: Mapping[str, int]) -> Suggestion:
        """Propose a dossier; ``history`` says how many documents of this sender went to which dossier by number."""
        found: dict[str, list[Reason]] = {}
        for number, reason in [*self._by_parties(seen), *self._by_text(seen), *self._by_sender(seen, history)]:
            if number in self._by_number:
                found.setdefault(number, []).append(reason)
        candidates = [
            Candidate(self._by_number[number], tuple(sorted(reasons, key=lambda reason: -reason.weight)))
            for number, reasons in found.items()
        ]
        return Suggestion(tuple(sorted(candidates, key=lambda each: each.weight, reverse=True)))

    def _by_parties(self, seen: Seen) -> Iterable[tuple[str, Reason]]:
        for code, numbers in (("suggestion.customer", seen.customer), ("suggestion.supplier", seen.supplier)):
            for enterprise in numbers:
                for dossier in self._by_enterprise.get(enterprise, []):
                    yield dossier.number, Reason(code, Weight.CERTAIN, _dotted(enterprise))

    def _by_text(self, seen: Seen) -> Iterable[tuple[str, Reason]]:
        told = {*seen.customer, *seen.supplier}
        for enterprise in numbers_in(seen.text):
            for dossier in self._by_enterprise.get(enterprise, []):
                if enterprise not in told:
                    yield dossier.number, Reason("suggestion.enterprise", Weight.CERTAIN, _dotted(enterprise))
        read = words(text_key(seen.text))
        named = {}
        for at, word in enumerate(read):
            for name, dossier in self._by_first_word.get(word, []):
                if read[at : at + len(name)] == name:
                    named[dossier.number] = dossier.name
        for number, called in named.items():
            yield number, Reason("suggestion.name", Weight.PROBABLE, called)

    def _by_sender(self, seen: Seen, history: Mapping[str, int]) -> Iterable[tuple[str, Reason]]:
        alias = self._addresses.get(seen.sender.strip().lower())
        if alias:
            yield alias, Reason("suggestion.address", Weight.CERTAIN, seen.sender)
        filed = sum(history.values())
        for number, count in history.items():
            habit = count >= _LEAST and count >= _HABIT * filed
            weight = Weight.PROBABLE if habit else Weight.HINT
            yield number, Reason("suggestion.history", weight, seen.sender, count, filed)


def _name_words(name: str) -> list[str]:
    """Return the words of a dossier's name without its legal form, which texts give or not."""
    told = words(re.sub(r"(?<=\b\w)\.(?=\w\b)", "", text_key(name)))
    return [word for word in told if word not in _LEGAL_FORMS] or told


def _dotted(enterprise: str) -> str:
    return f"{enterprise[:4]}.{enterprise[4:7]}.{enterprise[7:]}"
