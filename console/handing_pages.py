"""The pages by which a client gets what it deposits with: INI, kit, scanner sheet; never shows the firm's own account.

Each leaves a line saying who handed out which login, and a password only ever leaves by a form that was sent for it.
"""

import shutil
import tempfile
from pathlib import Path
from typing import Any

from markupsafe import Markup
from starlette.background import BackgroundTask
from starlette.responses import FileResponse, Response

from console import own_server
from console.page import Pages
from console.visit import Visit
from dossiers import dossier as dossiers
from dossiers import handed_out
from dossiers.dossier import Dossier
from dossiers.ftp_access import client_ini
from dossiers.handed_out import Form
from dossiers.users import Role
from ini_tools.generator import ANY_CLIENT, ini_text
from ini_tools.kit import write_kit
from ini_tools.scanner_sheet import ScannerSheet, canon_address_book, qr_code
from transfer.client_ini import ClientIni
from transfer.failures import PermanentFailure
from transfer.language import LANGUAGES

PAGES = Pages()


@PAGES.get("/dossiers/{number}/handing", Role.ADMINISTRATOR)
def handing(visit: Visit) -> Response:
    """Show what can be handed out for a dossier, and what was."""
    dossier = dossiers.find(visit.firm, visit.places["number"])
    shown: dict[str, Any] = {"dossier": dossier, "failure": None, "sheet": None, "values": []}
    try:
        sheet = _sheet(dossier, client_ini(visit.firm, dossier))
        values = [(key, value) for key, value in sheet.values(visit.language) if key != "password"]
        shown |= {"sheet": sheet, "values": values}
    except PermanentFailure as failure:
        shown["failure"] = failure
    shown["handed"] = handed_out.of_dossier(visit.firm, dossier.number)
    shown["own_server"] = own_server.is_here(visit.firm)
    shown["has_program"] = _program(visit).exists()
    return visit.page("handing.html", **shown)


@PAGES.post("/dossiers/{number}/handing/ini", Role.ADMINISTRATOR)
def ini(visit: Visit) -> Response:
    """Hand out the INI."""
    dossier, said = _asked(visit)
    text = ini_text(said, visit.firm.settings.text("fiduciary.name"))
    _note(visit, dossier, said.connection.user, Form.INI)
    return _file(text.encode(), ANY_CLIENT, "text/plain; charset=utf-8")


@PAGES.post("/dossiers/{number}/handing/kit", Role.ADMINISTRATOR)
def kit(visit: Visit) -> Response:
    """Hand out the program with its INI and instructions."""
    dossier, said = _asked(visit)
    folder = Path(tempfile.mkdtemp())
    away = BackgroundTask(shutil.rmtree, folder)
    try:
        made = write_kit(said, _program(visit), folder, visit.firm.settings.text("fiduciary.name"))
    except BaseException:
        shutil.rmtree(folder)
        raise
    _note(visit, dossier, said.connection.user, Form.KIT)
    return FileResponse(made, media_type="application/zip", filename=made.name, background=away)


@PAGES.post("/dossiers/{number}/handing/sheet", Role.ADMINISTRATOR)
def sheet(visit: Visit) -> Response:
    """Show the scanner sheet with its password and QR code, to be copied or printed."""
    dossier, said = _asked(visit)
    shown = _sheet(dossier, said)
    language = visit.office.texts[said.language]
    _note(visit, dossier, said.connection.user, Form.SHEET)
    code = Markup(qr_code(shown, language))  # noqa: S704  drawn by ourselves; its one text is a title of ours
    values: dict[str, Any] = {
        "sheet": shown,
        "values": shown.values(language),
        "qr": code,
        "told": language.say,
        "written": said.language,
    }
    return visit.page("sheet.html", dossier=dossier, firm_name=visit.firm.settings.text("fiduciary.name"), **values)


@PAGES.post("/dossiers/{number}/handing/canon", Role.ADMINISTRATOR)
def canon(visit: Visit) -> Response:
    """Hand out a Canon address book with this dossier."""
    dossier, said = _asked(visit)
    _note(visit, dossier, said.connection.user, Form.CANON)
    book = canon_address_book([_sheet(dossier, said)])
    return _file(book.encode(), f"canon-{dossier.number}.csv", "text/csv; charset=utf-8")


@PAGES.post("/dossiers/{number}/handing/revoke", Role.ADMINISTRATOR)
def revoke(visit: Visit) -> Response:
    """Give the dossier's own account another password, so that all that was handed out stops working."""
    dossier = dossiers.find(visit.firm, visit.places["number"])
    login = own_server.give_account(visit.firm, dossier)
    count = handed_out.revoke(visit.firm, login, visit.user.name)
    visit.note("dossier.revoked", login)
    return visit.done(f"/dossiers/{dossier.number}/handing", "console.handing.revoked", login=login, count=count)


@PAGES.get("/canon-address-book", Role.ADMINISTRATOR)
def canon_of_all(visit: Visit) -> Response:
    """Ask before the address book of all dossiers, which holds all their passwords, is handed out."""
    return visit.page("canon.html", found=len(dossiers.every(visit.firm)))


@PAGES.post("/canon-address-book", Role.ADMINISTRATOR)
def take_canon_of_all(visit: Visit) -> Response:
    """Hand out a Canon address book with all dossiers, for a device at the firm."""
    sheets = []
    for dossier in dossiers.every(visit.firm):
        sheets.append(_sheet(dossier, client_ini(visit.firm, dossier)))
        _note(visit, dossier, sheets[-1].login, Form.CANON)
    return _file(canon_address_book(sheets).encode(), "canon.csv", "text/csv; charset=utf-8")


def _asked(visit: Visit) -> tuple[Dossier, ClientIni]:
    """Return the dossier and what its INI says in the language that the form names."""
    dossier = dossiers.find_open(visit.firm, visit.places["number"])
    language = visit.form.text("language", 2)
    return dossier, client_ini(visit.firm, dossier, language if language in LANGUAGES else "")


def _sheet(dossier: Dossier, said: ClientIni) -> ScannerSheet:
    return ScannerSheet(dossier.name, dossier.number, said.connection, said.remote_folder)


def _note(visit: Visit, dossier: Dossier, login: str, form: Form) -> None:
    receiver = visit.form.text("receiver", 200)
    handed_out.note(visit.firm, dossier, login, form, by=visit.user.name, receiver=receiver)
    visit.note(f"dossier.handed_{form.value}", dossier.number)


def _program(visit: Visit) -> Path:
    return visit.firm.home / "program"


def _file(content: bytes, name: str, kind: str) -> Response:
    return Response(content, headers={"content-type": kind, "content-disposition": f'attachment; filename="{name}"'})
