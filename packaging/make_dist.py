"""Packs the uploader for Linux or for Windows into dist/; never builds again what is built from the same files.

Run it as ``python packaging/make_dist.py linux`` or ``… windows [--certificate FILE --key FILE] [--timestamp URL]``,
with the texts compiled (``make dist`` and ``make dist-windows`` see to it). It prints the folder of what was built.
"""

import argparse
import hashlib
import importlib.metadata
import os
import shlex
import shutil
import subprocess
import sys
import sysconfig
import tomllib
from collections.abc import Sequence
from pathlib import Path

import windows_python
from windows_python import ROOT

_ROOMS = ("transfer", "uploader")
_CARRIED = ("pillow", "send2trash", "tkinter-tooltip", "tkinterdnd2", "ttkbootstrap", "watchdog")
_SETUP = "navette-setup.exe"


def main(argv: Sequence[str] | None = None) -> None:
    """Build what the command line asks for and print where it is."""
    parser = argparse.ArgumentParser(description="Pack the uploader.")
    parser.add_argument("system", choices=("linux", "windows"))
    parser.add_argument("--certificate", type=Path, help="PEM file: sign the Windows programs with it")
    parser.add_argument("--key", type=Path, help="PEM file of the certificate's key")
    parser.add_argument("--timestamp", help="address of the authority that says when something was signed")
    parser.add_argument("--to", type=Path, default=ROOT / "dist", metavar="DIR", help="where to build (default: dist)")
    asked = parser.parse_args(argv)
    if (asked.certificate is None) != (asked.key is None):
        parser.error("--certificate and --key go together")
    target = asked.to.absolute() / asked.system
    stamp = _stamp(asked)
    built = target / "built-from.txt"
    if not built.exists() or built.read_text() != stamp:
        shutil.rmtree(target, ignore_errors=True)
        target.mkdir(parents=True)
        if asked.system == "windows":
            _build_for_windows(target, asked)
        else:
            _build_here(target)
        built.write_text(stamp)
    print(target)


def _version() -> str:
    with (ROOT / "pyproject.toml").open("rb") as file:
        return str(tomllib.load(file)["project"]["version"])


def _signing(file: str, asked: argparse.Namespace) -> list[str]:
    """Return the command that signs a Windows program into ``<file>.signed``; without a certificate there is none."""
    if asked.certificate is None:
        return []
    words = ["osslsigncode", "sign", "-certs", str(asked.certificate), "-key", str(asked.key), "-h", "sha256"]
    words += ["-ts", asked.timestamp] if asked.timestamp else []
    return [*words, "-n", "Navette", "-in", file, "-out", f"{file}.signed"]


def _sign(file: Path, asked: argparse.Namespace) -> None:
    if words := _signing(str(file), asked):
        subprocess.run(words, check=True, stdout=subprocess.DEVNULL)
        Path(f"{file}.signed").replace(file)


def _build_here(target: Path) -> None:
    work = _prepared("linux")
    _pack(target, work, "uploader.png")
    shutil.copy(work / "uploader.png", target / "uploader")


def _build_for_windows(target: Path, asked: argparse.Namespace) -> None:
    work = _prepared("windows")
    if sys.platform == "win32":
        _pack(target, work, "uploader.ico")
    else:
        python = windows_python.assembled()
        options = _options(_windows_path(target), _windows_path(work))
        told = _told_to_the_spec(_windows_path(work / "uploader.ico"))
        windows_python.wine(python, "-m", "PyInstaller", *options, r"packaging\uploader.spec", cwd=ROOT, env=told)
        windows_python.end_wine()
    for program in (target / "uploader" / "uploader.exe", target / "uploader-portable.exe"):
        _sign(program, asked)
    setup = target / _SETUP
    given = {"VERSION": _version(), "PROGRAM": target / "uploader", "ICON": work / "uploader.ico", "SETUP": setup}
    if words := _signing("%1", asked):
        given["SIGN"] = f"{shlex.join(words)} && mv %1.signed %1"
    defined = [f"-D{name}={value}" for name, value in given.items()]
    subprocess.run(["makensis", "-V2", "-WX", *defined, ROOT / "packaging/windows/setup.nsi"], check=True)
    _sign(setup, asked)


def _pack(target: Path, work: Path, icon: str) -> None:
    """Let this system's own PyInstaller pack for this system."""
    cache = {"PYINSTALLER_CONFIG_DIR": str(ROOT / "build" / "pyinstaller")}  # else it fills the user's own
    environment = {**os.environ, **cache, **_told_to_the_spec(str(work / icon))}
    words = [sys.executable, "-m", "PyInstaller", *_options(str(target), str(work)), "packaging/uploader.spec"]
    subprocess.run(words, cwd=ROOT, env=environment, check=True)


def _options(target: str, work: str) -> list[str]:
    return ["--noconfirm", "--log-level", "ERROR", "--distpath", target, "--workpath", work]


def _told_to_the_spec(icon: str) -> dict[str, str]:
    return {"NAVETTE_ICON": icon, "NAVETTE_VERSION": _version(), "PYTHONHASHSEED": "1"}


def _windows_path(path: Path) -> str:
    return "Z:" + str(path).replace("/", "\\")


def _prepared(system: str) -> Path:
    """Make the folder to work in, with the icons and the licences of what is packed."""
    work = ROOT / "build" / system
    work.mkdir(parents=True, exist_ok=True)
    for icon in ("uploader.ico", "uploader.png"):
        words = [sys.executable, "packaging/make_icon.py", str(work / icon)]
        subprocess.run(words, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}, check=True)
    (ROOT / "build" / "licences.txt").write_text(_licences(), encoding="utf-8")
    return work


def _licences() -> str:
    """Return the notices of all that goes into the programs: our list, then the full texts that some ask for."""
    texts = [(ROOT / "packaging" / "licences.txt").read_text(encoding="utf-8")]
    for name in _CARRIED:
        distribution = importlib.metadata.distribution(name)
        files = [file for file in distribution.files or () if file.name.upper().startswith(("LICENSE", "COPYING"))]
        texts += [f"{name} {distribution.version}\n\n{file.read_text(encoding='utf-8')}" for file in files]
    python = Path(sysconfig.get_path("stdlib")) / "LICENSE.txt"
    texts += [f"Python\n\n{python.read_text(encoding='utf-8')}"] if python.exists() else []
    return f"\n{'=' * 80}\n\n".join(texts)


def _stamp(asked: argparse.Namespace) -> str:
    """Return what a build depends on, as one hash: our files, the versions, and how it is signed."""
    files = [ROOT / "pyproject.toml", *(ROOT / "packaging").glob("*.*"), *(ROOT / "packaging" / "windows").iterdir()]
    for room in _ROOMS:
        files += [*(ROOT / room).rglob("*.py"), *(ROOT / room).rglob("*.mo")]
    files += [path for path in (asked.certificate, asked.key) if path]
    versions = [importlib.metadata.version(name) for name in (*_CARRIED, "pyinstaller")]
    digest = hashlib.sha256(repr([sys.version, versions, asked.timestamp]).encode())
    for file in sorted(path for path in files if path.is_file()):
        digest.update(str(file).encode() + file.read_bytes())
    return digest.hexdigest()


if __name__ == "__main__":
    main()
