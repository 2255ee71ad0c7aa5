"""Rules in the firm's database, and by the command line in three languages."""

import subprocess
from pathlib import Path

import pytest
from firm_rooms import contents
from navette_server import navette

from dossiers import mail_rules, mailboxes
from dossiers.firm import Firm
from dossiers.mail_rule import Comparison, Field, Kind, Rule
from transfer.failures import PermanentFailure

MESSAGES = Path(__file__).parent / "messages"


def test_a_rule_is_kept_as_it_was_written(firm: Firm) -> None:
    """Values keep their spelling, and the dossier the one it was declared with."""
    values = ("Compta «été» | 1", 'with "quotes"')
    kept = mail_rules.add(firm, Rule(Kind.INCLUSION, Field.SUBJECT, Comparison.WORD, values, "000204", 7))
    assert kept == Rule(Kind.INCLUSION, Field.SUBJECT, Comparison.WORD, values, "000204", 7, True, 1)
    assert mail_rules.every(firm) == [kept]


def test_rules_are_listed_in_the_order_they_are_looked_at(firm: Firm) -> None:
    """Exclusions first, then inclusions by priority."""
    for priority in (50, 5):
        mail_rules.add(firm, Rule(Kind.INCLUSION, Field.SUBJECT, Comparison.WORD, ("x",), "000204", priority))
    mail_rules.add(firm, Rule(Kind.EXCLUSION, Field.SUBJECT, Comparison.WORD, ("y",)))
    assert [rule.id for rule in mail_rules.every(firm)] == [3, 2, 1]


def test_a_rule_for_no_dossier_of_the_firm_is_refused(firm: Firm) -> None:
    """A wrong digit is told at once, not when the mail comes."""
    with pytest.raises(PermanentFailure, match=r"dossier\.unknown"):
        mail_rules.add(firm, Rule(Kind.INCLUSION, Field.SUBJECT, Comparison.WORD, ("x",), "000999"))
    assert mail_rules.every(firm) == []


def test_rules_by_the_command_line(firm: Firm) -> None:
    """What is added is listed with its number, can be switched off and on, and is taken away."""

    def run(*words: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        return navette(firm.home, "--language", "en", "rules", *words, check=check)

    assert "There is no rule" in run("list").stdout
    run("add", "sender", "equals", "jan@dupont.be", "els@dupont.be", "--dossier", "000204", "--priority", "10")
    run("add", "subject", "contains", "promo", "--exclude")
    assert run("list").stdout.splitlines() == [
        "2  -     subject contains  promo                          leave out",
        "1  10    sender equals     jan@dupont.be | els@dupont.be  dossier 000204",
    ]
    run("off", "1")
    assert [rule.active for rule in mail_rules.every(firm)] == [True, False]
    assert "off" in run("list").stdout
    run("on", "1")
    assert all(rule.active for rule in mail_rules.every(firm))
    run("remove", "2")
    assert [rule.id for rule in mail_rules.every(firm)] == [1]
    refused = run("remove", "2", check=False)
    assert (refused.returncode, "[rule.unknown]" in refused.stderr) == (2, True)


def test_what_is_wrong_is_pointed_out_when_a_rule_is_added(firm: Firm) -> None:
    """A rule that contradicts another, or is always behind another, says so at once and in the list."""
    added = ["rules", "add", "sender", "ends", "@dupont.be", "--dossier"]
    navette(firm.home, *added, "000204", "--priority", "10")
    told = navette(firm.home, "--language", "en", *added, "000205", "--priority", "10").stdout
    assert "rules 2 and 1, of the same priority" in told
    told = navette(firm.home, "--language", "nl", *added, "000205", "--priority", "20").stdout
    assert "regel 3 beslist nooit iets" in told
    listed = navette(firm.home, "--language", "fr", "rules", "list").stdout
    assert "expéditeur finit par" in listed
    assert "la règle 3 ne décide jamais rien, la règle 1" in listed
    assert "règles 2 et 1, de même priorité" in listed


@pytest.mark.parametrize(("language", "said"), [("fr", "l'adresse seule"), ("nl", "alleen het adres"), ("en", "alone")])
def test_a_value_that_can_never_match_is_refused_in_each_language(firm: Firm, language: str, said: str) -> None:
    """The sentence says what to write instead."""
    words = ["rules", "add", "sender", "equals", "dupont.be", "--dossier", "000204"]
    told = navette(firm.home, "--language", language, *words, check=False)
    assert told.returncode == 2
    assert said in told.stderr
    assert "[rule.not_an_address]" in told.stderr


def test_rules_are_tried_over_files_and_change_nothing(firm: Firm) -> None:
    """Each file of a mail is told with where it would go and why."""
    mail_rules.add(firm, Rule(Kind.INCLUSION, Field.SENDER, Comparison.ENDS, ("@dupont.be",), "000204"))
    files = [MESSAGES / f"{name}.eml" for name in ("zip", "logo", "pdf-locked", "sender-imitated", "no-attachment")]
    told = navette(firm.home, "--language", "en", "rules", "try", *files).stdout
    assert [line.split("  ")[-1].strip() for line in told.splitlines()] == [
        "jan@dupont.be: Facture 12",
        "left out: its files are offered one by one",
        "dossier 000204: by rule 1",
        "dossier 000204: by rule 1",
        "left out: of no use outside the sender's computer",
        "waits: empty file",
        "jan@dupont.be: Facture 12",
        "left out: a logo in the text",
        "dossier 000204: by rule 1",
        "jan@dupont.be: Facture 12",
        "waits: locked with a password",
        "eve@evil.example: Facture 12",
        "waits: no rule matches",
        "jan@dupont.be: Facture 12",
        "no file in it",
    ]
    assert contents(firm.waiting_folder) == {}


def test_an_address_with_a_plus_is_tried_too(firm: Firm, tmp_path: Path) -> None:
    """The mailbox switches it on, for its own address."""
    mail = tmp_path / "plus.eml"
    mail.write_bytes((MESSAGES / "plain-attachment.eml").read_bytes().replace(b"factures@", b"factures+000205@"))
    mailboxes.add(firm, "main", {"address": "factures@firm.be"})
    told = ["rules", "try", str(mail)]
    assert "no rule matches" in navette(firm.home, "--language", "en", *told).stdout
    mailboxes.change(firm, "main", {"plus": "yes"})
    assert "dossier 000205: by the recipient's address" in navette(firm.home, "--language", "en", *told).stdout


def test_a_file_that_is_not_there_is_said_so(firm: Firm) -> None:
    """The sentence names it."""
    told = navette(firm.home, "rules", "try", "nowhere.eml", check=False)
    assert (told.returncode, "[rules.no_file]" in told.stderr) == (2, True)
