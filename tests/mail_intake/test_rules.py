"""The rules: which hits, which wins, what is said about it, and what is wrong with them."""

import re
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dossiers.mail_rule import Comparison, Field, Kind, Rule, address_key, checked, impossible, text_key, words
from mail_intake.findings import Trouble, findings
from mail_intake.rules import (
    ADDRESSES_DISAGREE,
    BY_ADDRESS,
    BY_RULE,
    EXCLUDED,
    NO_RULE,
    ONLY_DOSSIER,
    RULE_WITHOUT_DOSSIER,
    RULES_DISAGREE,
    Action,
    Decision,
    Mail,
    Rulebook,
)
from transfer.failures import PermanentFailure

DOSSIERS = ("000204", "000205", "DUPONT")
MAIL = Mail("finance@dupont.be", "Compta: facture n° 12 (déjà payée)", ("factures@firm.be",), "Voir l'annexe.")


def include(field: Field, comparison: Comparison, *values: str, to: str = "000204", first: int = 100) -> Rule:
    return Rule(Kind.INCLUSION, field, comparison, values, to, first, id=first)


def exclude(field: Field, comparison: Comparison, *values: str) -> Rule:
    return Rule(Kind.EXCLUSION, field, comparison, values, id=1000)


def decided(*rules: Rule, mail: Mail = MAIL, name: str = "scan.pdf", plus: str | None = None) -> Decision:
    return Rulebook(rules, DOSSIERS, plus).decide(mail, [name])[0]


HITS = [
    (Field.SENDER, Comparison.EQUALS, "Finance@DUPONT.be", True),
    (Field.SENDER, Comparison.EQUALS, "finance@dupont.be.evil.example", False),
    (Field.SENDER, Comparison.EQUALS, "dupont.be", False),
    (Field.SENDER, Comparison.ENDS, "@dupont.be", True),
    (Field.SENDER, Comparison.ENDS, "pont.bé", False),
    (Field.SENDER, Comparison.CONTAINS, "DUPONT", True),
    (Field.SENDER, Comparison.CONTAINS, "dupônt", False),  # another address, not another spelling
    (Field.SENDER, Comparison.STARTS, "finance@", True),
    (Field.SENDER, Comparison.STARTS, "inance@", False),
    (Field.SENDER, Comparison.WORD, "dupont", True),
    (Field.SENDER, Comparison.WORD, "pont", False),
    (Field.SUBJECT, Comparison.EQUALS, "compta:  FACTURE n° 12 (deja payee)", True),
    (Field.SUBJECT, Comparison.EQUALS, "facture", False),
    (Field.SUBJECT, Comparison.CONTAINS, "DÉJÀ", True),
    (Field.SUBJECT, Comparison.CONTAINS, "deja", True),
    (Field.SUBJECT, Comparison.CONTAINS, "n", True),
    (Field.SUBJECT, Comparison.CONTAINS, "z", False),
    (Field.SUBJECT, Comparison.STARTS, "compta", True),
    (Field.SUBJECT, Comparison.STARTS, "facture", False),
    (Field.SUBJECT, Comparison.ENDS, "payée)", True),
    (Field.SUBJECT, Comparison.ENDS, "payée", False),
    (Field.SUBJECT, Comparison.WORD, "payee", True),
    (Field.SUBJECT, Comparison.WORD, "facture n", True),
    (Field.SUBJECT, Comparison.WORD, "factur", False),
    (Field.SUBJECT, Comparison.WORD, "facture 12", False),
    (Field.RECIPIENT, Comparison.EQUALS, "factures@firm.be", True),
    (Field.RECIPIENT, Comparison.EQUALS, "firm@factures.be", False),
    (Field.BODY, Comparison.CONTAINS, "annexe", True),
    (Field.BODY, Comparison.WORD, "nexe", False),
    (Field.ATTACHMENT, Comparison.ENDS, ".PDF", True),
    (Field.ATTACHMENT, Comparison.ENDS, ".xml", False),
]


