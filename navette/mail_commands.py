"""``navette mail``: the mailboxes, a look at them, a round by hand, and what became of mails; never shows a secret."""

import argparse
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

from dossiers import kept_mails, mailboxes, mails
from dossiers.firm import Firm
from dossiers.mailboxes import Box
from dossiers.mails import Restore
from dossiers.rounds import Status, ask_at_once
from dossiers.settings import CHOICES, MAILBOX
from fetcher.service import once_mail, restore_mails
from mail_intake.access import access, opened
from navette.dossier_commands import moment, table
from navette.fetch_commands import Shown, log_to_stderr
from transfer.failures import Failure, PermanentFailure
from transfer.kill_point import kill_point
from transfer.language import Language

_YES_NO = ("yes", "no")


def add(commands: Any, language: Language) -> None:
    """Add the command to ``navette``."""
    say = language.say
    mail = commands.add_parser("mail", help=say("command.mail"))
    mail.add_argument("--once", action="store_true", help=say("command.mail.once"))
    mail.set_defaults(run=_once)
    verbs = mail.add_subparsers(metavar="COMMAND")
    verbs.add_parser("status", help=say("command.mail.status")).set_defaults(run=_status)
    named: dict[str, Callable[[argparse.Namespace], int]] = {"test": _test, "accept": _accept, "login": _login}
    for word, run in named.items():
        parser = verbs.add_parser(word, help=say(f"command.mail.{word}"))
        parser.add_argument("name", nargs="?", metavar="MAILBOX", help=say("command.mail.name"))
        parser.set_defaults(run=run)
        if word == "login":
            parser.add_argument("--browser", action="store_true", help=say("command.mail.browser"))
    listing = verbs.add_parser("list", help=say("command.mail.list"))
    listing.add_argument("--last", type=int, default=50, metavar="N", help=say("command.mail.last"))
    listing.set_defaults(run=_list)
    showing = verbs.add_parser("show", help=say("command.mail.show"))
    showing.add_argument("--to", type=Path, metavar="FILE.eml", help=say("command.mail.to"))
    showing.set_defaults(run=_show)
    restoring = verbs.add_parser("restore", help=say("command.mail.restore"))
    restoring.add_argument("--all", action="store_true", help=say("command.mail.all"))
    restoring.set_defaults(run=_restore)
    for parser in (showing, restoring):
        parser.add_argument("mail", type=int, metavar="MAIL")
    _add_boxes(verbs, language)


def _add_boxes(verbs: Any, language: Language) -> None:
    say = language.say
    boxes = verbs.add_parser("box", help=say("command.mail.box")).add_subparsers(metavar="COMMAND", required=True)
    boxes.add_parser("list", help=say("command.mail.box.list")).set_defaults(run=_box_list)
    for word, run in (("add", _box_add), ("change", _box_change), ("remove", _box_forget)):
        parser = boxes.add_parser(word, help=say(f"command.mail.box.{word}"))
        parser.add_argument("name", metavar="MAILBOX", help=say("command.mail.name"))
        parser.set_defaults(run=run)
        for setting in MAILBOX if word != "remove" else ():
            key = setting.name.removeprefix("mail.")
            shown = "-" if setting.secret else "|".join(CHOICES.get(setting.name, ())) or key.upper()
            parser.add_argument(f"--{key.replace('_', '-')}", metavar=shown, help=say(f"setting.{setting.name}"))


def _box_list(args: argparse.Namespace) -> int:
    say = args.language.say
    with Firm(args.home) as firm:
        rows = [
            (
                box.name,
                box.source,
                say(f"mail.after.{box.after}"),
                say("mail.box_every", minutes=box.minutes) if box.minutes else "",
                say("mail.box_off") if not box.active else "" if box.is_accepted else say("mail.box_waits"),
            )
            for box in mailboxes.every(firm)
        ]
    return table(rows, say("mail.no_box"))


def _box_add(args: argparse.Namespace) -> int:
    with Firm(args.home) as firm:
        mailboxes.add(firm, args.name, _values(args))
    print(args.language.say("mail.box_kept", name=args.name))
    return 0


def _box_change(args: argparse.Namespace) -> int:
    with Firm(args.home) as firm:
        mailboxes.change(firm, args.name, _values(args))
    print(args.language.say("mail.box_kept", name=args.name))
    return 0


def _box_forget(args: argparse.Namespace) -> int:
    with Firm(args.home) as firm:
        mailboxes.forget(firm, args.name)
    print(args.language.say("mail.box_removed", name=args.name))
    return 0


def _values(args: argparse.Namespace) -> dict[str, str]:
    """Return what was given, each ``-`` read from the input so that no secret stays in the command history."""
    keys = [setting.name.removeprefix("mail.") for setting in MAILBOX]
    given = {key: getattr(args, key) for key in keys if getattr(args, key) is not None}
    return {key: sys.stdin.readline().rstrip("\r\n") if value == "-" else value for key, value in given.items()}


