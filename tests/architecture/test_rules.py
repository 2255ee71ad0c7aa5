"""The rules of the house that no linter knows."""

import ast
import re
import subprocess
from pathlib import Path

from product import ROOMS, ROOT, called, functions, modules, name, settings, tree

LONGEST_MODULE, LONGEST_FUNCTION = 400, 60
WRITTEN_ONCE = "migrations/versions"
"""Migrations are never changed and read from top to bottom: no length is too much for them."""


def test_nothing_hides_in_an_init() -> None:
    """An import of one module brings no other of its room; the client's rooms have ``__init__.py`` of 0 bytes."""
    inits = {room: [path.read_bytes() for path in (ROOT / room).rglob("__init__.py")] for room in ROOMS}
    assert not any(content.strip() for contents in inits.values() for content in contents)
    assert inits["transfer"] == inits["uploader"] == [b""]


def test_packaging_is_no_package() -> None:
    """The folder ``packaging`` hides nobody else's package of that name."""
    assert not list((ROOT / "packaging").rglob("__init__.py"))


def test_no_package_is_forgotten() -> None:
    """The packages that are installed are those that are there."""
    listed = settings()["tool"]["setuptools"]["packages"]
    assert isinstance(listed, list)
    there = [name(path.parent).replace("/", ".") for room in ROOMS for path in (ROOT / room).rglob("__init__.py")]
    assert sorted(listed) == sorted(there)


def test_modules_stay_small() -> None:
    """A module has at most 400 lines and a function at most 60."""
    too_long = []
    for path in modules():
        if WRITTEN_ONCE in name(path):
            continue
        length = len(path.read_text(encoding="utf-8").splitlines())
        too_long += [f"{name(path)}: {length}"] if length > LONGEST_MODULE else []
        for function in functions(path):
            length = (function.end_lineno or 0) - function.lineno + 1
            too_long += [f"{name(path)} {function.name}: {length}"] if length > LONGEST_FUNCTION else []
    assert too_long == []


def test_a_module_says_what_it_never_does() -> None:
    """The first docstring of each module says what it is and what it never does."""
    silent = [
        name(path)
        for path in modules()
        if WRITTEN_ONCE not in name(path) and "never" not in (ast.get_docstring(tree(path)) or "").lower()
    ]
    assert silent == []


def test_only_a_comparison_makes_a_receipt() -> None:
    """A receipt is made in one place only, where what was sent is compared with what is stored."""
    makers = {
        name(path)
        for path in modules()
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Call) and called(node) == "Receipt"
    }
    assert makers == {"transfer/receipts.py"}


BARE_PATH = re.compile(r"\b(str|bytes|Path|PurePath|RemoteFile)\b")


def test_nothing_is_removed_by_its_path() -> None:
    """In the rooms that have sources to lose, what is called remove takes a receipt and never a path."""
    found, by_path = [], []
    for path in modules("transfer", "uploader", "fetcher", "mail_intake", "dossiers"):
        for function in functions(path):
            if not re.fullmatch(r"_*remove(_.*)?", function.name):
                continue
            found.append(function.name)
            taken = [ast.unparse(each.annotation) for each in function.args.args if each.annotation]
            alone = [annotation for annotation in taken if BARE_PATH.search(annotation) and "tuple" not in annotation]
            by_path += [f"{name(path)} {function.name}({', '.join(taken)})"] if alone or not taken else []
            if function.name in {"remove", "remove_all"} and not any("Receipt" in annotation for annotation in taken):
                by_path.append(f"{name(path)} {function.name}({', '.join(taken)})")
    assert by_path == []
    assert {"remove", "remove_all"} <= set(found)


DELETING = {
    "dossiers/disk.py": "parts of downloads that are not finished, and parts whose file has its name",
    "dossiers/sealing.py": "the draft of a key that another process has made first",
    "ini_tools/replacing.py": "the draft of an INI or a kit that could not be written",
}
"""Modules that delete files which are nobody's source, and which ones."""


def test_deleting_is_left_to_those_who_hold_a_receipt() -> None:
    """Outside functions that take a receipt, only drafts and parts are ever deleted."""
    without = set()
    for path in modules("transfer", "uploader", "fetcher", "mail_intake", "dossiers", "ini_tools", "navette"):
        for function in functions(path):
            taken = " ".join(ast.unparse(each.annotation) for each in function.args.args if each.annotation)
            deletes = [node for node in ast.walk(function) if isinstance(node, ast.Call) and _deletes(node)]
            without |= {name(path)} if deletes and "Receipt" not in taken else set()
    assert without == set(DELETING)


def _deletes(node: ast.Call) -> bool:
    return called(node) in {"unlink", "rmtree", "rmdir"} or ast.unparse(node.func) == "os.remove"


NOT_OURS = ["/wo" + "rk/", "/ro" + "ot/", "/ho" + "me/", "/opt/" + "pypi", "files.python" + "hosted"]
"""Paths of one machine and hosts of registries, which mean nothing elsewhere."""


def test_the_project_speaks_of_no_machine() -> None:
    """No file of the project names a path of the machine it was written on, or the host of a registry."""
    tracked = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True).stdout
    named = []
    for entry in tracked.decode().split("\0")[:-1]:
        path = Path(ROOT, entry)
        content = path.read_bytes() if path.is_file() else b""
        named += [f"{entry}: {word}" for word in NOT_OURS if word.encode() in content]
    assert named == []
