"""The firm's rules as they stand at this moment, ready to decide; never decides itself."""

from collections.abc import Iterable

from dossiers import addresses, mail_rules
from dossiers import dossier as dossiers
from dossiers.firm import Firm
from dossiers.mail_rule import Rule
from dossiers.mailboxes import Box
from mail_intake.rules import Rulebook


def rulebook(firm: Firm, box: Box | None, rules: Iterable[Rule] | None = None) -> Rulebook:
    """Return the firm's rules, or others to try, with its dossiers and the addresses that name one.

    In ``box`` a dossier's number behind a plus in the mailbox's own address names it too, if it is told to.
    """
    return Rulebook(
        mail_rules.every(firm) if rules is None else rules,
        [dossier.number for dossier in dossiers.every(firm)],
        box.address if box and box.plus else None,
        addresses.every(firm),
    )
