"""Undoes the transfer encodings of parts, also where they are damaged; never guesses what the bytes mean."""

import binascii
import quopri
import re

_NOT_BASE64 = re.compile(rb"[^A-Za-z0-9+/]+")
_SIGN = re.compile(rb"[A-Za-z0-9+/]")
_PIECES = re.compile(rb"(?:[A-Za-z0-9+/=]*[ \t]*\r?\n)*[A-Za-z0-9+/=]*[ \t]*")
_GAP = re.compile(rb"(?<=\S)[ \t]*\r?\n[ \t]*\r?\n")
_BEFORE_A_GAP = (b"\n\n", b"\n\r\n", b" ", b"\t")
_PROSE = re.compile(rb"[^\s=]+[ \t]+[^\s=]|___|---")
_BEGIN = re.compile(rb"(?m)^begin(?:-base64)? [0-7]{3,4} ([^\r\n]{1,255})\r?\n")


def decoded(raw: bytes, encoding: str) -> bytes:
    """Return the bytes that a transfer encoding stands for; an unknown encoding stands for the bytes themselves."""
    if encoding == "base64":
        return from_base64(raw)
    if encoding == "quoted-printable":
        return quopri.decodestring(raw)
    if encoding in {"x-uuencode", "uuencode", "x-uue", "uue"}:
        files = uuencoded(raw)
        return files[0][1] if files else raw
    return raw


def from_base64(raw: bytes) -> bytes:
    """Return what base64 stands for; signs outside its alphabet are dropped, a torn end is decoded as far as it goes.

    Some programs encode piece by piece, each with its own padding; a footer that a mailing list has added is no piece.
    """
    raw = raw.rstrip()
    gap = _GAP.search(raw) if any(sign in raw for sign in _BEFORE_A_GAP) else None  # the search itself is slow
    if gap and _PROSE.search(raw, gap.end()):
        raw = raw[: gap.start()]
    padding = raw.find(b"=")
    more = padding >= 0 and _SIGN.search(raw, padding) is not None and _PIECES.fullmatch(raw, padding) is not None
    if not more:
        try:
            return binascii.a2b_base64(raw)
        except binascii.Error:
            raw = raw if padding < 0 else raw[:padding]
    return b"".join(map(_piece, raw.split(b"=")))


def uuencoded(text: bytes) -> list[tuple[str, bytes]]:
    """Return the files that are uuencoded in a text, each with its name."""
    found = []
    at = 0
    while begin := _BEGIN.search(text, at):
        content, at = _uu_lines(text, begin.end())
        if content:
            found.append((begin[1].decode("utf-8", "replace").strip(), content))
    return found


def _piece(piece: bytes) -> bytes:
    piece = _NOT_BASE64.sub(b"", piece)
    rest = len(piece) % 4
    if rest == 1:  # a sign too many: it holds no whole byte
        piece = piece[:-1]
    return binascii.a2b_base64(piece + b"=" * (-len(piece) % 4))


def _uu_lines(text: bytes, at: int) -> tuple[bytes, int]:
    content = []
    while at < len(text):
        stop = text.find(b"\n", at)
        stop = len(text) if stop < 0 else stop + 1
        line = text[at:stop].rstrip(b"\r\n")
        at = stop
        if line.strip() in {b"end", b"`", b""}:
            if line.strip() == b"end":
                break
            continue
        try:
            content.append(binascii.a2b_uu(line))
        except binascii.Error:  # some programs write a few signs too many
            length = (((line[0] - 32) & 63) * 4 + 5) // 3
            try:
                content.append(binascii.a2b_uu(line[:length]))
            except binascii.Error:
                break
    return b"".join(content), at