@pytest.mark.parametrize(("field", "comparison", "value", "hit"), HITS)
def test_each_comparison_means_what_it_says(field: Field, comparison: Comparison, value: str, hit: bool) -> None:
    """A value matches the field as a person would read it; an address only if it is the address."""
    wanted = Decision(Action.DELIVER, BY_RULE, "000204", 100) if hit else Decision(Action.WAIT, NO_RULE)
    assert decided(include(field, comparison, value)) == wanted
    assert decided(include(field, comparison, "no such", "x@nowhere.be", value)) == wanted


def test_an_exclusion_comes_before_every_inclusion() -> None:
    """What an exclusion hits is left out, however early an inclusion stands."""
    spam = exclude(Field.SUBJECT, Comparison.CONTAINS, "facture")
    assert decided(spam, include(Field.SENDER, Comparison.ENDS, "@dupont.be", first=1)) == Decision(
        Action.IGNORE, EXCLUDED, rule=1000
    )


def test_an_exclusion_by_name_leaves_the_other_attachments_alone() -> None:
    """A rule on the attachment's name decides for that attachment only."""
    rules = [exclude(Field.ATTACHMENT, Comparison.ENDS, ".vcf"), include(Field.SENDER, Comparison.ENDS, "@dupont.be")]
    one, other = Rulebook(rules, DOSSIERS).decide(MAIL, ["card.VCF", "scan.pdf"])
    assert (one.action, other.action) == (Action.IGNORE, Action.DELIVER)


def test_the_first_inclusion_by_priority_wins() -> None:
    """Of two inclusions that hit, the one with the lower number decides."""
    late = include(Field.SENDER, Comparison.ENDS, "@dupont.be", to="000205", first=20)
    early = include(Field.SUBJECT, Comparison.CONTAINS, "compta", to="000204", first=10)
    assert decided(late, early) == decided(early, late) == Decision(Action.DELIVER, BY_RULE, "000204", 10)


def test_equal_priorities_that_disagree_make_the_mail_wait() -> None:
    """Among equals none is first, and the wrong dossier is worse than a question; if they agree there is none."""
    one = include(Field.SENDER, Comparison.ENDS, "@dupont.be", to="000205")
    other = include(Field.SUBJECT, Comparison.CONTAINS, "compta", to="000204")
    assert decided(one, other) == Decision(Action.WAIT, RULES_DISAGREE, rule=100)
    assert decided(other, other).dossier == "000204"


def test_a_rule_that_is_off_decides_nothing() -> None:
    """A rule that is not active is as if it were not there."""
    off = Rule(Kind.EXCLUSION, Field.SUBJECT, Comparison.CONTAINS, ("facture",), active=False)
    assert decided(off).reason == NO_RULE


def test_a_rule_whose_dossier_is_not_there_makes_the_mail_wait() -> None:
    """No dossier is made up, and no later rule takes its place."""
    lost = include(Field.SENDER, Comparison.ENDS, "@dupont.be", to="999999", first=1)
    assert decided(lost, include(Field.SUBJECT, Comparison.CONTAINS, "compta")).reason == RULE_WITHOUT_DOSSIER


def test_with_one_dossier_everything_goes_there_unless_a_rule_says_otherwise() -> None:
    """A firm with one dossier needs no rules, and its exclusions still apply."""
    assert Rulebook([], ["000204"]).decide(MAIL, ["a"]) == [Decision(Action.DELIVER, ONLY_DOSSIER, "000204")]
    spam = exclude(Field.SENDER, Comparison.ENDS, "@dupont.be")
    assert Rulebook([spam], ["000204"]).decide(MAIL, ["a"])[0].action is Action.IGNORE
    assert Rulebook([], []).decide(MAIL, ["a"])[0].reason == NO_RULE


