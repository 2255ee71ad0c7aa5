"""The pages of the dossiers: list, one dossier, a table of them, their folders tried; never shows a document."""

import base64
import binascii
from collections import Counter
from typing import Any

from starlette.responses import Response

from console import own_server
from console.page import Group, Pages
from console.visit import Visit
from dossiers import addresses
from dossiers import dossier as dossiers
from dossiers.dossier import TEMPLATE, Dossier
from dossiers.dossier_import import Deed, import_dossiers
from dossiers.folder_trial import try_folder
from dossiers.ftp_access import own_login
from dossiers.mail_rule import text_key
from dossiers.users import Role
from transfer.failures import Failure, PermanentFailure

PAGES = Pages()

_LARGEST_TABLE = 2 * 2**20
_SHOWN = 200
_FIELD_OF = {
    "account.bad_dossier": "number",
    "dossier.number_taken": "number",
    "dossier.bad_name": "name",
    "dossier.folder_taken": "folder",
    "dossier.bad_template": "folder",
    "dossier.kind_alone": "folder",
    "dossier.bad_language": "language",
    "dossier.bad_enterprise": "enterprise",
    "address.bad": "emails",
    "address.taken": "emails",
}
"""The field beside which a refusal is shown."""


@PAGES.get("/dossiers", Role.ADMINISTRATOR, menu="menu.dossiers", group=Group.SETTINGS)
def listing(visit: Visit) -> Response:
    """Show the dossiers, all or those that a word or a number finds."""
    sought, archived = visit.query.text("q", 100), visit.query.ticked("archived")
    key = text_key(sought)
    digits = "".join(each for each in sought if each.isdigit())
    found = [
        each
        for each in dossiers.every(visit.firm, archived)
        if key in text_key(f"{each.number} {each.name}") or (len(digits) > 4 and digits in (each.enterprise or ""))
    ]
    values: dict[str, Any] = {"q": sought, "archived": archived, "found": found[:_SHOWN], "in_all": len(found)}
    return visit.page("dossiers.html", **values)


@PAGES.get("/new-dossier", Role.ADMINISTRATOR)
def new(visit: Visit) -> Response:
    """Show an empty form."""
    values = {"language": visit.firm.settings.text("fiduciary.language"), "folder": TEMPLATE}
    return _form(visit, None, values)


@PAGES.post("/new-dossier", Role.ADMINISTRATOR)
def add(visit: Visit) -> Response:
    """Add a dossier."""
    values = _typed(visit)
    made = Dossier(values["number"], values["name"], values["language"], values["folder"], values["enterprise"] or None)
    try:
        theirs = [addresses.checked(each) for each in values["emails"].split()]
        dossier = dossiers.add(visit.firm, made)
        _keep_addresses(visit, dossier.number, theirs)
    except PermanentFailure as failure:
        return _form(visit, None, values, failure)
    visit.note("dossier.added", dossier.number)
    return visit.done(f"/dossiers/{dossier.number}", "console.dossier.added", number=dossier.number, name=dossier.name)


@PAGES.get("/dossiers/{number}", Role.ADMINISTRATOR)
def one(visit: Visit) -> Response:
    """Show one dossier with its form."""
    dossier = dossiers.find(visit.firm, visit.places["number"])
    return _form(visit, dossier, _kept(visit, dossier))


@PAGES.post("/dossiers/{number}", Role.ADMINISTRATOR)
def change(visit: Visit) -> Response:
    """Change a dossier."""
    before = dossiers.find(visit.firm, visit.places["number"])
    values = _typed(visit) | {"number": before.number}
    said = {"name": values["name"], "language": values["language"], "enterprise": values["enterprise"]}
    try:
        theirs = [addresses.checked(each) for each in values["emails"].split()]
        dossiers.change(visit.firm, before.number, template=values["folder"], **said)
        _keep_addresses(visit, before.number, theirs)
    except PermanentFailure as failure:
        return _form(visit, before, values, failure)
    visit.note("dossier.changed", before.number)
    return visit.done(f"/dossiers/{before.number}", "console.dossier.changed", number=before.number)


@PAGES.post("/dossiers/{number}/archive", Role.ADMINISTRATOR)
def archive(visit: Visit) -> Response:
    """Let no more documents in."""
    dossier = dossiers.archive(visit.firm, visit.places["number"])
    visit.note("dossier.archived", dossier.number)
    return visit.done(f"/dossiers/{dossier.number}", "console.dossier.archived", number=dossier.number)


