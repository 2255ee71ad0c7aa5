"""``navette rules``: the firm's rules for the mail intake by hand, and what they would do; never changes a mail."""

import argparse
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

from dossiers import dossier as dossiers
from dossiers import mail_rules, mailboxes
from dossiers.firm import Firm
from dossiers.mail_rule import USUAL, Comparison, Field, Kind, Rule, checked
from dossiers.mailboxes import Box
from mail_intake.access import access, opened
from mail_intake.findings import findings
from mail_intake.message import read
from mail_intake.routing import Routed, route
from mail_intake.rulebook import rulebook
from mail_intake.rules import Decision
from navette.dossier_commands import table
from navette.mail_commands import named_box
from transfer.failures import PermanentFailure
from transfer.language import Language


def add(commands: Any, language: Language) -> None:
    """Add the command to ``navette``."""
    say = language.say
    verbs = commands.add_parser("rules", help=say("command.rules")).add_subparsers(metavar="COMMAND", required=True)
    verbs.add_parser("list", help=say("command.rules.list")).set_defaults(run=_list)

    adding = verbs.add_parser("add", help=say("command.rules.add"))
    adding.add_argument("field", choices=[each.value for each in Field], help=say("command.rules.field"))
    adding.add_argument("comparison", choices=[each.value for each in Comparison], help=say("command.rules.comparison"))
    adding.add_argument("values", nargs="+", metavar="VALUE", help=say("command.rules.values"))
    then = adding.add_mutually_exclusive_group(required=True)
    then.add_argument("--dossier", metavar="NUMBER", help=say("command.rules.dossier"))
    then.add_argument("--exclude", action="store_true", help=say("command.rules.exclude"))
    adding.add_argument("--priority", type=int, default=USUAL, metavar="N", help=say("command.rules.priority"))
    adding.set_defaults(run=_add)

    _add_try(verbs, language)

    for verb, run in (("remove", _remove), ("on", _on), ("off", _off)):
        changing = verbs.add_parser(verb, help=say(f"command.rules.{verb}"))
        changing.add_argument("rule", type=int, metavar="RULE")
        changing.set_defaults(run=run)


def _add_try(verbs: Any, language: Language) -> None:
    say = language.say
    trying = verbs.add_parser("try", help=say("command.rules.try"))
    trying.add_argument("files", nargs="*", type=Path, metavar="FILE", help=say("command.rules.file"))
    trying.add_argument("--last", type=int, metavar="N", help=say("command.rules.last"))
    trying.add_argument("--box", metavar="MAILBOX", help=say("command.mail.name"))
    fields = ("FIELD", "COMPARISON", "VALUE", "DOSSIER|exclude")
    trying.add_argument("--with", dest="more", nargs=4, action="append", default=[], metavar=fields)
    trying.add_argument("--without", type=int, action="append", default=[], metavar="RULE")
    trying.set_defaults(run=_try)


def _list(args: argparse.Namespace) -> int:
    with Firm(args.home) as firm:
        rules, numbers = mail_rules.every(firm), _numbers(firm)
    table([_row(rule, args.language) for rule in rules], args.language.say("rules.none"))
    _point_out(rules, numbers, args.language)
    return 0


def _add(args: argparse.Namespace) -> int:
    kind = Kind.EXCLUSION if args.exclude else Kind.INCLUSION
    field, comparison = Field(args.field), Comparison(args.comparison)
    wanted = Rule(kind, field, comparison, tuple(args.values), args.dossier, args.priority)
    with Firm(args.home) as firm:
        rule = mail_rules.add(firm, wanted)
        rules, numbers = mail_rules.every(firm), _numbers(firm)
    print(args.language.say("rules.added", rule=rule.id))
    _point_out(rules, numbers, args.language, about=rule.id)
    return 0


def _remove(args: argparse.Namespace) -> int:
    with Firm(args.home) as firm:
        mail_rules.forget(firm, args.rule)
    print(args.language.say("rules.removed", rule=args.rule))
    return 0


def _on(args: argparse.Namespace) -> int:
    with Firm(args.home) as firm:
        mail_rules.set_active(firm, args.rule, True)
    print(args.language.say("rules.switched_on", rule=args.rule))
    return 0


