"""The commands the server knows and what each needs; never runs one."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Command:
    """Whether a command needs a login, and an argument."""

    login: bool
    argument: bool


_BEFORE_LOGIN = "PASS ACCT FEAT SYST NOOP QUIT REIN HELP CLNT"
_BEFORE_LOGIN_WITH_ARGUMENT = "USER AUTH PBSZ PROT OPTS TYPE MODE STRU"
_AFTER_LOGIN = "STOU LIST NLST MLSD MLST PWD CDUP PASV EPSV STAT ABOR"
_AFTER_LOGIN_WITH_ARGUMENT = (
    "STOR APPE RETR DELE CWD MKD RMD SIZE MDTM HASH XSHA256 XMD5 XCRC RNFR RNTO ALLO REST PORT EPRT SITE"
)

COMMANDS = {
    **dict.fromkeys(_BEFORE_LOGIN.split(), Command(login=False, argument=False)),
    **dict.fromkeys(_BEFORE_LOGIN_WITH_ARGUMENT.split(), Command(login=False, argument=True)),
    **dict.fromkeys(_AFTER_LOGIN.split(), Command(login=True, argument=False)),
    **dict.fromkeys(_AFTER_LOGIN_WITH_ARGUMENT.split(), Command(login=True, argument=True)),
}

ALIASES = {"XMKD": "MKD", "XCWD": "CWD", "XPWD": "PWD", "XCUP": "CDUP", "XRMD": "RMD"}
"""Older names that devices still use."""
