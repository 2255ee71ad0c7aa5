"""The firm's rules as they stand at this moment, ready to decide; never decides itself."""

from dossiers import dossier as dossiers
from dossiers import mail_rules
from dossiers.firm import Firm
from mail_intake.rules import Rulebook


def rulebook(firm: Firm) -> Rulebook:
    """Return the rules of the firm with its dossiers, and its address if a plus in it names a dossier."""
    plus = firm.settings.text("mail.address") if firm.settings.switch("mail.plus") else None
    return Rulebook(mail_rules.every(firm), [dossier.number for dossier in dossiers.every(firm)], plus or None)
