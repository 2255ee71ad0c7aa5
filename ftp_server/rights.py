"""The rights of READ and WRITE accounts as one table; never looks at an account or a file."""

from dataclasses import dataclass

from transfer.accounts import AccountKind

READ = frozenset({AccountKind.READ})
WRITE = frozenset({AccountKind.WRITE})
BOTH = READ | WRITE


@dataclass(frozen=True)
class Right:
    """Who may give a command, and why; ``own`` says that a WRITE account reaches only its own session's deposits."""

    kinds: frozenset[AccountKind]
    own: bool
    reason: str


RIGHTS = {
    "STOR": Right(WRITE, False, "WRITE deposits; READ only collects"),
    "APPE": Right(WRITE, False, "devices append to new names; nothing is ever appended to a stored document"),
    "STOU": Right(WRITE, False, "some scanners ask the server for a name"),
    "ALLO": Right(BOTH, False, "the announced size is evidence of completeness"),
    "RETR": Right(READ, False, "a leaked WRITE password must not read anything"),
    "DELE": Right(BOTH, True, "READ removes what it collected; devices delete the file they tried with"),
    "RNFR": Right(WRITE, True, "devices upload under a temporary name and rename it; READ renames nothing"),
    "RNTO": Right(WRITE, True, "as RNFR; never onto another file"),
    "LIST": Right(BOTH, True, "devices look at the folder before they send"),
    "NLST": Right(BOTH, True, "as LIST"),
    "MLSD": Right(BOTH, True, "as LIST"),
    "MLST": Right(BOTH, True, "as SIZE"),
    "SIZE": Right(BOTH, True, "senders compare sizes before they delete their copy"),
    "MDTM": Right(BOTH, True, "as SIZE"),
    "HASH": Right(BOTH, True, "senders compare hashes before they delete their copy"),
    "XSHA256": Right(BOTH, True, "as HASH"),
    "XMD5": Right(BOTH, True, "as HASH, for devices that know no better"),
    "XCRC": Right(BOTH, True, "as XMD5"),
    "CWD": Right(BOTH, False, "for WRITE folders are virtual: any safe path is there and tells nothing"),
    "CDUP": Right(BOTH, False, "as CWD"),
    "MKD": Right(WRITE, False, "devices make their folder first; for WRITE an existing one is a success"),
    "PWD": Right(BOTH, False, "tells only where the session itself went"),
    "SITE": Right(BOTH, True, "a sender follows its own documents: SITE RECEIPT"),
    "REST": Right(BOTH, False, "READ resumes a download; WRITE only from 0"),
}
"""Command -> right. A command that is not here needs no right (USER, TYPE, PASV ...) or does not exist."""


def allowed(command: str, kind: AccountKind) -> bool:
    """Tell whether an account of that kind may give the command."""
    right = RIGHTS.get(command)
    return right is None or kind in right.kinds
