"""Finds which of many short texts occur in a text, without trying each; never knows what they stand for.

Every comparison of a rule becomes the one question whether a needle occurs in a text: texts stand between marks, so
that a needle that begins with the first mark is found at a start only, and words stand between blanks.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Generic, TypeVar

from dossiers.mail_rule import Comparison, Field, address_key, text_key, words

_START, _END = "\x02", "\x03"  # in no text: keys hold no control characters
_GRAM = 3

_T = TypeVar("_T")


@dataclass(frozen=True)
class View:
    """A field of a mail as it is searched: its text, or only its words."""

    field: Field
    by_words: bool = False


@dataclass(frozen=True)
class Needle:
    """What a value of a rule looks for, and in which view."""

    view: View
    text: str


def needle(field: Field, comparison: Comparison, value: str) -> Needle:
    """Return what a comparison with a value looks for."""
    key = _key(field, value)
    if comparison is Comparison.WORD:
        return Needle(View(field, by_words=True), f" {' '.join(words(key))} ")
    start = _START if comparison in {Comparison.EQUALS, Comparison.STARTS} else ""
    end = _END if comparison in {Comparison.EQUALS, Comparison.ENDS} else ""
    return Needle(View(field), start + key + end)


def haystack(view: View, texts: Iterable[str]) -> str:
    """Return the texts of a field as needles of this view are looked for in them."""
    keys = [_key(view.field, text) for text in texts]
    if view.by_words:
        return _END.join(f" {' '.join(words(key))} " for key in keys)
    return "".join(_START + key + _END for key in keys)


def forms(specific: Needle) -> Iterator[tuple[View, str]]:
    """Yield, by view, what a text that holds a needle has in it for sure: what occurs in that occurs in the text."""
    field, text = specific.view.field, specific.text
    yield specific.view, text
    if specific.view.by_words:
        yield from ((View(field), word) for word in text.split())
    elif text.startswith(_START) and text.endswith(_END):  # it is the whole text
        yield View(field, by_words=True), f" {' '.join(words(text[1:-1]))} "


class Index(Generic[_T]):
    """Many needles of one view, each filed under the rarest three letters in it."""

    def __init__(self, needles: Iterable[tuple[str, _T]]) -> None:
        needles = list(needles)
        self._short = [(text, owner) for text, owner in needles if len(text) < _GRAM]
        self._filed: dict[str, list[tuple[str, _T]]] = {}
        common = Counter(gram for text, _ in needles for gram in _grams(text))
        for text, owner in needles:
            if len(text) >= _GRAM:
                rarest = min(_grams(text), key=lambda gram: (common[gram], gram))
                self._filed.setdefault(rarest, []).append((text, owner))

    def hits(self, text: str) -> Iterator[_T]:
        """Yield the owner of each needle that occurs in the text."""
        for gram in _grams(text) & self._filed.keys():
            for sought, owner in self._filed[gram]:
                if sought in text:
                    yield owner
        for sought, owner in self._short:
            if sought in text:
                yield owner


def _key(field: Field, text: str) -> str:
    return address_key(text) if field.is_address else text_key(text)


def _grams(text: str) -> set[str]:
    return {text[at : at + _GRAM] for at in range(len(text) - _GRAM + 1)}
