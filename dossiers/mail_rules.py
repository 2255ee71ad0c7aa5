"""Keeps the firm's rules for the mail intake in the database; never decides anything by them."""

import json

from sqlalchemy import Row, delete, insert, select, update

from dossiers import tables
from dossiers.dossier import find
from dossiers.firm import Firm
from dossiers.mail_rule import Comparison, Field, Kind, Rule, checked
from transfer.failures import PermanentFailure

_rules = tables.mail_rules


def every(firm: Firm) -> list[Rule]:
    """Return all rules, active or not, in the order they are looked at: exclusions, then by priority."""
    with firm.database.read() as connection:
        rules = [_rule(row) for row in connection.execute(select(_rules))]
    return sorted(rules, key=lambda rule: (rule.kind is Kind.INCLUSION, rule.priority, rule.id))


def add(firm: Firm, rule: Rule) -> Rule:
    """Check a rule, keep it and return it with its number; refused with a ``rule.`` or ``dossier.`` code."""
    rule = checked(rule)
    dossier = None if rule.dossier is None else find(firm, rule.dossier).number
    values = {
        "kind": rule.kind.value,
        "field": rule.field.value,
        "comparison": rule.comparison.value,
        "value_list": json.dumps(rule.values, ensure_ascii=False),
        "dossier": dossier,
        "priority": rule.priority,
        "active": rule.active,
    }
    with firm.database.write() as connection:
        row = connection.execute(insert(_rules).values(values).returning(*_rules.c)).one()
    return _rule(row)


def set_active(firm: Firm, identity: int, active: bool) -> None:
    """Switch a rule on or off; one that is not there is refused with ``rule.unknown``."""
    with firm.database.write() as connection:
        changed = connection.execute(update(_rules).where(_rules.c.id == identity).values(active=active))
        if changed.rowcount != 1:
            raise PermanentFailure("rule.unknown", rule=identity)


def forget(firm: Firm, identity: int) -> None:
    """Take a rule away; one that is not there is refused with ``rule.unknown``."""
    with firm.database.write() as connection:
        if connection.execute(delete(_rules).where(_rules.c.id == identity)).rowcount != 1:
            raise PermanentFailure("rule.unknown", rule=identity)


def _rule(row: Row[tuple[object, ...]]) -> Rule:
    kind, field, comparison = Kind(row.kind), Field(row.field), Comparison(row.comparison)
    values = tuple(json.loads(row.value_list))
    return Rule(kind, field, comparison, values, row.dossier, row.priority, row.active, row.id)
