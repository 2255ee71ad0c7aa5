"""Decides 1,000 mails by 10,000 rules of every kind, in less than 2 s; never reads a mail."""

import time

from benchmarks.rounds import Seen, table, words
from dossiers.mail_rule import Comparison, Field, Kind, Rule
from mail_intake.findings import findings
from mail_intake.rules import Mail, Rulebook

SHAPES = [
    (Field.SENDER, Comparison.EQUALS, "client{n}@example{n}.be"),
    (Field.SENDER, Comparison.ENDS, "@firm{n}.example.be"),
    (Field.SUBJECT, Comparison.CONTAINS, "compta {n}"),
    (Field.SUBJECT, Comparison.WORD, "dossier {n}"),
    (Field.RECIPIENT, Comparison.STARTS, "invoices-{n}@"),
    (Field.BODY, Comparison.CONTAINS, "our reference {n}/2026"),
    (Field.ATTACHMENT, Comparison.STARTS, "{n}-invoice"),
]


def rule(n: int) -> Rule:
    field, comparison, value = SHAPES[n % len(SHAPES)]
    kind = Kind.EXCLUSION if n % 10 == 9 else Kind.INCLUSION
    dossier = f"{n % 3000:06}" if kind is Kind.INCLUSION else None
    return Rule(kind, field, comparison, (value.format(n=n),), dossier, 1 + n % 50, id=n + 1)


def mail(n: int) -> Mail:
    body = f"Dear colleagues, please find our reference {n}/2026 attached.\n" + "Kind regards from all of us.\n" * 60
    return Mail(f"client{n}@firm{n}.example.be", f"Dossier {n} compta {n + 1}", ("invoices@firm.be",), body)


def main() -> None:
    asked = words("mail_rules", "1,000 rules and 100 mails").parse_args()
    rules = [rule(n) for n in range(1_000 if asked.quick else 10_000)]
    mails = [mail(n) for n in range(100 if asked.quick else 1_000)]
    numbers = {each.dossier for each in rules if each.dossier}
    figures: dict[str, list[float]] = {"making ready": [], "deciding": [], "finding faults": []}
    for _ in range(asked.rounds or 5):
        begun = time.perf_counter()
        book = Rulebook(rules, numbers)
        ready = time.perf_counter()
        decisions = [decision for each in mails for decision in book.decide(each, ["scan.pdf", "12-invoice.pdf"])]
        decided = time.perf_counter()
        findings(rules, numbers)
        figures["making ready"].append(ready - begun)
        figures["deciding"].append(decided - ready)
        figures["finding faults"].append(time.perf_counter() - decided)
        assert len({decision.reason for decision in decisions}) > 1
    print(f"{len(rules):,} rules, {len(mails):,} mails with two attachments\n")
    table(["step", "seconds"], [(step, Seen(seconds, ".3f")) for step, seconds in figures.items()])


if __name__ == "__main__":
    main()
