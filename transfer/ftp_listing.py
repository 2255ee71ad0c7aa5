"""Reads the lines in which FTP servers list a folder, in their three dialects; never asks a server."""

import re
from dataclasses import dataclass

_UNIX = re.compile(
    r"([-d])[^ ]{9,} +\d+ +(?:[^ ]+ +){1,2}(\d+) +(?:[^ ]+ +\d+ +[\d:]{4,5}|\d{4}-\d\d-\d\d +\d\d:\d\d) (.+)"
)
_DOS = re.compile(r"\d\d-\d\d-\d{2,4} +\d\d:\d\d(?:[AP]M)? +(<DIR>|\d+) +(.+)")


@dataclass(frozen=True)
class Sender:
    """Who deposited a file, as Navette's own server tells a READ account: login, address, and the receipt's number."""

    login: str
    peer: str
    receipt: str


@dataclass(frozen=True)
class Listed:
    """One name in a folder: size in bytes and time of change (YYYYMMDDHHMMSS), None where the line does not tell."""

    name: str
    is_folder: bool
    size: int | None
    modified: str | None
    sender: Sender | None = None


def from_facts(line: str) -> Listed | None:
    """Read a line of MLSD (RFC 3659, section 7); None for what is neither a file nor a folder."""
    told, _, name = line.partition(" ")
    facts = {key.lower(): value for key, _, value in (fact.partition("=") for fact in told.split(";"))}
    kind = facts.get("type", "").lower()
    if kind not in {"file", "dir"}:
        return None
    told_by = [facts.get(fact, "")[:64] for fact in ("x.login", "x.peer", "x.receipt")]
    sender = Sender(*told_by) if all(told_by) else None
    return Listed(name, kind == "dir", _number(facts.get("size", "")), facts.get("modify", "")[:14] or None, sender)


def from_list(line: str) -> Listed | None:
    """Read a line of LIST as Unix servers or as IIS write it; None for anything else, such as a link or a total.

    LIST tells the time of change in too many ways, and to the minute at best: it is left out.
    """
    if found := _UNIX.fullmatch(line):
        return Listed(found[3], found[1] == "d", _number(found[2]), None)
    if found := _DOS.fullmatch(line):
        return Listed(found[2], found[1] == "<DIR>", _number(found[1]), None)
    return None


def _number(digits: str) -> int | None:
    return int(digits) if re.fullmatch("[0-9]{1,18}", digits) else None
