"""Makes the pages of docs/ that repeat what the source says; run it to write them anew. Never makes any other page."""

import ast
from pathlib import Path

from product import ROOMS, ROOT, failure_codes, modules, name, texts, tree

from dossiers.settings import CHOICES, LIMITS, MAILBOX, SETTINGS
from transfer.setting import Setting

SUBJECTS = {
    "transfer": "what both sides of the wire agree on; standard library only",
    "uploader": "the client's window and its silent mode",
    "ini_tools": "the INI files that clients are handed",
    "ftp_server": "the hosted FTP server",
    "dossiers": "the firm's side: dossiers, deliveries, journal, settings; all SQL of the firm",
    "mail_intake": "from a mailbox to dossiers",
    "fetcher": "from the FTP server to dossiers, round after round",
    "console": "the firm's web application",
    "navette": "the one command line, and the start of everything together",
}


def codes() -> dict[str, str]:
    """Return every failure code of the product and its English sentence, by code."""
    known = {key: forms[0] for room in ROOMS for key, forms in texts(room, "en").items()}
    used = {code for path in modules() for code in failure_codes(path)}
    return {code: known[code] for code in sorted(used & known.keys())}


def codes_page() -> str:
    """Return docs/codes.md."""
    lines = [
        "# Failure codes",
        "",
        "Every failure that a person can meet ends with one of these codes in brackets, in all three languages.",
        "Logs keep the code and its values. The sentences are here in English.",
        "",
        "| code | sentence |",
        "| --- | --- |",
        *(f"| `{code}` | {sentence} |" for code, sentence in codes().items()),
    ]
    return "\n".join(lines) + "\n"


def map_page() -> str:
    """Return docs/map.md: each module with the first line of its docstring."""
    lines = ["# Map", "", "Folder by folder, what each module is and what it never does."]
    for room in ROOMS:
        lines += ["", f"## {room}/ — {SUBJECTS[room]}", ""]
        lines += [f"- `{name(path)}` {_first_line(path)}" for path in modules(room)] or ["- nothing yet"]
    scripts = sorted((ROOT / "packaging").glob("*.py"))
    lines += ["", "## packaging/ — how the programs are built; no package. [How to build them](building.md)", ""]
    lines += [f"- `{name(path)}` {_first_line(path)}" for path in scripts]
    return "\n".join(lines) + "\n"


def settings_page() -> str:
    """Return docs/settings.md: each setting of the firm with what it may be."""
    head = ["| setting | what it is | may be | unless set |", "| --- | --- | --- | --- |"]
    lines = [
        "# Settings of the firm",
        "",
        "`navette settings list` shows them with their values, `navette settings set NAME VALUE` keeps one.",
        "",
        *head,
        *(_setting(setting.name, setting) for setting in SETTINGS),
        "",
        "# Settings of a mailbox",
        "",
        "Each mailbox has its own: `navette mail box add NAME` and `… change NAME` take them as options.",
        "",
        *head,
        *(_setting(f"--{setting.name.removeprefix('mail.').replace('_', '-')}", setting) for setting in MAILBOX),
    ]
    return "\n".join(lines) + "\n"


def _setting(shown: str, setting: Setting) -> str:
    said = texts("dossiers", "en")[f"setting.{setting.name}"][0]
    allowed = " or ".join(CHOICES.get(setting.name, ())) or setting.kind.value
    if setting.name in LIMITS:
        allowed = "{} to {}".format(*LIMITS[setting.name])
    allowed = "sealed text" if setting.secret else allowed
    default = f"`{setting.default}`" if setting.default else ""
    return f"| `{shown}` | {said} | {allowed} | {default} |"


def _first_line(path: Path) -> str:
    return (ast.get_docstring(tree(path)) or "").partition("\n")[0]


PAGES = {"docs/codes.md": codes_page, "docs/map.md": map_page, "docs/settings.md": settings_page}

if __name__ == "__main__":
    for page, made in PAGES.items():
        (ROOT / page).write_text(made(), encoding="utf-8")