PLUS = [
    (["factures+000204@firm.be"], BY_ADDRESS, "000204"),
    (["Factures+DuPont@FIRM.be"], BY_ADDRESS, "DUPONT"),
    (["factures+000204@firm.be", "factures+000204@firm.be", "x@y.be"], BY_ADDRESS, "000204"),
    (["factures+000204@firm.be", "factures+000205@firm.be"], ADDRESSES_DISAGREE, None),
    (["factures+999999@firm.be"], NO_RULE, None),
    (["factures+000204@other.be"], NO_RULE, None),
    (["sales+000204@firm.be"], NO_RULE, None),
    (["factures@firm.be"], NO_RULE, None),
]


@pytest.mark.parametrize(("recipients", "reason", "dossier"), PLUS)
def test_an_address_with_a_plus_names_the_dossier(recipients: list[str], reason: str, dossier: str | None) -> None:
    """Only the mailbox's own address counts, only when it is switched on, and only for dossiers that exist."""
    mail = Mail("a@b.be", "s", tuple(recipients))
    told = decided(mail=mail, plus="factures@firm.be")
    assert (told.reason, told.dossier) == (reason, dossier)
    assert decided(mail=mail).reason == NO_RULE


def test_an_exclusion_counts_for_addresses_with_a_plus_too() -> None:
    """Spam to such an address is left out."""
    spam = exclude(Field.SENDER, Comparison.ENDS, "@b.be")
    mail = Mail("a@b.be", "s", ("factures+000204@firm.be",))
    assert decided(spam, mail=mail, plus="factures@firm.be").reason == EXCLUDED


def test_an_address_with_accents_is_another_address() -> None:
    """Letters that look alike do not make the same sender, and both spellings of an international domain do."""
    mail = Mail("finançe@dupont.be", "")
    assert decided(include(Field.SENDER, Comparison.EQUALS, "finance@dupont.be"), mail=mail).reason == NO_RULE
    mail = Mail("jan@xn--caf-dma.be", "")
    assert decided(include(Field.SENDER, Comparison.EQUALS, "jan@café.be"), mail=mail).reason == BY_RULE


def test_a_subject_cannot_pretend_to_begin_anew() -> None:
    """Control characters in a mail are blanks, so that none counts as a start."""
    mail = Mail("a@b.be", "spam \x02facture\x03 spam")
    assert decided(include(Field.SUBJECT, Comparison.EQUALS, "facture"), mail=mail).reason == NO_RULE


REFUSED = [
    (include(Field.SENDER, Comparison.EQUALS, "dupont.be"), "rule.not_an_address"),
    (include(Field.SENDER, Comparison.EQUALS, "Jan <jan@dupont.be>"), "rule.not_an_address"),
    (include(Field.SENDER, Comparison.STARTS, "@dupont.be"), "rule.not_an_address"),
    (include(Field.SENDER, Comparison.ENDS, "finance@"), "rule.not_an_address"),
    (include(Field.RECIPIENT, Comparison.CONTAINS, "jan de smet"), "rule.not_an_address"),
    (include(Field.SUBJECT, Comparison.WORD, "---"), "rule.bad_value"),
    (include(Field.SUBJECT, Comparison.CONTAINS, " "), "rule.bad_value"),
    (include(Field.SUBJECT, Comparison.CONTAINS, "x" * 301), "rule.bad_value"),
    (include(Field.SUBJECT, Comparison.CONTAINS), "rule.bad_values"),
    (include(Field.SUBJECT, Comparison.CONTAINS, "x", first=0), "rule.bad_priority"),
    (include(Field.SUBJECT, Comparison.CONTAINS, "x", to="../x"), "account.bad_dossier"),
    (Rule(Kind.INCLUSION, Field.SUBJECT, Comparison.CONTAINS, ("x",)), "rule.bad_dossier"),
    (Rule(Kind.EXCLUSION, Field.SUBJECT, Comparison.CONTAINS, ("x",), "000204"), "rule.bad_dossier"),
]


@pytest.mark.parametrize(("rule", "code"), REFUSED)
def test_a_rule_that_could_not_mean_anything_is_refused(rule: Rule, code: str) -> None:
    """What can never match, or decides nothing, is refused with its code."""
    with pytest.raises(PermanentFailure) as refused:
        checked(rule)
    assert refused.value.code == code


