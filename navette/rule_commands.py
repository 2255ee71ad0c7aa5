"""``navette rules``: the firm's rules for the mail intake by hand, and what they would do; never changes a mail."""

import argparse
from pathlib import Path
from typing import Any

from dossiers import dossier as dossiers
from dossiers import mail_rules
from dossiers.firm import Firm
from dossiers.mail_rule import USUAL, Comparison, Field, Kind, Rule
from mail_intake.findings import findings
from mail_intake.message import read
from mail_intake.routing import route
from mail_intake.rulebook import rulebook
from mail_intake.rules import Decision
from navette.dossier_commands import table
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

    trying = verbs.add_parser("try", help=say("command.rules.try"))
    trying.add_argument("files", nargs="+", type=Path, metavar="FILE", help=say("command.rules.file"))
    trying.set_defaults(run=_try)

    for verb, run in (("remove", _remove), ("on", _on), ("off", _off)):
        changing = verbs.add_parser(verb, help=say(f"command.rules.{verb}"))
        changing.add_argument("rule", type=int, metavar="RULE")
        changing.set_defaults(run=run)


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
    with Firm(args.home) as firm:
        book = rulebook(firm)
    for file in args.files:
        try:
            message = read(file.read_bytes())
        except OSError:
            raise PermanentFailure("rules.no_file", file=str(file)) from None
        print(args.language.say("rules.of_mail", sender=message.mail.sender or "?", subject=message.mail.subject))
        rows = [
            (f"  {routed.part.path}", routed.part.name, _then(routed.decision, args.language))
            for routed in route(message.mail, message.parts, book)
        ]
        table(rows, args.language.say("rules.no_files"))
    return 0


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
