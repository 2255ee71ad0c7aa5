"""``navette server suspects``, ``trash``, ``receipt``, ``counts``: what was received and then; never receives."""

import argparse
import json
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from ftp_server.carrying import carry_out
from ftp_server.counts import counts, start_of
from ftp_server.database import Database
from ftp_server.deposits import Deposit
from ftp_server.doubtful import Choice, Doubtful
from ftp_server.folders import fiduciaries_of
from ftp_server.server import database
from ftp_server.suspects import Suspects
from ftp_server.tracking import iso, receipts, stored_path
from ftp_server.trash import TRASH_DAYS, Trash
from transfer.failures import Failure, PermanentFailure
from transfer.kill_point import kill_point
from transfer.language import Language

_Said = tuple[dict[str, object], str]
"""What became of one file: as JSON, and in a sentence."""


def add(verbs: Any, language: Language) -> None:
    """Add the commands to ``navette server``."""
    say = language.say
    _add_suspects(verbs.add_parser("suspects", help=say("cli.server.suspects")), language)
    _add_trash(verbs.add_parser("trash", help=say("cli.server.trash")), language)

    receipt = verbs.add_parser("receipt", help=say("cli.server.receipt"))
    receipt.add_argument("login", metavar="LOGIN")
    receipt.add_argument("sought", metavar="NAME|SHA256")
    receipt.add_argument("--json", action="store_true")
    receipt.set_defaults(run=_receipt)

    counting = verbs.add_parser("counts", help=say("cli.server.counts"))
    counting.add_argument("--days", type=int, default=7, metavar="N", help=say("cli.server.counts.days"))
    counting.add_argument("--login", metavar="LOGIN")
    counting.add_argument("--json", action="store_true")
    counting.set_defaults(run=_counts)


def _add_suspects(suspects: argparse.ArgumentParser, language: Language) -> None:
    say = language.say
    suspects.add_argument("--all", action="store_true", help=say("cli.server.suspects.all"))
    suspects.add_argument("--json", action="store_true")
    suspects.set_defaults(run=_suspects)
    deeds = suspects.add_subparsers(metavar="COMMAND")
    listing = deeds.add_parser("list", help=say("cli.server.suspects"))  # what was said before the word stays said
    listing.add_argument("--all", action="store_true", default=argparse.SUPPRESS, help=say("cli.server.suspects.all"))
    releasing = deeds.add_parser("release", help=say("cli.server.suspects.release"))
    releasing.add_argument("--as", dest="name", metavar="NAME", help=say("cli.server.suspects.as"))
    releasing.set_defaults(run=_release)
    discarding = deeds.add_parser("discard", help=say("cli.server.suspects.discard"))
    discarding.set_defaults(run=_discard)
    for each in (releasing, discarding):
        each.add_argument("ids", nargs="+", metavar="ID")
    for each in (listing, releasing, discarding):
        each.add_argument("--json", action="store_true", default=argparse.SUPPRESS)


def _add_trash(trash: argparse.ArgumentParser, language: Language) -> None:
    say = language.say
    deeds = trash.add_subparsers(metavar="COMMAND", required=True)
    listing = deeds.add_parser("list", help=say("cli.server.trash.list"))
    listing.set_defaults(run=_trash_list)
    restoring = deeds.add_parser("restore", help=say("cli.server.trash.restore"))
    restoring.add_argument("ids", nargs="+", metavar="ID")
    restoring.set_defaults(run=_restore)
    purging = deeds.add_parser("purge", help=say("cli.server.trash.purge"))
    purging.add_argument("--days", type=int, default=TRASH_DAYS, metavar="N", help=say("cli.server.trash.days"))
    purging.set_defaults(run=_purge)
    for each in (listing, purging):
        each.add_argument("--fiduciary", metavar="NNNNNN")
    for each in (listing, restoring, purging):
        each.add_argument("--json", action="store_true")


@contextmanager
def _database(args: argparse.Namespace) -> Iterator[Database]:
    with closing(database(args.home / "server")) as opened:
        yield opened


@dataclass(frozen=True)
class _Kept:
    """What was kept aside, and what has all that was decided of it carried out."""

    suspects: Suspects
    trash: Trash
    carry_out: Callable[[], None]


@contextmanager
def _kept(args: argparse.Namespace) -> Iterator[_Kept]:
    """Open what was kept aside, after carrying on what a crash left unfinished."""
    reached, home = kill_point(), args.home / "server"
    root = fiduciaries_of(home)
    try:
        with _database(args) as opened:
            facts = (opened, root, time.time, reached)
            kept = _Kept(Suspects(*facts), Trash(*facts), lambda: carry_out(home, opened, time.time, reached))
            kept.carry_out()
            yield kept
    except OSError as error:
        path, reason = error.filename or root, error.strerror or type(error).__name__
        raise PermanentFailure("server.disk_refuses", path=str(path), reason=reason) from error


def _suspects(args: argparse.Namespace) -> int:
    with _database(args) as opened:
        found = Suspects(opened, fiduciaries_of(args.home / "server"), time.time).list(decided=args.all)
    if args.json:
        print(json.dumps([_suspect_facts(each) for each in found]))
        return 0
    say = args.language.say
    for each in found:
        suspect = each.suspect
        path = f"{suspect.folder.rstrip('/')}/{suspect.name}"
        print(f"{_moment(suspect.received_at)}  {suspect.login or suspect.fiduciary:<29}  {suspect.size:>11}  {path}")
        print(f"    {suspect.id}  {say(f'suspect.{suspect.reason}')}")
        if each.decision:
            print(f"    {_became(each, args.language)}")
    if not found:
        print(say("server.no_suspects"))
    return 0