def named_box(firm: Firm, name: str | None) -> Box:
    """Return the mailbox that is named; where none is, the only one there is."""
    boxes = mailboxes.every(firm)
    if name is None and len(boxes) == 1:
        return boxes[0]
    if name is None:
        raise PermanentFailure("mailbox.name_one" if boxes else "mailbox.none")
    return mailboxes.find(firm, name)


def _once(args: argparse.Namespace) -> int:
    """Collect from all mailboxes; the exit code is 1 when a mail failed or waits, 2 when a mailbox did."""
    if not args.once:
        print(args.language.say("mail.what"))
        return 2
    log_to_stderr()
    code = 0
    with Firm(args.home) as firm:
        shown = Shown(args.language, firm)

        def report(status: Status, failure: Failure | None) -> None:
            nonlocal code
            if len(boxes) > 1:
                print(f"{status.source.removeprefix('mail.')}:", flush=True)
            if failure is not None:
                print(args.language.failure(failure), file=sys.stderr)
                code = 2
            else:
                shown.result(status.source, status.result)
                code = code or int(bool(status.result.failed or status.result.paused))

        boxes = [box for box in mailboxes.every(firm) if box.active]
        if not boxes:
            raise PermanentFailure("mailbox.none")
        once_mail(firm, boxes, report, shown.document, kill_point())
    return code


def _test(args: argparse.Namespace) -> int:
    with Firm(args.home) as firm:
        box = named_box(firm, args.name)
        _look(args.language, firm, box)
    if not box.is_accepted:
        print(args.language.say("mail.accept_first", name=box.name))
    return 0


def _accept(args: argparse.Namespace) -> int:
    with Firm(args.home) as firm:
        box = named_box(firm, args.name)
        _look(args.language, firm, box)
        mailboxes.accept(firm, box)
        ask_at_once(firm)
    print(args.language.say("mail.accepted", name=box.name))
    return 0


def _look(language: Language, firm: Firm, box: Box) -> None:
    """Connect to a mailbox and say what a round would do there; nothing is changed."""
    at = access(firm, box)
    with closing(opened(at)) as mailbox:
        listed = mailbox.listed()
        known = mails.known(firm, box.source, mailbox.generation)
    new = [one for one in listed if one.number not in known]
    size = f"{sum(one.size for one in new) / 1_000_000:.1f}"
    print(language.say("mail.tested", host=at.host, user=at.user, messages=len(listed)))
    print(language.say(f"mail.would.{box.after}", new=len(new), size=size))


def _login(args: argparse.Namespace) -> int:
    from mail_intake.oauth import sign_in

    say = args.language.say

    def show(url: str, code: str) -> None:
        print(say("mail.type_code", url=url, code=code), flush=True)

    with Firm(args.home) as firm:
        box = named_box(firm, args.name)
        sign_in(firm, box, show, say("mail.open_page", url="{url}"), args.browser)
        ask_at_once(firm)
    print(say("mail.signed_in", name=box.name))
    return 0


def _status(args: argparse.Namespace) -> int:
    with Firm(args.home) as firm:
        names = {box.source: box.name for box in mailboxes.every(firm)}
        counted = sorted(mails.counts(firm).items())
    rows = [
        (names.get(source, source), args.language.say(f"mail.state.{state}"), str(n)) for (source, state), n in counted
    ]
    return table(rows, args.language.say("mail.none"))


def _list(args: argparse.Namespace) -> int:
    say = args.language.say
    with Firm(args.home) as firm:
        rows = [
            (
                str(mail.id),
                moment(mail.found),
                mail.sender or "?",
                (mail.subject or "")[:60],
                say(f"mail.state.{mail.state.value}"),
                say("mail.is_kept") if mail.kept else "",
            )
            for mail in mails.latest(firm, args.last)
        ]
    return table(rows, say("mail.none"))


def _show(args: argparse.Namespace) -> int:
    """Say what was decided for the files of a mail, and copy the kept mail into a file if one is named."""
    say = args.language.say
    with Firm(args.home) as firm:
        mail = mails.find(firm, args.mail)
        decided = mails.decisions(firm, mail.id)
        if args.to is not None:
            raw = kept_mails.raw(firm, mail)
            try:
                with args.to.open("xb") as file:
                    file.write(raw)
            except OSError:
                raise PermanentFailure("mail.cannot_write", file=str(args.to)) from None
    print(say("rules.of_mail", sender=mail.sender or "?", subject=mail.subject or ""))
    rows = []
    for each in decided:
        why = say(each.reason, rule=each.rule)
        rows.append((f"  {each.path}", each.name, say(f"rules.then.{each.action}", dossier=each.dossier, why=why)))
    return table(rows, say("rules.no_files"))


def _restore(args: argparse.Namespace) -> int:
    """Put files that were left out on the waiting list, now or by the service that runs."""
    say = args.language.say
    with Firm(args.home) as firm:
        mails.ask_to_restore(firm, args.mail, Restore.ALL if args.all else Restore.EXCLUDED)
        try:
            restore_mails(firm, Shown(args.language, firm).document, kill_point())
        except PermanentFailure as failure:
            if not failure.code.startswith("designation."):
                raise
            ask_at_once(firm)
            print(say("mail.restore_asked"))
    return 0
