"""Assembles a genuine Windows Python in a Wine prefix under build/, for make_dist.py; never touches the user's Wine.

Nobody can install python.org's Python where only PyPI is in reach, but the wheels of Panda3D carry its very files,
signed by the Python Software Foundation, which is checked here. What they lack is added: the standard library of this
machine's Python 3.11, Debian's Tcl and Tk scripts, and a python.exe of one line.
"""

import hashlib
import os
import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "build" / "windows"
_SIGNER = "CN=Python Software Foundation"
_TCL = "8.6.12"  # what the wheel's tcl86t.dll is; its scripts must say the same
_DLLS = ("libcrypto-3.dll", "libssl-3.dll", "libffi-8.dll", "sqlite3.dll", "tcl86t.dll", "tk86t.dll")
_LEFT_OUT = shutil.ignore_patterns(
    "lib-dynload",
    "__pycache__",
    "site-packages",
    "test",
    "tests",
    "idlelib",
    "ensurepip",
    "config-3.*",
    "_sysconfigdata*",
)
_RECIPE = ("windows_python.py", "windows/python.c", "windows/python.lock", "windows/requirements.lock")


def environment(home: Path = FOLDER) -> dict[str, str]:
    """Return the environment in which Wine keeps all it writes below ``home``."""
    return {
        **os.environ,
        "HOME": str(home / "home"),
        "WINEPREFIX": str(home / "prefix"),
        "WINEARCH": "win64",
        "WINEDEBUG": "-all",
        "WINEDLLOVERRIDES": "mscoree=d;mshtml=d;winemenubuilder.exe=d",  # no questions, nothing in the user's menus
    }


def wine(*words: str, cwd: Path | None = None, home: Path = FOLDER, env: dict[str, str] | None = None) -> str:
    """Run a Windows program to its end and return what it said; it ends this one when it fails.

    Its output goes through a pipe: a Windows Python dies when that is a file.
    """
    told = subprocess.run(
        ["wine", *words],
        cwd=cwd,
        env={**environment(home), **(env or {})},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
    )
    said = told.stdout.decode(errors="replace")
    if told.returncode:
        sys.exit(f"{' '.join(words)} ended with {told.returncode}:\n{said}")
    return said


def end_wine(home: Path = FOLDER) -> None:
    """End all Windows programs of a prefix, and Wine's own."""
    subprocess.run(["wineserver", "-k"], env=environment(home), check=False)
    subprocess.run(["wineserver", "-w"], env=environment(home), check=False)


def new_prefix(home: Path) -> Path:
    """Make a fresh Windows 10 below ``home`` and return its drive C."""
    shutil.rmtree(home / "prefix", ignore_errors=True)
    (home / "home").mkdir(parents=True, exist_ok=True)
    booted = subprocess.run(["wineboot", "-i"], env=environment(home), capture_output=True, text=True, check=False)
    if booted.returncode:
        sys.exit(f"Wine does not start: {booted.stderr}")
    wine("winecfg", "-v", "win10", home=home)
    return home / "prefix" / "drive_c"


def assembled() -> str:
    """Make the Python ready if it is not, and return the Windows path of its python.exe."""
    recipe = hashlib.sha256(b"".join((ROOT / "packaging" / name).read_bytes() for name in _RECIPE)).hexdigest()
    done = FOLDER / "assembled.txt"
    if not done.exists() or done.read_text() != recipe:
        done.unlink(missing_ok=True)
        drive = new_prefix(FOLDER)
        _assemble(drive / "Python311")
        shutil.rmtree(FOLDER / "fetched")
        done.write_text(recipe)
    return r"C:\Python311\python.exe"


def _assemble(python: Path) -> None:
    fetched = FOLDER / "fetched"
    shutil.rmtree(fetched, ignore_errors=True)
    _pip("download", "--dest", str(fetched), lock="python.lock")
    with zipfile.ZipFile(next(fetched.glob("panda3d-*.whl"))) as wheel:
        wheel.extractall(fetched, [name for name in wheel.namelist() if name.startswith("deploy_libs/")])
    carried = fetched / "deploy_libs"
    modules = sorted(carried.glob("*.pyd"))
    libraries = [carried / name for name in _DLLS]
    _check_signatures([carried / "python311.dll", *libraries, *modules])
    (python / "DLLs").mkdir(parents=True)
    shutil.copy(carried / "python311.dll", python)
    shutil.copy(carried / "VCRUNTIME140.dll", python / "vcruntime140.dll")
    for file in (*libraries, *modules):
        shutil.copy(file, python / "DLLs")
    shutil.copytree(_standard_library(), python / "Lib", ignore=_LEFT_OUT)
    _add_tcl_scripts(python / "tcl")
    compiler = "x86_64-w64-mingw32-gcc"
    source = ROOT / "packaging" / "windows" / "python.c"
    linked = [python / "python.exe", python / "python311.dll"]
    subprocess.run([compiler, "-O2", "-s", "-municode", source, "-o", *linked], check=True)
    site_packages = python / "Lib" / "site-packages"
    _pip("install", "--target", str(site_packages), "--no-compile", lock="requirements.lock")


def _pip(verb: str, *words: str, lock: str) -> None:
    """Let this machine's pip fetch Windows wheels, each by its hash."""
    named = ["--requirement", str(ROOT / "packaging" / "windows" / lock)]
    only = ["--require-hashes", "--no-deps", "--only-binary=:all:"]
    system = ["--platform", "win_amd64", "--python-version", "3.11", "--implementation", "cp"]
    subprocess.run([sys.executable, "-m", "pip", verb, "--quiet", *words, *only, *system, *named], check=True)


def _check_signatures(files: Iterable[Path]) -> None:
    for file in files:
        words = ["osslsigncode", "verify", "-ignore-crl", "-in", str(file)]
        told = subprocess.run(words, capture_output=True, text=True, check=False)
        if told.returncode or _SIGNER not in told.stdout:
            sys.exit(f"{file.name} is not signed by the Python Software Foundation")


def _standard_library() -> Path:
    """Return the folder of a Python 3.11's standard library: this one's, or that of the python3.11 on the PATH."""
    python = sys.executable if sys.version_info[:2] == (3, 11) else shutil.which("python3.11")
    if python is None:
        sys.exit("The Windows program is built with the standard library of Python 3.11: put python3.11 on the PATH.")
    ask = [python, "-c", "import sysconfig; print(sysconfig.get_path('stdlib'))"]
    return Path(subprocess.run(ask, capture_output=True, text=True, check=True).stdout.strip())


def _add_tcl_scripts(target: Path) -> None:
    """Put Debian's scripts of Tcl and Tk beside the libraries, with the version those ask for."""
    for name, start in (("tcl8.6", "init.tcl"), ("tk8.6", "tk.tcl")):
        folder = target / name
        shutil.copytree(Path("/usr/share/tcltk") / name, folder)
        text = (folder / start).read_text(encoding="utf-8")
        asked = re.compile(r"^(package require -exact T(?:cl|k) +)8\.6\.\d+", re.MULTILINE)
        (folder / start).write_text(asked.sub(rf"\g<1>{_TCL}", text), encoding="utf-8")
    for module, version in (("http", "8.6"), ("msgcat", "8.5")):
        found = next((target / "tcl8.6" / "tcl8").glob(f"{module}-*.tm"))
        (target / "tcl8" / version).mkdir(parents=True)
        shutil.move(found, target / "tcl8" / version)
