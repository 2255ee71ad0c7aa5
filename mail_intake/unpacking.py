"""Opens the files that only wrap others: ZIP archives, winmail.dat, mails saved by Outlook; never a document."""

from collections.abc import Iterator
from dataclasses import replace

from mail_intake import caged, kinds
from mail_intake.archives import unzipped
from mail_intake.part import Fate, Part, file_name
from transfer.failures import PermanentFailure

DEEPEST = 5
"""How deep wrappings and mails may lie in each other."""

MOST_BYTES = 200 * 1024 * 1024
"""How much may come out of all wrappings of one message together."""


class Unpacking:
    """Opens wrappings of one message, until too much has come out of them."""

    def __init__(self) -> None:
        self._left = MOST_BYTES

    def opened(self, part: Part, kind: str = "", depth: int = 0) -> Iterator[Part]:
        """Yield the files in a file that only wraps others, else the file itself; what cannot be opened is held."""
        try:
            inside = self._inside(part, kind, depth)
        except PermanentFailure as failure:
            yield replace(part, fate=Fate.HELD, reason=failure.code)
            return
        if inside is None:
            yield part
            return
        yield replace(part, fate=Fate.LEFT_OUT, reason="mail.wrapping")
        for number, (name, content, clutter) in enumerate(inside, 1):
            file = Part(f"{part.path}/{number}", file_name(name, "", content), Fate.DOCUMENT, None, content)
            if clutter:
                yield replace(file, fate=Fate.LEFT_OUT, reason="mail.clutter")
            elif not content:
                yield replace(file, fate=Fate.HELD, reason="waiting.empty")
            elif not name:
                yield replace(file, fate=Fate.HELD, reason="waiting.nameless")
            else:
                yield from self.opened(file, depth=depth + 1)

    def _inside(self, part: Part, kind: str, depth: int) -> list[tuple[str, bytes, bool]] | None:
        """Return name, bytes and uselessness of each file in a wrapping; None for what is none."""
        name, content = part.name, part.content
        if kinds.is_zip(name, kind, content):
            opening = _unzipped
        elif kinds.is_winmail(name, kind, content):
            opening = _in_winmail
        elif kinds.is_outlook_message(name, kind, content):
            opening = _in_outlook_message
        else:
            if kinds.may_be_locked(content) and not caged.opens_without_password(content):
                raise PermanentFailure("waiting.encrypted")
            return None
        if depth >= DEEPEST:
            raise PermanentFailure("waiting.too_deep")
        inside = opening(content)
        self._left -= sum(len(content) for _, content, _ in inside)
        if self._left < 0:
            raise PermanentFailure("waiting.archive_too_large")
        if not inside and opening is not _in_winmail:  # an empty archive, or a mail that is itself what was sent
            return None
        return inside


def _unzipped(content: bytes) -> list[tuple[str, bytes, bool]]:
    return [(file.name, file.content, file.clutter) for file in unzipped(content)]


def _in_winmail(content: bytes) -> list[tuple[str, bytes, bool]]:
    return [(name, inner, False) for name, inner in caged.winmail(content)]


def _in_outlook_message(content: bytes) -> list[tuple[str, bytes, bool]]:
    return [(name, inner, False) for name, inner in caged.outlook_message(content)]
