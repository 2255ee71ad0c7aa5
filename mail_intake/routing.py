"""Says for every file of a message where it goes and why, by what it is and by the rules; never moves one."""

from collections.abc import Sequence
from dataclasses import dataclass

from mail_intake.part import Fate, Part
from mail_intake.rules import Action, Decision, Mail, Rulebook


@dataclass(frozen=True)
class Routed:
    """A file of a message with its decision; ``threat`` is what a virus scanner said of it, if not that it is clean."""

    part: Part
    decision: Decision
    threat: str | None = None


def route(mail: Mail, parts: Sequence[Part], rules: Rulebook) -> list[Routed]:
    """Return a decision for each file, in their order.

    What is held waits for a person even where an inclusion hits, because nobody has seen what it is; an exclusion
    leaves it out. What is left out by its kind is left out whatever the rules say.
    """
    by_rule = rules.decide(mail, [part.name for part in parts])
    return [Routed(part, _decision(part, decision)) for part, decision in zip(parts, by_rule, strict=True)]


def _decision(part: Part, by_rule: Decision) -> Decision:
    reason = part.reason or ""
    if part.fate is Fate.LEFT_OUT:
        return Decision(Action.IGNORE, reason)
    if part.fate is Fate.HELD and by_rule.action is not Action.IGNORE:
        return Decision(Action.WAIT, reason)
    return by_rule