def troubles(*rules: Rule) -> list[tuple[int, Trouble, int | None]]:
    return [(each.rule.id, each.trouble, each.other and each.other.id) for each in findings(rules, DOSSIERS)]


def test_a_rule_behind_a_wider_one_is_pointed_out() -> None:
    """Whatever it hits was decided before; a wider rule of a later priority is not in its way."""
    wide = include(Field.SENDER, Comparison.ENDS, "dupont.be", first=1)
    narrow = include(Field.SENDER, Comparison.EQUALS, "jan@dupont.be", "els@dupont.be", to="000205", first=2)
    assert troubles(wide, narrow) == [(2, Trouble.HIDDEN, 1)]
    half = include(Field.SENDER, Comparison.EQUALS, "jan@dupont.be", "els@else.be", to="000205", first=2)
    assert troubles(wide, half) == []
    later = include(Field.SENDER, Comparison.ENDS, "dupont.be", first=3)
    assert troubles(later, narrow) == []


def test_an_inclusion_behind_an_exclusion_is_pointed_out() -> None:
    """A word that is always excluded never reaches an inclusion."""
    spam = exclude(Field.SUBJECT, Comparison.CONTAINS, "promo")
    word = include(Field.SUBJECT, Comparison.WORD, "promotion 2026", first=1)
    assert troubles(spam, word) == [(1, Trouble.HIDDEN, 1000)]


def test_equal_priorities_that_can_disagree_are_pointed_out() -> None:
    """Two rules that one mail can match, with the same priority and other dossiers; not two that exclude each other."""
    sender = Rule(Kind.INCLUSION, Field.SENDER, Comparison.EQUALS, ("jan@dupont.be",), "000204", id=1)
    subject = Rule(Kind.INCLUSION, Field.SUBJECT, Comparison.CONTAINS, ("compta",), "000205", id=2)
    assert troubles(sender, subject) == [(2, Trouble.CONFLICT, 1)]
    domain = Rule(Kind.INCLUSION, Field.SENDER, Comparison.ENDS, ("@dupont.be",), "000205", id=3)
    assert troubles(domain, sender) == [(1, Trouble.CONFLICT, 3)]
    other = Rule(Kind.INCLUSION, Field.SENDER, Comparison.EQUALS, ("els@dupont.be",), "000205", id=4)
    assert troubles(sender, other) == []
    word = Rule(Kind.INCLUSION, Field.SENDER, Comparison.WORD, ("jan@dupont.be",), "000205", id=6)
    assert troubles(sender, word) == [(1, Trouble.CONFLICT, 6)]
    again = Rule(Kind.INCLUSION, Field.SENDER, Comparison.CONTAINS, ("jan",), "000204", id=5)
    assert troubles(sender, again) == []


def test_rules_from_elsewhere_that_can_do_nothing_are_pointed_out() -> None:
    """A rule for a dossier that is gone, and one whose values can never match."""
    lost = include(Field.SUBJECT, Comparison.CONTAINS, "a", to="999999", first=1)
    never = include(Field.SENDER, Comparison.EQUALS, "dupont.be", first=2)
    assert troubles(lost, never) == [(1, Trouble.NO_DOSSIER, None), (2, Trouble.IMPOSSIBLE, None)]


TEXT = st.text(st.sampled_from("ab é.@+ÀB-"), max_size=6)
ADDRESS = st.builds("{}@{}".format, st.text("abé+", min_size=1, max_size=3), st.sampled_from(["a.b", "b.a", "ab.b"]))
MAILS = st.builds(Mail, ADDRESS, TEXT, st.lists(ADDRESS, max_size=2).map(tuple), TEXT)