def _suspect_facts(doubtful: Doubtful) -> dict[str, object]:
    decision, deposit = doubtful.decision, doubtful.deposit
    return {
        **vars(doubtful.suspect),
        "decision": decision.choice.value if decision else None,
        "decided_at": decision.decided_at if decision else None,
        "ended_at": decision.ended_at if decision else None,
        "published": stored_path(deposit) if deposit else None,
        "collected_at": deposit.collected_at if deposit else None,
    }


def _became(doubtful: Doubtful, language: Language) -> str:
    decision = doubtful.decision
    assert decision
    when = _moment(decision.decided_at)
    if doubtful.is_open:
        return language.say("server.suspect_unfinished", when=when)
    if decision.choice is Choice.DISCARD:
        return language.say("server.suspect_discarded", when=when)
    path = stored_path(doubtful.deposit) if doubtful.deposit else ""
    return language.say("server.suspect_released", when=when, path=path)


def _release(args: argparse.Namespace) -> int:
    if args.name and len(args.ids) > 1:
        raise PermanentFailure("server.one_name", count=len(args.ids))

    def became(suspect_id: str) -> _Said:
        deposit = kept.suspects.released(suspect_id)
        path = stored_path(deposit)
        return {"published": path, "sha256": deposit.sha256}, args.language.say("server.released", path=path)

    with _kept(args) as kept:
        return _each(args, kept, lambda suspect_id: kept.suspects.release(suspect_id, args.name), became)


def _discard(args: argparse.Namespace) -> int:
    def became(suspect_id: str) -> _Said:
        return {"discarded": True}, args.language.say("server.discarded", id=suspect_id)

    with _kept(args) as kept:
        return _each(args, kept, kept.suspects.discard, became)


def _restore(args: argparse.Namespace) -> int:
    def became(trashed_id: str) -> _Said:
        back = kept.trash.restored(trashed_id)
        if isinstance(back, Deposit):
            return {"published": stored_path(back)}, args.language.say("server.restored", path=stored_path(back))
        return {"suspect": True}, args.language.say("server.doubted_again", id=back.id)

    with _kept(args) as kept:
        return _each(args, kept, kept.trash.restore, became)


def _each(args: argparse.Namespace, kept: _Kept, decide: Callable[[str], None], became: Callable[[str], _Said]) -> int:
    """Decide on each id, have that carried out, and tell what each became.

    One that is refused is said and holds up no other, and the exit code tells.
    """
    refused: dict[str, Failure] = {}
    for each in dict.fromkeys(args.ids):
        try:
            decide(each)
        except Failure as failure:
            refused[each] = failure
    kept.carry_out()
    told, code = [], 0
    for each in dict.fromkeys(args.ids):
        try:
            if each in refused:
                raise refused[each]
            facts, sentence = became(each)
        except Failure as failure:
            facts, sentence, code = {"refused": failure.code}, args.language.failure(failure), 2
        told.append({"id": each, **facts})
        if not args.json or "refused" in facts:
            print(sentence, file=sys.stderr if "refused" in facts else sys.stdout)
    if args.json:
        print(json.dumps(told))
    return code


def _trash_list(args: argparse.Namespace) -> int:
    with _database(args) as opened:
        found = Trash(opened, fiduciaries_of(args.home / "server"), time.time).list(args.fiduciary)
    now = time.time()
    if args.json:
        print(json.dumps([asdict(each) | {"days_left": each.days_left(now)} for each in found]))
        return 0
    for each in found:
        path = f"{each.folder.rstrip('/')}/{each.name}"
        print(f"{_moment(each.removed_at)}  {each.login or each.fiduciary:<29}  {each.size:>11}  {path}")
        left = args.language.say_n("server.days_left", each.days_left(now))
        print(f"    {each.id}  {args.language.say(f'trashed.{each.kind.value}')}; {left}")
    if not found:
        print(args.language.say("server.trash_empty"))
    return 0


def _purge(args: argparse.Namespace) -> int:
    if args.days < 0:
        raise PermanentFailure("server.bad_days", days=args.days)
    with _kept(args) as kept:
        count = kept.trash.purge(args.days, args.fiduciary)
    if args.json:
        print(json.dumps({"purged": count}))
    else:
        print(args.language.say_n("server.purged", count))
    return 0


def _receipt(args: argparse.Namespace) -> int:
    with _database(args) as opened:
        found = receipts(opened, args.login, args.sought)
    if args.json:
        print(json.dumps([each._asdict() for each in found]))
        return 0 if found else 1
    say = args.language.say
    for each in found:
        print(stored_path(each))
        print(f"    {say('server.received', when=iso(each.received_at))}; {each.size}  SHA-256 {each.sha256}")
        at = each.collected_at
        print(f"    {say('server.not_collected') if at is None else say('server.collected', when=iso(at))}")
    if not found:
        print(say("server.no_receipt", login=args.login))
    return 0 if found else 1


def _counts(args: argparse.Namespace) -> int:
    if args.days < 1:
        raise PermanentFailure("server.bad_days", days=args.days)
    with _database(args) as opened:
        found = counts(opened, start_of(args.days, time.time()), args.login)
    if args.json:
        print(json.dumps([asdict(each) | {"day": each.day.isoformat()} for each in found]))
        return 0
    say = args.language.say
    for each in found:
        amounts = say("server.count", deposits=each.deposits, suspects=each.suspects, collected=each.collected)
        print(f"{each.day}  {each.login or each.fiduciary:<29}  {each.bytes:>14}  {amounts}")
    if not found:
        print(say("server.no_counts"))
    return 0


def _moment(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).astimezone().strftime("%Y-%m-%d %H:%M:%S")
