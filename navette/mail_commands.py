"""``navette mail``: one round over the mailbox, a look at it, and how its mails are; never shows a password."""

import argparse
from contextlib import closing
from typing import Any

from dossiers import mails
from dossiers.firm import Firm
from fetcher.service import once_mail
from mail_intake.access import access, opened
from mail_intake.round import ORIGIN
from navette.dossier_commands import table
from navette.fetch_commands import Shown, log_to_stderr
from transfer.kill_point import kill_point
from transfer.language import Language


def add(commands: Any, language: Language) -> None:
    """Add the command to ``navette``."""
    say = language.say
    mail = commands.add_parser("mail", help=say("command.mail"))
    mail.add_argument("--once", action="store_true", help=say("command.mail.once"))
    mail.set_defaults(run=_once)
    verbs = mail.add_subparsers(metavar="COMMAND")
    verbs.add_parser("test", help=say("command.mail.test")).set_defaults(run=_test)
    verbs.add_parser("status", help=say("command.mail.status")).set_defaults(run=_status)


def _once(args: argparse.Namespace) -> int:
    if not args.once:
        print(args.language.say("mail.what"))
        return 2
    log_to_stderr()
    with Firm(args.home) as firm:
        shown = Shown(args.language, firm)
        result = once_mail(firm, shown.document, kill_point())
        shown.result(ORIGIN, result)
    return 1 if result.failed or result.paused else 0


def _test(args: argparse.Namespace) -> int:
    say = args.language.say
    with Firm(args.home) as firm:
        at = access(firm)
        after = firm.settings.text("mail.after")
        with closing(opened(at)) as mailbox:
            listed = mailbox.listed()
            known = mails.known(firm, at.source, mailbox.generation)
    new = [one for one in listed if one.number not in known]
    size = f"{sum(one.size for one in new) / 1_000_000:.1f}"
    print(say("mail.tested", host=at.host, user=at.user, messages=len(listed)))
    print(say(f"mail.would.{after}", new=len(new), size=size))
    return 0


def _status(args: argparse.Namespace) -> int:
    with Firm(args.home) as firm:
        counted = sorted(mails.counts(firm).items())
    rows = [(source, args.language.say(f"mail.state.{state}"), str(n)) for (source, state), n in counted]
    return table(rows, args.language.say("mail.none"))
