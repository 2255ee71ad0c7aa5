"""Looks at the product's own source and texts, for the tests that keep its rules; never imports a room."""

import ast
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po

ROOT = Path(__file__).resolve().parents[2]
ROOMS = ("transfer", "uploader", "ini_tools", "ftp_server", "dossiers", "mail_intake", "fetcher", "console", "navette")
LANGUAGES = ("fr", "nl", "en")


@cache
def settings() -> dict[str, dict[str, dict[str, object]]]:
    """Return what pyproject.toml says."""
    with (ROOT / "pyproject.toml").open("rb") as file:
        return tomllib.load(file)


def modules(*rooms: str) -> list[Path]:
    """Return the modules of the rooms (of all rooms), but for ``__init__.py`` files, which hold nothing."""
    found = [path for room in rooms or ROOMS for path in sorted((ROOT / room).rglob("*.py"))]
    return [path for path in found if path.name != "__init__.py"]


def templates() -> list[Path]:
    """Return the templates of the console's pages."""
    return sorted((ROOT / "console" / "templates").glob("*.html"))


def name(path: Path) -> str:
    """Return a file's path from the root of the project, with slashes."""
    return path.relative_to(ROOT).as_posix()


@cache
def tree(path: Path) -> ast.Module:
    """Return the syntax tree of a module."""
    return ast.parse(path.read_text(encoding="utf-8"))


def functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """Yield all functions and methods of a module."""
    return (node for node in ast.walk(tree(path)) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


def called(node: ast.Call) -> str:
    """Return the last name of what a call calls: ``receipts.Receipt(…)`` -> ``Receipt``."""
    return node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")


def constants(node: ast.AST) -> set[str]:
    """Return all texts written in a piece of code."""
    return {each.value for each in ast.walk(node) if isinstance(each, ast.Constant) and isinstance(each.value, str)}


def failure_codes(path: Path) -> set[str]:
    """Return the codes a module makes failures with: written where one is made, or where its ``code`` is chosen."""
    found: set[str] = set()
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Call) and (called(node).endswith("Failure") or called(node).lstrip("_") == "fault"):
            found = found.union(*map(constants, node.args))
        elif isinstance(node, ast.Assign) and [
            target.id for target in node.targets if isinstance(target, ast.Name)
        ] == ["code"]:
            found |= constants(node.value)
    return {code for code in found if "." in code.strip(".") and " " not in code}


@cache
def catalogue(room: str, language: str) -> Catalog:
    """Return a room's texts in one language; an empty catalogue for a room without texts."""
    path = ROOT / room / "locale" / language / "LC_MESSAGES" / f"{room}.po"
    if not path.exists():
        return Catalog(language)
    with path.open("rb") as file:
        return read_po(file, language)


def texts(room: str, language: str) -> dict[str, tuple[str, ...]]:
    """Return the keys of a room's texts, each with its forms (one, or one for each plural)."""
    found = {}
    for message in catalogue(room, language):
        if message.id:
            key = message.id if isinstance(message.id, str) else message.id[0]
            found[key] = (message.string,) if isinstance(message.string, str) else tuple(message.string)
    return found
