"""One rule of the mail intake, as the firm writes it, checked; never says which mail it hits."""

import enum
import re
import unicodedata
from dataclasses import dataclass, replace

from transfer.accounts import dossier_number
from transfer.failures import PermanentFailure

LOWEST, HIGHEST = 1, 9999
"""First and last priority."""

USUAL = 100
"""The priority of a rule that names none: there is room before it and after it."""

_MOST_VALUES = 1000
_LONGEST = 300


class Kind(enum.StrEnum):
    """What becomes of an attachment that a rule hits: into a dossier, or left out."""

    INCLUSION = "inclusion"
    EXCLUSION = "exclusion"


class Field(enum.StrEnum):
    """What a rule looks at. Sender and recipient are addresses, never the names shown beside them."""

    SENDER = "sender"
    SUBJECT = "subject"
    RECIPIENT = "recipient"
    BODY = "body"
    ATTACHMENT = "attachment"

    @property
    def is_address(self) -> bool:
        """Tell whether the field holds addresses."""
        return self in {Field.SENDER, Field.RECIPIENT}


class Comparison(enum.StrEnum):
    """How a value must match: the whole field, any part, its start, its end, or whole words of it in a row."""

    EQUALS = "equals"
    CONTAINS = "contains"
    STARTS = "starts"
    ENDS = "ends"
    WORD = "word"


@dataclass(frozen=True)
class Rule:
    """A rule hits when one of its values matches; an exclusion has no dossier. ``id`` is 0 until it is kept.

    Of two inclusions that hit, the one with the lower priority number wins. Exclusions come before all inclusions.
    """

    kind: Kind
    field: Field
    comparison: Comparison
    values: tuple[str, ...]
    dossier: str | None = None
    priority: int = USUAL
    active: bool = True
    id: int = 0


def checked(rule: Rule) -> Rule:
    """Return a rule as it is kept; one that could not mean anything is refused with a ``rule.`` code."""
    values = tuple(dict.fromkeys(" ".join(value.split()) for value in rule.values))
    if not values or len(values) > _MOST_VALUES:
        raise PermanentFailure("rule.bad_values", most=_MOST_VALUES)
    if not LOWEST <= rule.priority <= HIGHEST:
        raise PermanentFailure("rule.bad_priority", lowest=LOWEST, highest=HIGHEST)
    if (rule.kind is Kind.INCLUSION) != (rule.dossier is not None):
        raise PermanentFailure("rule.bad_dossier")
    if rule.dossier is not None:
        dossier_number(rule.dossier)
    rule = replace(rule, values=values)
    for value in impossible(rule):
        code = "rule.not_an_address" if rule.field.is_address else "rule.bad_value"
        raise PermanentFailure(code, value=value[:80])
    return rule


def impossible(rule: Rule) -> list[str]:
    """Return the values of a rule that no mail can ever match."""
    return [value for value in rule.values if not _possible(rule.field, rule.comparison, value)]


def text_key(text: str) -> str:
    """Return what texts share that differ in capitals, accents, invisible signs and blanks only."""
    text = text.translate(_CONTROLS)
    if not text.isascii():
        text = text.translate(_LIGATURES)
        while (plain := _without_marks(text)) != text:  # once, but for a few signs that fold into others
            text = plain
    return " ".join(text.lower().split())


def address_key(address: str) -> str:
    """Return an address as it is compared: capitals do not matter, accents do (they make another address)."""
    local, at, domain = unicodedata.normalize("NFC", address.translate(_CONTROLS).strip()).rpartition("@")
    domain = re.sub(r"[\s.]+$", "", domain).casefold()
    if "xn--" in domain:
        domain = ".".join(map(_readable_label, domain.split(".")))
    return local.casefold() + at + domain


def words(text: str) -> list[str]:
    """Return the words of a text: letters and digits that stand together."""
    return re.findall(r"[^\W_]+", text)


_CONTROLS = dict.fromkeys([*range(32), *range(127, 160)], " ")
_LIGATURES = str.maketrans({"œ": "oe", "Œ": "oe", "æ": "ae", "Æ": "ae", "ø": "o", "Ø": "o", "ł": "l", "Ł": "l"})


def _without_marks(text: str) -> str:
    apart = unicodedata.normalize("NFKD", text.casefold())
    return "".join(each for each in apart if unicodedata.category(each) not in {"Mn", "Cf"}).casefold()


def _readable_label(label: str) -> str:
    try:
        return label.encode("ascii").decode("idna").casefold()
    except UnicodeError:
        return label


def _possible(field: Field, comparison: Comparison, value: str) -> bool:
    if len(value) > _LONGEST or not value.isprintable():
        return False
    if comparison is Comparison.WORD:
        return bool(words(text_key(value)))
    if not field.is_address:
        return bool(text_key(value))
    if not value or re.search(r"[\s<>,;:()\[\]\\]", value) or value.count("@") > 1:
        return False
    local, at, domain = value.rpartition("@")
    if comparison is Comparison.EQUALS:
        return bool(local and domain)
    if comparison is Comparison.STARTS:
        return not value.startswith("@")
    return not (comparison is Comparison.ENDS and at and not domain)