@st.composite
def rules(draw: st.DrawFn) -> list[Rule]:
    """Make rules that often meet: few letters, few priorities, few dossiers."""
    made = []
    for number in range(draw(st.integers(0, 8))):
        field = draw(st.sampled_from(Field))
        values = tuple(draw(st.lists(ADDRESS if field.is_address else TEXT, min_size=1, max_size=2)))
        comparison = draw(st.sampled_from(Comparison))
        priority = draw(st.integers(1, 3))
        dossier = draw(st.sampled_from([*DOSSIERS, "999999", None]))
        kind = Kind.INCLUSION if dossier else Kind.EXCLUSION
        rule = Rule(kind, field, comparison, values, dossier, priority, id=number + 1)
        if not impossible(rule):
            made.append(rule)
    return made


def plainly_hits(rule: Rule, mail: Mail, name: str) -> bool:
    """Say it as a manual would, without index or marks."""
    texts = {
        Field.SENDER: [mail.sender],
        Field.SUBJECT: [mail.subject],
        Field.RECIPIENT: list(mail.recipients),
        Field.BODY: [mail.body],
        Field.ATTACHMENT: [name],
    }[rule.field]
    key = address_key if rule.field.is_address else text_key
    for text in map(key, texts):
        for value in map(key, rule.values):
            sought, given_words = words(value), words(text)
            runs = [given_words[at : at + len(sought)] for at in range(len(given_words))]
            if {
                Comparison.EQUALS: text == value,
                Comparison.CONTAINS: value in text,
                Comparison.STARTS: text.startswith(value),
                Comparison.ENDS: text.endswith(value),
                Comparison.WORD: sought in runs,
            }[rule.comparison]:
                return True
    return False


def plain_decision(rules: Sequence[Rule], mail: Mail, name: str) -> tuple[Action, str | None]:
    """Return action and dossier as the manual's words give them."""
    hits = [rule for rule in rules if plainly_hits(rule, mail, name)]
    if any(rule.kind is Kind.EXCLUSION for rule in hits):
        return Action.IGNORE, None
    for priority in sorted({rule.priority for rule in hits}):
        wanted = {rule.dossier for rule in hits if rule.priority == priority}
        if len(wanted) > 1 or not wanted <= set(DOSSIERS):
            return Action.WAIT, None
        return Action.DELIVER, wanted.pop()
    return Action.WAIT, None


@settings(max_examples=500)
@given(rules(), MAILS, TEXT)
def test_the_index_decides_as_the_manual_says(rules: list[Rule], mail: Mail, name: str) -> None:
    """Whatever the rules, the decision is the one that trying each in turn gives."""
    told = Rulebook(rules, DOSSIERS).decide(mail, [name])[0]
    assert (told.action, told.dossier) == plain_decision(rules, mail, name)


@settings(max_examples=300)
@given(rules(), MAILS, TEXT, st.randoms(use_true_random=False))
def test_the_order_of_the_list_decides_nothing(rules: list[Rule], mail: Mail, name: str, random: object) -> None:
    """The same rules in any order give the same decision, reason and rule."""
    shuffled = list(rules)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert Rulebook(shuffled, DOSSIERS).decide(mail, [name]) == Rulebook(rules, DOSSIERS).decide(mail, [name])


@settings(max_examples=500)
@given(rules(), MAILS, TEXT)
def test_what_is_pointed_out_is_true(rules: list[Rule], mail: Mail, name: str) -> None:
    """A hidden rule never decides, and rules that disagree over a mail were pointed out before it came."""
    found = findings(rules, DOSSIERS)
    told = Rulebook(rules, DOSSIERS).decide(mail, [name])[0]
    hidden = {each.rule.id for each in found if each.trouble is Trouble.HIDDEN}
    if told.reason != RULES_DISAGREE:  # which names the oldest of them
        assert told.rule not in hidden
    else:
        assert any(each.trouble is Trouble.CONFLICT for each in found)


@given(st.text())
def test_a_key_is_its_own_key(text: str) -> None:
    """Folding what is folded changes nothing, so that values and mails are compared alike."""
    assert text_key(text_key(text)) == text_key(text)
    assert address_key(address_key(text)) == address_key(text)
    assert not re.search(r"[\x00-\x1f\x7f-\x9f]", text_key(text))