def _off(args: argparse.Namespace) -> int:
    with Firm(args.home) as firm:
        mail_rules.set_active(firm, args.rule, False)
    print(args.language.say("rules.switched_off", rule=args.rule))
    return 0


def _try(args: argparse.Namespace) -> int:
    """Say where files would go by the saved rules, or by others and what differs; nothing is changed anywhere."""
    if bool(args.files) == bool(args.last):
        raise PermanentFailure("rules.try_what")
    with Firm(args.home) as firm:
        saved = mail_rules.every(firm)
        more = [_draft(firm, -number, told) for number, told in enumerate(args.more, 1)]
        tried = [rule for rule in saved if rule.id not in args.without] + more
        alone = len(mailboxes.every(firm)) == 1  # saved mails are tried as if they had come to it
        box = named_box(firm, args.box) if args.last or args.box or alone else None
        raws = _last(firm, box, args.last) if box and args.last else map(_content, args.files)
        books = rulebook(firm, box, tried), rulebook(firm, box, saved)
        for raw in raws:
            message = read(raw)
            print(args.language.say("rules.of_mail", sender=message.mail.sender or "?", subject=message.mail.subject))
            after, before = (route(message.mail, message.parts, book) for book in books)
            rows = [_tried(args.language, *both) for both in zip(after, before, strict=True)]
            table(rows, args.language.say("rules.no_files"))
    return 0


def _draft(firm: Firm, identity: int, told: list[str]) -> Rule:
    """Return a rule that is only tried, from its four words; its number is negative."""
    field, comparison, value, then = told
    try:
        looked_at, compared = Field(field), Comparison(comparison)
    except ValueError:
        raise PermanentFailure("rules.no_such_word", field=field, comparison=comparison) from None
    if then == "exclude":
        return replace(checked(Rule(Kind.EXCLUSION, looked_at, compared, (value,))), id=identity)
    number = dossiers.find(firm, then).number
    return replace(checked(Rule(Kind.INCLUSION, looked_at, compared, (value,), number)), id=identity)


def _last(firm: Firm, box: Box, most: int) -> Iterator[bytes]:
    """Yield the last messages of a mailbox, one by one; none is changed, nor marked as read."""
    with closing(opened(access(firm, box))) as mailbox:
        for one in mailbox.listed()[-most:]:
            for _, raw in mailbox.fetch([one.number]):
                yield raw


def _content(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError:
        raise PermanentFailure("rules.no_file", file=str(file)) from None


def _tried(language: Language, after: Routed, before: Routed) -> tuple[str, ...]:
    then = _then(after.decision, language)
    place = after.decision.action, after.decision.dossier
    differs = place != (before.decision.action, before.decision.dossier)
    told = language.say("rules.differs", then=_then(before.decision, language)) if differs else ""
    return (f"  {after.part.path}", after.part.name, then, told)


def _then(decision: Decision, language: Language) -> str:
    why = language.say(decision.reason, rule=decision.rule)
    return language.say(f"rules.then.{decision.action.value}", dossier=decision.dossier, why=why)


def _row(rule: Rule, language: Language) -> tuple[str, ...]:
    say = language.say
    then = say("rules.into", dossier=rule.dossier) if rule.dossier else say("rules.leave_out")
    field, comparison = say(f"rules.field.{rule.field.value}"), say(f"rules.comparison.{rule.comparison.value}")
    values = " | ".join(rule.values)
    priority = str(rule.priority) if rule.kind is Kind.INCLUSION else "-"
    return (str(rule.id), priority, "" if rule.active else say("rules.is_off"), f"{field} {comparison}", values, then)


def _point_out(rules: list[Rule], numbers: list[str], language: Language, about: int | None = None) -> None:
    """Print what is wrong with the rules, or only what one of them has to do with."""
    for each in findings(rules, numbers):
        if about in {None, each.rule.id, each.other and each.other.id}:
            other = each.other.id if each.other else ""
            print(language.say(each.trouble.value, rule=each.rule.id, other=other))


def _numbers(firm: Firm) -> list[str]:
    return [dossier.number for dossier in dossiers.every(firm)]
