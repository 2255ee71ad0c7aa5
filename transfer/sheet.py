"""Tables for a spreadsheet, read line by line and cell by cell, and cells that no spreadsheet runs; never a meaning."""

import codecs
import csv
import io
import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from transfer.failures import PermanentFailure

_LARGEST = 20 * 2**20
_FORMULA = re.compile(r"'*[=+\-@]")


@dataclass(frozen=True)
class RowFault:
    """What is wrong with a line of a table (the first is 1), as a failure with its code."""

    line: int
    failure: PermanentFailure


def table_of(path: Path) -> bytes:
    """Return a table's bytes, or refuse a file that cannot be opened with ``sheet.no_file``."""
    try:
        return path.read_bytes()
    except OSError:
        raise PermanentFailure("sheet.no_file", file=str(path)) from None


def read(
    raw: bytes, columns: Mapping[str, Sequence[str]], needed: Sequence[str]
) -> Iterator[tuple[int, dict[str, str] | PermanentFailure]]:
    """Yield the number of each line that says something with its cells by column, or with what is wrong with it.

    ``columns`` holds the other names that each column may have, in small letters without accents. Takes semicolons,
    commas or tabs, UTF-8, UTF-16 or Windows' own letters, and columns in any order. Raises ``sheet.not_readable``,
    ``sheet.unknown_column`` and others about the table as a whole.
    """
    lines = _cells(_decoded(raw))
    _, header = next(lines, (1, []))
    order = _header(header, columns, needed)
    return _lines(lines, order)


def harmless(text: str) -> str:
    """Mark a text that a spreadsheet would run as a formula as text, as a spreadsheet itself does."""
    return f"'{text}" if _FORMULA.match(text) else text


def unmarked(cell: str) -> str:
    """Return the text of a cell that :func:`harmless` may have marked."""
    return cell[1:] if cell.startswith("'") and _FORMULA.match(cell) else cell


def _lines(
    lines: Iterator[tuple[int, list[str]]], order: list[str]
) -> Iterator[tuple[int, dict[str, str] | PermanentFailure]]:
    empty = True
    for line, cells in lines:
        empty = False
        if len(cells) > len(order):
            yield line, PermanentFailure("sheet.too_many_cells", columns=len(order))
        else:
            yield line, dict(zip(order, cells, strict=False))
    if empty:
        raise PermanentFailure("sheet.empty")


def _decoded(raw: bytes) -> str:
    try:
        if raw.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            decoded = raw.decode("utf-16")
        else:
            try:
                decoded = raw.decode("utf-8-sig")
            except UnicodeDecodeError:
                decoded = raw.decode("cp1252")
    except UnicodeDecodeError:
        raise PermanentFailure("sheet.not_readable", line=1) from None
    if len(raw) > _LARGEST or "\0" in decoded:
        raise PermanentFailure("sheet.not_readable", line=1)
    return decoded


def _cells(decoded: str) -> Iterator[tuple[int, list[str]]]:
    """Yield the number and the cells of each line that says something, without blanks and without empty last cells."""
    first = decoded.lstrip().partition("\n")[0]
    reader = csv.reader(io.StringIO(decoded, newline=""), delimiter=max(";,\t", key=first.count), strict=True)
    line = 1
    try:
        for row in reader:
            cells = [cell.strip() for cell in row]
            while cells and not cells[-1]:
                cells.pop()
            if cells:
                yield line, cells
            line = reader.line_num + 1
    except csv.Error:
        raise PermanentFailure("sheet.not_readable", line=line) from None


def _header(cells: list[str], columns: Mapping[str, Sequence[str]], needed: Sequence[str]) -> list[str]:
    named = {word: column for column, others in columns.items() for word in (column, *others)}
    found: list[str] = []
    for cell in cells:
        column = named.get(_plain(cell))
        if column is None:
            raise PermanentFailure("sheet.unknown_column", column=cell[:40], known=", ".join(columns))
        if column in found:
            raise PermanentFailure("sheet.column_twice", column=cell[:40])
        found.append(column)
    for column in needed:
        if column not in found:
            raise PermanentFailure("sheet.no_column", column=column)
    return found


def _plain(word: str) -> str:
    """Return a header's word in small letters without accents, with underscores for what separates."""
    letters = unicodedata.normalize("NFKD", word.lower())
    return re.sub(r"[\s_-]+", "_", "".join(each for each in letters if not unicodedata.combining(each)))
