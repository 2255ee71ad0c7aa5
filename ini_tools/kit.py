"""Makes the zip a client is handed: the program, its INI beside it, a page of instructions; never starts the program.

What the zip holds is unpacked and double-clicked: nothing has to be installed or typed.
"""

import os
import zipfile
from pathlib import Path

from ini_tools.generator import ANY_CLIENT, ini_text
from ini_tools.instructions import page
from ini_tools.replacing import replaced
from transfer import client_ini
from transfer.client_ini import ClientIni
from transfer.failures import PermanentFailure
from transfer.language import Language

_PREFIX = "Navette-"


def write_kit(ini: ClientIni, program: Path, folder: Path, fiduciary_name: str = "") -> Path:
    """Write ``Navette-<dossier>.zip`` into ``folder``, over one that is there, and return its path.

    ``program`` is the packed uploader or its setup: a file, or a folder that is taken as it is. An INI of the dossier
    that lies in ``folder`` (``000204.ini``) is brought up to date and taken along, with what was added to it by hand;
    it is not changed there. Refused with ``kit.no_program`` when there is nothing to double-click in ``program``, and
    as :func:`ini_tools.generator.write_ini` refuses.
    """
    start = _to_double_click(program)
    own = folder / f"{ini.dossier}.ini"
    present = client_ini.content(own) if own.exists() else b""
    text = ini_text(ini, fiduciary_name, present, own.name).encode()
    handed = client_ini.interpret(client_ini.sections(text, own.name), own.name)
    instructions = page(handed, fiduciary_name or ini.fiduciary, start.name)
    name = f"{_PREFIX}{ini.dossier}"
    files = [start] if program.is_file() else sorted(path for path in program.rglob("*") if _is_handed_out(path))
    with (
        replaced(folder / f"{name}.zip") as written,
        zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED, strict_timestamps=False) as kit,
    ):
        for file in files:
            kit.write(file, f"{name}/{file.relative_to(start.parent).as_posix()}")
        kit.writestr(f"{name}/{ANY_CLIENT}", text)
        kit.writestr(f"{name}/{Language(handed.language, 'ini_tools').say('kit.page_name')}", instructions)
    return folder / f"{name}.zip"


def _is_handed_out(path: Path) -> bool:
    """Tell whether a file belongs to the program: an INI or a kit lying about there holds another client's password."""
    name = path.name.lower()
    left_out = name.endswith(".ini") or (name.startswith(_PREFIX.lower()) and name.endswith(".zip"))
    return path.is_file() and not left_out


def _to_double_click(program: Path) -> Path:
    """Return the one file a client starts: for Windows the .exe, else what may be executed."""
    top = [program] if program.is_file() else sorted(program.glob("*"))
    found = [path for path in top if path.suffix.lower() == ".exe" and path.is_file()]
    found = found or [path for path in top if path.is_file() and not path.suffix and os.access(path, os.X_OK)]
    if len(found) != 1:
        raise PermanentFailure("kit.no_program", folder=str(program))
    return found[0]
