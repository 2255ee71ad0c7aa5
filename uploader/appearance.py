"""Light or dark, and the colours of both; never draws anything."""

import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Band:
    """The colours of one kind of notice: its ground, its ink, and the ground of its sign."""

    ground: str
    ink: str
    sign: str


@dataclass(frozen=True)
class Palette:
    """The colours that the theme does not have. Every ink stands at least 4.5 to 1 against its ground."""

    theme: str
    quiet: str
    wrong: str
    good: str
    edge: str
    faint: str
    box: str
    heading: str
    chosen_ground: str
    chosen_ink: str
    zone: str
    zone_ink: str
    zone_edge: str
    rows: Mapping[str, str]
    bands: Mapping[str, Band]


LIGHT = Palette(
    theme="bootstrap-light",
    quiet="#5c6670",
    wrong="#b02a37",
    good="#146c43",
    edge="#8a94a0",
    faint="#eceff2",
    box="#ffffff",
    heading="#f4f6f8",
    chosen_ground="#dbe9ff",
    chosen_ink="#14181d",
    zone="#f8f9fb",
    zone_ink="#212529",
    zone_edge="#b6bfca",
    rows={"greyed": "#5c6670", "received": "#4b555f", "failed": "#b02a37", "pausing": "#7a5b00"},
    bands={
        "success": Band("#e3f4ea", "#0f5132", "#198754"),
        "warning": Band("#fff4d6", "#664d03", "#8a6800"),
        "danger": Band("#fdebec", "#842029", "#b02a37"),
    },
)

DARK = Palette(
    theme="bootstrap-dark",
    quiet="#adb5bd",
    wrong="#ff9aa2",
    good="#7bd8a4",
    edge="#7b8794",
    faint="#30363c",
    box="#2b3035",
    heading="#2b3035",
    chosen_ground="#1d3b63",
    chosen_ink="#ffffff",
    zone="#262b30",
    zone_ink="#f8f9fa",
    zone_edge="#56606b",
    rows={"greyed": "#a3acb5", "received": "#bcc4cc", "failed": "#ff9aa2", "pausing": "#ffd970"},
    bands={
        "success": Band("#16392a", "#bdebd0", "#2f9e66"),
        "warning": Band("#3d330f", "#ffe7a3", "#b38a16"),
        "danger": Band("#471d22", "#ffc9cd", "#d1495b"),
    },
)


def system_is_dark() -> bool:
    """Return whether the person set the system's programs to be dark; False where it cannot be told."""
    if sys.platform == "win32":
        import winreg

        place = r"Software\Microsoft\Windows\CurrentVersion\Themes\Personalize"
        try:
            with winreg.OpenKey(winreg.HKEY_CURRENT_USER, place) as key:
                return not winreg.QueryValueEx(key, "AppsUseLightTheme")[0]
        except OSError:
            return False
    if named := os.environ.get("GTK_THEME"):
        return named.lower().endswith(("-dark", ":dark"))
    ask = ["gsettings", "get", "org.gnome.desktop.interface", "color-scheme"]
    try:
        told = subprocess.run(ask, capture_output=True, text=True, check=False, timeout=0.3).stdout
    except (OSError, subprocess.SubprocessError):
        return False
    return "dark" in told