@PAGES.post("/dossiers/{number}/reopen", Role.ADMINISTRATOR)
def reopen(visit: Visit) -> Response:
    """Let documents in again."""
    dossier = dossiers.reopen(visit.firm, visit.places["number"])
    visit.note("dossier.reopened", dossier.number)
    return visit.done(f"/dossiers/{dossier.number}", "console.dossier.reopened", number=dossier.number)


@PAGES.post("/dossiers/{number}/try", Role.ADMINISTRATOR)
def try_it(visit: Visit) -> Response:
    """Write a probe to its folder and take it away."""
    dossier = dossiers.find(visit.firm, visit.places["number"])
    try:
        folder = try_folder(visit.firm, dossier)
    except Failure as failure:
        return _form(visit, dossier, _kept(visit, dossier), failure, "folder")
    return visit.done(f"/dossiers/{dossier.number}", "console.dossier.tried", folder=folder)


@PAGES.post("/dossiers/{number}/account", Role.ADMINISTRATOR)
def give_account(visit: Visit) -> Response:
    """Give it a WRITE account of its own on our server."""
    dossier = dossiers.find(visit.firm, visit.places["number"])
    login = own_server.give_account(visit.firm, dossier)
    visit.note("dossier.account", login)
    return visit.done(f"/dossiers/{dossier.number}", "console.dossier.account", login=login)


@PAGES.get("/import-dossiers", Role.ADMINISTRATOR)
def table(visit: Visit) -> Response:
    """Ask for a table."""
    return visit.page("dossiers_import.html", reports=None)


@PAGES.post("/import-dossiers", Role.ADMINISTRATOR, largest=2 * _LARGEST_TABLE)
def take_table(visit: Visit) -> Response:
    """Show what a table would do, or do what was shown."""
    confirmed = visit.form.text("table", 2 * _LARGEST_TABLE)
    try:
        raw = base64.b64decode(confirmed, validate=True) if confirmed else visit.form.file("file")[1].read()
        reports = import_dossiers(visit.firm, raw, only_check=not confirmed)
    except binascii.Error:
        raise PermanentFailure("console.old_form") from None
    except PermanentFailure as failure:
        return visit.page("dossiers_import.html", 422, reports=None, faults={"file": failure})
    counted = Counter(report.deed for report in reports)
    if confirmed:
        visit.note("dossier.imported", counted[Deed.ADDED] + counted[Deed.CHANGED])
        told: dict[str, Any] = {deed.value: counted[deed] for deed in Deed}
        return visit.done("/dossiers", "console.dossier.imported", **told)
    shown = base64.b64encode(raw).decode()
    return visit.page("dossiers_import.html", reports=reports, counted=counted, table=shown)


def _typed(visit: Visit) -> dict[str, str]:
    return {name: visit.form.text(name) for name in ("number", "name", "language", "enterprise", "folder", "emails")}


def _kept(visit: Visit, dossier: Dossier) -> dict[str, str]:
    theirs = [address for address, owner in addresses.every(visit.firm).items() if owner == dossier.number]
    return {
        "number": dossier.number,
        "name": dossier.name,
        "language": dossier.language,
        "enterprise": dossier.enterprise or "",
        "folder": dossier.template,
        "emails": "\n".join(theirs),
    }


def _keep_addresses(visit: Visit, number: str, theirs: list[str]) -> None:
    """Let these addresses, and no others, stand for a dossier."""
    before = {address for address, owner in addresses.every(visit.firm).items() if owner == number}
    for address in before - set(theirs):
        addresses.release(visit.firm, number, address)
    for address in theirs:
        addresses.add(visit.firm, number, address)


def _form(
    visit: Visit,
    dossier: Dossier | None,
    values: dict[str, str],
    failure: Failure | None = None,
    field: str | None = None,
) -> Response:
    filled = dict.fromkeys(("number", "name", "language", "enterprise", "folder", "emails"), "") | values
    firm = visit.firm
    shown = {
        "dossier": dossier,
        "values": filled,
        "where": dossier.folder(firm.root, firm.clock()) if dossier else None,
        "login": own_login(firm, dossier) if dossier else None,
        "own_server": own_server.is_here(firm),
        "faults": {} if failure is None else {field or _FIELD_OF.get(failure.code, "number"): failure},
    }
    return visit.page("dossier.html", 422 if failure else 200, **shown)
