"""Decides by the firm's rules where each attachment of a mail goes, and says why; never reads a mail or a database."""

import enum
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from dossiers.mail_rule import Field, Kind, Rule, address_key
from mail_intake.needles import Index, View, haystack, needle

BY_RULE = "mail.by_rule"
"""Reason of a delivery: an inclusion hit."""

BY_ADDRESS = "mail.by_address"
"""Reason of a delivery: the mail was sent to an address that names the dossier."""

ONLY_DOSSIER = "mail.only_dossier"
"""Reason of a delivery: no rule hit, and the firm has one dossier only."""

EXCLUDED = "mail.excluded"
"""Reason for leaving out: an exclusion hit."""

NO_RULE = "waiting.no_rule"
"""Reason for waiting: the firm has several dossiers, and no rule hit."""

RULES_DISAGREE = "waiting.rules_disagree"
"""Reason for waiting: rules of the same priority name different dossiers."""

ADDRESSES_DISAGREE = "waiting.addresses_disagree"
"""Reason for waiting: the mail was sent to the addresses of several dossiers."""

RULE_WITHOUT_DOSSIER = "waiting.rule_without_dossier"
"""Reason for waiting: the rule that hit names a dossier that the firm does not have."""

_LONGEST_BODY = 64 * 1024


class Action(enum.StrEnum):
    """What is done with an attachment."""

    DELIVER = "deliver"
    WAIT = "wait"
    IGNORE = "ignore"


@dataclass(frozen=True)
class Decision:
    """What becomes of an attachment: the dossier it goes to, if any, the code of the reason, the rule that decided."""

    action: Action
    reason: str
    dossier: str | None = None
    rule: int | None = None


@dataclass(frozen=True)
class Mail:
    """What rules look at. ``sender`` is empty when the mail does not have exactly one; all addresses without names."""

    sender: str
    subject: str
    recipients: tuple[str, ...] = ()
    body: str = ""


class Rulebook:
    """The active rules, made ready once for many mails.

    ``dossiers`` are the numbers of all dossiers. ``plus`` is the mailbox's own address where a dossier's number behind
    a plus in it names the dossier (``invoices+000204@firm.be``), else None. ``addresses`` are those that stand for a
    dossier; mails to them are its own, mails from them are not, because anyone can write any sender.
    """

    def __init__(
        self,
        rules: Iterable[Rule],
        dossiers: Iterable[str],
        plus: str | None = None,
        addresses: Mapping[str, str] | None = None,
    ) -> None:
        self._dossiers = {number.casefold(): number for number in dossiers}
        self._plus = address_key(plus).rpartition("@")[::2] if plus else None
        owners = {address_key(address): number.casefold() for address, number in (addresses or {}).items()}
        self._owners = {
            address: self._dossiers[number] for address, number in owners.items() if number in self._dossiers
        }
        needles: dict[View, list[tuple[str, Rule]]] = {}
        for rule in rules:
            if rule.active:
                for value in rule.values:
                    sought = needle(rule.field, rule.comparison, value)
                    needles.setdefault(sought.view, []).append((sought.text, rule))
        self._indexes = {view: Index(filed) for view, filed in needles.items()}

    def decide(self, mail: Mail, attachments: Sequence[str]) -> list[Decision]:
        """Return a decision for each attachment, given by its name; the same whatever order the rules came in."""
        texts = {
            Field.SENDER: [mail.sender] if mail.sender else [],
            Field.SUBJECT: [mail.subject],
            Field.RECIPIENT: mail.recipients,
            Field.BODY: [mail.body[:_LONGEST_BODY]],
        }
        everywhere = [rule for field, of_field in texts.items() for rule in self._hits(field, of_field)]
        named = self._named(mail.recipients)
        return [
            self._choice(everywhere + self._hits(Field.ATTACHMENT, [attachment]), named) for attachment in attachments
        ]

    def _hits(self, field: Field, texts: Sequence[str]) -> list[Rule]:
        found: list[Rule] = []
        for view in (View(field), View(field, by_words=True)):
            if view in self._indexes:
                found += self._indexes[view].hits(haystack(view, texts))
        return found

    def _named(self, recipients: Iterable[str]) -> set[str]:
        """Return the dossiers that recipients name: each as an address of its own, or behind a plus."""
        found = set()
        for recipient in map(address_key, recipients):
            if recipient in self._owners:
                found.add(self._owners[recipient])
            local, _, domain = recipient.rpartition("@")
            base, plus, number = local.rpartition("+")
            if plus and (base, domain) == self._plus and number in self._dossiers:
                found.add(self._dossiers[number])
        return found

    def _choice(self, hits: Sequence[Rule], named: set[str]) -> Decision:
        """Exclusions come first, then what the address names, then inclusions by priority."""
        excluding = [rule.id for rule in hits if rule.kind is Kind.EXCLUSION]
        if excluding:
            return Decision(Action.IGNORE, EXCLUDED, rule=min(excluding))
        if named:
            if len(named) > 1:
                return Decision(Action.WAIT, ADDRESSES_DISAGREE)
            return Decision(Action.DELIVER, BY_ADDRESS, min(named))
        if hits:
            return self._first(hits)
        if len(self._dossiers) == 1:
            return Decision(Action.DELIVER, ONLY_DOSSIER, next(iter(self._dossiers.values())))
        return Decision(Action.WAIT, NO_RULE)

    def _first(self, hits: Sequence[Rule]) -> Decision:
        """Return what the inclusions of the best priority say, if they agree: among equals none is first."""
        best = min(rule.priority for rule in hits)
        first = [rule for rule in hits if rule.priority == best]
        rule = min(rule.id for rule in first)
        wanted = {(each.dossier or "").casefold() for each in first}
        if len(wanted) > 1:
            return Decision(Action.WAIT, RULES_DISAGREE, rule=rule)
        dossier = self._dossiers.get(*wanted)
        if dossier is None:
            return Decision(Action.WAIT, RULE_WITHOUT_DOSSIER, rule=rule)
        return Decision(Action.DELIVER, BY_RULE, dossier, rule)
