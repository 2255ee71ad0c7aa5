"""Finds the addresses in a From or To field; never takes a name that looks like an address for one."""

import re

_STRUCTURE = re.compile(r'"(?:\\.|[^"\\])*"?|\((?:\\.|[^()\\])*\)?|[<>,;:]|[^"(<>,;:]+')
_ADDRESS = re.compile(r"[^\s@<>,;:()\"]+@[^\s@<>,;:()\"]+")


def addresses(raw: str) -> list[str]:
    """Return the addresses of a field that has not been decoded; what is not clearly an address is none.

    Names are thrown away before anything is decoded, so that nothing in them can become an address.
    """
    found: list[str] = []
    bare = angle = ""
    inside = closed = broken = False

    def finish() -> None:
        nonlocal bare, angle, inside, closed, broken
        candidate = angle if closed else bare
        if not broken and not inside and _ADDRESS.fullmatch(candidate.strip()):
            found.append(candidate.strip())
        bare = angle = ""
        inside = closed = broken = False

    for piece in _STRUCTURE.findall(raw):
        if piece == "<":
            broken |= closed or inside
            inside = True
        elif piece == ">":
            broken |= not inside
            inside, closed = False, True
        elif piece in {",", ";"} and not inside:
            finish()
        elif piece == ":" and not inside:
            bare = ""  # the name of a group
        elif piece[0] == "(":
            continue
        elif inside:
            angle += piece
        elif piece[0] == '"':
            bare += '"'  # spoils a bare address, and is thrown away before one in angles
        else:
            broken |= closed and bool(piece.strip())
            bare += piece
    finish()
    return found
