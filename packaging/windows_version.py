"""The version resource of the Windows programs: what Explorer shows under Properties; works on Windows alone."""

from typing import Any

from PyInstaller.utils.win32 import versioninfo

_ENGLISH, _UNICODE = 0x0409, 1200


def version_resource(version: str) -> Any:
    """Return the resource for a version such as ``1.2.3``."""
    parts = [int(part) for part in version.split(".")[:3] if part.isdigit()]
    numbers = tuple((*parts, 0, 0, 0, 0)[:4])
    told = {
        "CompanyName": "Navette",
        "FileDescription": "Navette",
        "FileVersion": version,
        "InternalName": "uploader",
        "OriginalFilename": "uploader.exe",
        "ProductName": "Navette",
        "ProductVersion": version,
    }
    texts = [versioninfo.StringStruct(key, value) for key, value in told.items()]
    table = versioninfo.StringTable(f"{_ENGLISH:04x}{_UNICODE:04x}", texts)
    translation = versioninfo.VarStruct("Translation", [_ENGLISH, _UNICODE])
    return versioninfo.VSVersionInfo(
        ffi=versioninfo.FixedFileInfo(filevers=numbers, prodvers=numbers),
        kids=[versioninfo.StringFileInfo([table]), versioninfo.VarFileInfo([translation])],
    )
