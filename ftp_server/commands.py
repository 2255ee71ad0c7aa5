"""The commands the server knows, as the table pyftpdlib dispatches by; never runs one."""


def _command(login: bool = True, argument: bool | None = None) -> dict[str, object]:
    """Describe a command: whether it needs a login, and an argument (None: it may have one)."""
    return {"perm": None, "auth": login, "arg": argument, "help": ""}


COMMANDS = {
    **{name: _command(login=False, argument=True) for name in ("USER", "AUTH", "PBSZ", "PROT", "OPTS")},
    **{
        name: _command(login=False) for name in ("PASS", "ACCT", "FEAT", "SYST", "NOOP", "QUIT", "REIN", "HELP", "CLNT")
    },
    **{name: _command(login=False, argument=True) for name in ("TYPE", "MODE", "STRU")},
    **{name: _command(argument=True) for name in ("STOR", "APPE", "RETR", "DELE", "CWD", "MKD", "RMD")},
    **{name: _command(argument=True) for name in ("SIZE", "MDTM", "HASH", "XSHA256", "ALLO", "REST", "PORT", "EPRT")},
    **{
        name: _command()
        for name in ("STOU", "LIST", "NLST", "MLSD", "MLST", "PWD", "CDUP", "PASV", "EPSV", "STAT", "ABOR")
    },
}

ALIASES = {"XMKD": "MKD", "XCWD": "CWD", "XPWD": "PWD", "XCUP": "CDUP", "XRMD": "RMD"}
"""Older names that devices still use."""
