"""A firm with documents in its dossiers and on its waiting list, and its console as a program of its own."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from console_site import PASSWORD, Site, Visitor, running_console
from firm_rooms import desk
from sample_documents import pdf

from dossiers import dossier as dossiers
from dossiers import users
from dossiers.dossier import Dossier
from dossiers.firm import Firm
from dossiers.users import Passwords, Role

PEOPLE = {
    "anne": (Role.ADMINISTRATOR, None),
    "bram": (Role.ACCOUNTANT, None),
    "chloe": (Role.ACCOUNTANT, ["000204"]),
    "dirk": (Role.READER, None),
}
"""Name -> role, and the dossiers they may see (None: every one)."""


DOSSIERS = {"000204": "Boulangerie Martin", "000317": "Garage Peeters", "000420": "Café du Midi"}
FILED = {"facture-0815.pdf": "000204", "ticket.pdf": "000204", "garage mars.pdf": "000317"}


def add_people(firm: Firm) -> None:
    """Add one of each kind, all with the same password."""
    hashed = Passwords().hash(PASSWORD)
    for name, (role, seen) in PEOPLE.items():
        users.add(firm, name, role, "en", hashed, dossiers=seen)


def fill(home: Path) -> None:
    """Make a firm with three dossiers, three filed and three waiting documents, and four users."""
    with Firm(home) as firm:
        firm.settings.set("fiduciary.name", "Fiduciaire Exemple")
        for number, name in (
            ("000204", "Boulangerie Martin"),
            ("000317", "Garage Peeters"),
            ("000420", "Café du Midi"),
        ):
            dossiers.add(firm, Dossier(number, name, "fr"))
        add_people(firm)
        with desk(firm) as work:
            for number, name in (
                ("000204", "facture-0815.pdf"),
                ("000204", "ticket.pdf"),
                ("000317", "garage mars.pdf"),
            ):
                work.deliver((name, pdf(f"{name} for {number}", 2)), number=number)
            work.deliver(("scan 1.pdf", pdf("first scan")), ("scan 2.pdf", pdf("second scan")), number=None)
            work.deliver(("scan 3.pdf", pdf("Boulangerie Martin, facture 2026-118")), number=None)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """The home of a sample firm."""
    fill(tmp_path / "home")
    return tmp_path / "home"


@pytest.fixture
def site(home: Path) -> Iterator[Site]:
    """The sample firm's console."""
    with running_console(home) as running:
        yield running


@pytest.fixture
def anne(site: Site) -> Visitor:
    """The administrator, signed in."""
    return site.signed_in("anne")
