"""The page that a day begins with: what came, what waits, how the service is; never changes anything."""

from starlette.responses import Response

from console.page import Pages
from console.visit import Visit
from dossiers.users import Role

PAGES = Pages()


@PAGES.get("/", Role.READER, menu="menu.today")
def today(visit: Visit) -> Response:
    """Show the day."""
    return visit.page("today.html")
