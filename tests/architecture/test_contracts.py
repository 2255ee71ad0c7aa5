"""Who may know whom: the contracts in pyproject.toml hold, and each breaks when it should."""

import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from product import ROOMS, ROOT, modules, name, settings

LINTER = "from importlinter.cli import lint_imports_command; lint_imports_command()"

PLANTS = [
    ("layers", "transfer/failures.py", "import dossiers"),
    ("layers", "uploader/upload.py", "from dossiers import delivery"),
    ("layers", "dossiers/delivery.py", "import fetcher"),
    ("layers", "fetcher/round.py", "import console"),
    ("layers", "ini_tools/check.py", "import dossiers.firm"),
    ("layers", "ftp_server/rights.py", "import navette.cli"),
    ("firm-and-server", "dossiers/delivery.py", "from ftp_server import receiving"),
    ("firm-and-server", "fetcher/round.py", "import uploader.upload"),
    ("tk", "uploader/upload.py", "import tkinter"),
    ("tk", "dossiers/delivery.py", "import ttkbootstrap"),
    ("transfer-pure", "transfer/accounts.py", "import sqlalchemy"),
    ("rules-pure", "mail_intake/rules.py", "import pathlib"),
    ("rules-pure", "mail_intake/routing.py", "from mail_intake import caged"),
    ("rules-pure", "mail_intake/findings.py", "from dossiers import mail_rules"),
]


def lint(folder: Path, *contracts: str) -> subprocess.CompletedProcess[str]:
    """Check the contracts on the source in ``folder``."""
    chosen = [part for contract in contracts for part in ("--contract", contract)]
    command = [sys.executable, "-c", LINTER, "--no-cache", "--no-logo", "--config", "pyproject.toml", *chosen]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def copied(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A copy of the rooms' source, in which imports can be planted."""
    folder = tmp_path_factory.mktemp("copied")
    shutil.copy(ROOT / "pyproject.toml", folder)
    for room in ROOMS:
        shutil.copytree(ROOT / room, folder / room, ignore=shutil.ignore_patterns("__pycache__", "locale"))
    yield folder
    shutil.rmtree(folder)


def test_all_contracts_hold() -> None:
    """Each room imports only what the house allows."""
    told = lint(ROOT)
    assert told.returncode == 0, told.stdout + told.stderr


@pytest.mark.parametrize(("contract", "module", "line"), PLANTS)
def test_a_planted_import_breaks_its_contract(copied: Path, contract: str, module: str, line: str) -> None:
    """An import against the rules is found by the contract that forbids it."""
    target = copied / module
    original = target.read_text(encoding="utf-8")
    target.write_text(f"{original}\n{line}\n", encoding="utf-8")
    told = lint(copied, contract)
    target.write_text(original, encoding="utf-8")
    assert told.returncode == 1, told.stdout + told.stderr
    assert "BROKEN" in told.stdout


def test_each_contract_is_seen_to_break() -> None:
    """No contract stands in pyproject.toml without an import planted against it here."""
    contracts = settings()["tool"]["importlinter"]["contracts"]
    assert isinstance(contracts, list)
    assert {contract["id"] for contract in contracts} == {contract for contract, _, _ in PLANTS}


BARE = ["upload", "folder", "silent", "history", "local_removal"]
"""Modules of the uploader that a machine without any library can import."""


def import_bare(folder: Path) -> subprocess.CompletedProcess[str]:
    """Import transfer and the uploader's plain modules with nothing but the standard library."""
    names = [name(path).removesuffix(".py").replace("/", ".") for path in modules("transfer")]
    names += [f"uploader.{module}" for module in BARE]
    code = f"import sys; sys.path.insert(0, {str(folder)!r}); " + "; ".join(f"import {module}" for module in names)
    return subprocess.run([sys.executable, "-I", "-S", "-c", code], capture_output=True, text=True, check=False)


def test_transfer_and_the_upload_need_only_the_standard_library(copied: Path) -> None:
    """A bare Python imports them, and no longer does when a library is planted (which no contract can tell)."""
    told = import_bare(ROOT)
    assert told.returncode == 0, told.stderr
    target = copied / "transfer" / "retry.py"
    original = target.read_text(encoding="utf-8")
    target.write_text(f"{original}\nimport hypothesis\n", encoding="utf-8")
    told = import_bare(copied)
    target.write_text(original, encoding="utf-8")
    assert "No module named 'hypothesis'" in told.stderr
