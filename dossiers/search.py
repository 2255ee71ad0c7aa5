"""Finds documents in dossiers by the words of their name, their sender and their text; never reads a file.

Words are kept once; where they occur is kept by word and document, so that the newest documents of a word are read by
index, however many there are. A document is added once its delivery is in the journal, which is followed row by row.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, func, insert, select

from dossiers import tables
from dossiers.document import Document, from_row
from dossiers.firm import Firm
from dossiers.journal import Step
from dossiers.mail_rule import text_key, words
from dossiers.moving import AT_REST
from dossiers.settings import store, stored

MOST_WORDS = 400
"""Different words that are kept of one document."""

_LONGEST, _SHORTEST = 40, 2
_BEGINNINGS = 30  # words that one typed beginning may stand for
_COUNTED = 2000  # so far places of a word are counted, to begin with the rarest
_LATE = timedelta(seconds=10)  # on a server, rows of the journal may be committed out of order; none is that late
_DONE = "search.followed"
_words, _places = tables.search_words, tables.search_places
_documents, _journal = tables.documents, tables.journal

ReadText = Callable[[Document], str]
"""Returns the text of a document, or nothing where it has none that can be read."""


@dataclass(frozen=True)
class _Sought:
    numbers: Sequence[int]
    places: int


def words_of(text: str, most: int = MOST_WORDS) -> list[str]:
    """Return the different words of a text in small letters without accents, in their order."""
    found = (word for word in words(text_key(text)) if _SHORTEST <= len(word) <= _LONGEST)
    return list(dict.fromkeys(found))[:most]


def follow(firm: Firm, read_text: ReadText, most: int = 100) -> int:
    """Add the documents whose delivery the journal tells since the last time; return how many of its rows were read.

    ``read_text`` is called outside any transaction.
    """
    with firm.database.read() as connection:
        done = int(stored(connection, _DONE) or 0)
        settled = _journal.c.id > done, _journal.c.at <= firm.clock() - _LATE
        rows = connection.execute(
            select(_journal.c.id, _journal.c.document, _journal.c.step)
            .where(*settled)
            .order_by(_journal.c.id)
            .limit(most)
        ).all()
        new = {row.document for row in rows if row.step == Step.STORED.value}
        query = select(_documents).where(_documents.c.id.in_(new)).order_by(_documents.c.id)
        found = [from_row(row) for row in connection.execute(query)]
    if not rows:
        return 0
    told = [(each.id, words_of(" ".join((each.name, each.sender or "", read_text(each))))) for each in found]
    with firm.database.write("search") as connection:
        for number, each in told:
            _add(connection, number, each)
        store(connection, _DONE, str(rows[-1].id))
    return len(rows)


def find(
    firm: Firm,
    typed: str,
    *,
    seen: Collection[str] | None = None,
    dossier: str | None = None,
    before: int | None = None,
    most: int = 50,
) -> list[Document]:
    """Return the documents in dossiers that have all words typed, each as a word's beginning; the newest first.

    ``seen`` are the dossiers that may be shown (None: every one); ``before`` is the id of the last one of the page
    before.
    """
    with firm.database.read() as connection:
        sought = sorted((_sought(connection, word) for word in words_of(typed, 8)), key=lambda each: each.places)
        if not sought or not all(each.numbers for each in sought):
            return []
        which = _shown(seen, dossier, before)
        which += [_has(each.numbers) for each in sought[1:]]
        found: dict[int, Row[Any]] = {}
        for number in sought[0].numbers:
            here = _places.c.word == number, _documents.c.id == _places.c.document
            query = select(_documents).where(*here, *which).order_by(_places.c.document.desc()).limit(most)
            found |= {row.id: row for row in connection.execute(query)}
    return [from_row(found[number]) for number in sorted(found, reverse=True)[:most]]


def _shown(seen: Collection[str] | None, dossier: str | None, before: int | None) -> list[ColumnElement[bool]]:
    which: list[ColumnElement[bool]] = [
        _documents.c.state.in_([state.value for state in AT_REST]),
        _documents.c.dossier.is_not(None),
    ]
    if seen is not None:
        which.append(_documents.c.dossier.in_(sorted(seen)))
    if dossier is not None:
        which.append(_documents.c.dossier == dossier)
    if before is not None:
        which.append(_places.c.document < before)
    return which


def _sought(connection: Connection, word: str) -> _Sought:
    """Return the kept words that begin so, and about how many documents have them."""
    begins = _words.c.word >= word, _words.c.word < word + "\U0010ffff"
    query = select(_words.c.id).where(*begins).order_by(_words.c.word).limit(_BEGINNINGS)
    numbers = list(connection.scalars(query))
    some = select(_places.c.document).where(_places.c.word.in_(numbers)).limit(_COUNTED).subquery()
    return _Sought(numbers, connection.execute(select(func.count()).select_from(some)).scalar() or 0)


def _has(numbers: Sequence[int]) -> ColumnElement[bool]:
    there = _places.alias()
    return select(there.c.word).where(there.c.document == _documents.c.id, there.c.word.in_(numbers)).exists()


def _add(connection: Connection, document: int, words_found: Sequence[str]) -> None:
    known = dict(
        connection.execute(select(_words.c.word, _words.c.id).where(_words.c.word.in_(words_found))).tuples().all()
    )
    fresh = [word for word in words_found if word not in known]
    if fresh:
        connection.execute(insert(_words), [{"word": word} for word in fresh])
        again = select(_words.c.word, _words.c.id).where(_words.c.word.in_(fresh))
        known |= dict(connection.execute(again).tuples().all())
    here = _places.c.document == document, _places.c.word.in_(list(known.values()))
    there = set(connection.scalars(select(_places.c.word).where(*here)))
    rows = [{"word": number, "document": document} for number in known.values() if number not in there]
    if rows:
        connection.execute(insert(_places), rows)
