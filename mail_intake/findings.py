"""Points out rules that can never decide anything, and rules that contradict each other; never changes one."""

import enum
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from dossiers.mail_rule import Comparison, Field, Kind, Rule, impossible
from mail_intake.needles import Index, Needle, View, forms, needle

_ANCHORED = {Comparison.EQUALS, Comparison.STARTS, Comparison.ENDS}


class Trouble(enum.StrEnum):
    """What is wrong with a rule."""

    IMPOSSIBLE = "rules.impossible"
    """No mail can ever match any of its values."""

    NO_DOSSIER = "rules.no_dossier"
    """It names a dossier that the firm does not have."""

    HIDDEN = "rules.hidden"
    """Whatever it hits is decided by another rule before it."""

    CONFLICT = "rules.conflict"
    """Another rule of the same priority names another dossier, and a mail can match both: it then waits."""


@dataclass(frozen=True)
class Finding:
    """A rule, what is wrong with it, and the rule that it has trouble with, if there is one."""

    rule: Rule
    trouble: Trouble
    other: Rule | None = None


def findings(rules: Iterable[Rule], dossiers: Iterable[str]) -> list[Finding]:
    """Return what is wrong with the active rules; of several others that are in a rule's way, one is named."""
    active = [rule for rule in rules if rule.active]
    known = {number.casefold() for number in dossiers}
    found = []
    for rule in active:
        if len(impossible(rule)) == len(rule.values):
            found.append(Finding(rule, Trouble.IMPOSSIBLE))
        elif rule.dossier is not None and rule.dossier.casefold() not in known:
            found.append(Finding(rule, Trouble.NO_DOSSIER))
    able = [rule for rule in active if len(impossible(rule)) < len(rule.values)]
    return found + list(_hidden(able)) + list(_conflicts(able))


class _Cover:
    """Finds the rules that hit whenever a needle is found."""

    def __init__(self, rules: Iterable[Rule]) -> None:
        filed: dict[View, list[tuple[str, Rule]]] = {}
        for rule in rules:
            for each in _needles(rule):
                filed.setdefault(each.view, []).append((each.text, rule))
        self._indexes = {view: Index(needles) for view, needles in filed.items()}

    def over(self, sought: Needle) -> list[Rule]:
        """Return the rules of which a needle is implied by this one."""
        return [
            rule for view, text in forms(sought) if view in self._indexes for rule in self._indexes[view].hits(text)
        ]


def _hidden(rules: Sequence[Rule]) -> Iterator[Finding]:
    """Yield the rules each of whose values is seen by an earlier rule, too."""
    cover = _Cover(rules)
    for rule in rules:
        earlier = [[other for other in cover.over(each) if _rank(other) < _rank(rule)] for each in _needles(rule)]
        if all(earlier):
            yield Finding(rule, Trouble.HIDDEN, min(earlier[0], key=lambda other: (_rank(other), other.id)))


def _rank(rule: Rule) -> int:
    """Return when a rule is looked at: all exclusions come at once, before the inclusions."""
    return 0 if rule.kind is Kind.EXCLUSION else rule.priority


def _conflicts(rules: Sequence[Rule]) -> Iterator[Finding]:
    inclusions = sorted((rule for rule in rules if rule.kind is Kind.INCLUSION), key=lambda rule: rule.priority)
    for _, group in groupby(inclusions, key=lambda rule: rule.priority):
        equal = sorted(group, key=lambda rule: rule.id)
        cover = _Cover(equal)
        shapes: dict[tuple[Field, Comparison], list[Rule]] = {}
        for rule in equal:
            others = [other for each in _needles(rule) for other in cover.over(each)]
            others += [other for shape, same in shapes.items() if _can_meet(rule, shape) for other in same]
            others = [other for other in others if _dossier(other) != _dossier(rule)]
            if others:
                yield Finding(rule, Trouble.CONFLICT, min(others, key=lambda other: other.id))
            same = shapes.setdefault((rule.field, rule.comparison), [])
            if len(same) < 2 and _dossier(rule) not in map(_dossier, same):  # two dossiers: one is not the next rule's
                same.append(rule)


def _can_meet(rule: Rule, shape: tuple[Field, Comparison]) -> bool:
    """Tell whether a mail can match a rule and another of that shape though neither's value is in the other's."""
    field, comparison = shape
    if rule.field is not field or field is Field.RECIPIENT:
        return True
    if Comparison.EQUALS in {rule.comparison, comparison}:
        return False
    return rule.comparison is not comparison or comparison not in _ANCHORED


def _needles(rule: Rule) -> list[Needle]:
    able = set(rule.values) - set(impossible(rule))
    return [needle(rule.field, rule.comparison, value) for value in rule.values if value in able]


def _dossier(rule: Rule) -> str:
    return (rule.dossier or "").casefold()
