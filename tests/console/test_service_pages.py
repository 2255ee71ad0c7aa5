"""The page of the service: what it says, and what it lets an administrator wish for."""

from console_site import Site, Visitor

from dossiers.designation import running_rounds
from dossiers.firm import Firm

SERVICE = {
    "service.start": "automatic",
    "service.minutes": "7",
    "service.deadline_minutes": "30",
    "service.ftp": "yes",
    "service.machine": "",
}


def test_start_stop_and_now_are_wishes_in_the_database(site: Site, anne: Visitor) -> None:
    """The page changes what the service reads, and says so."""
    anne.get("/service")
    assert "No further round begins" in anne.follow("/service/stop").text
    with Firm(site.home) as firm:
        assert firm.settings.switch("service.paused")
    assert "goes on" in anne.follow("/service/start").text
    with Firm(site.home) as firm:
        assert not firm.settings.switch("service.paused")
    answer = anne.follow("/fetch", {"next": "/service"})
    assert "at once" in answer.text
    assert "<h1>Service</h1>" in answer.text


def test_settings_are_kept_and_refused_beside_their_field(site: Site, anne: Visitor) -> None:
    """A switch that is not ticked is off; a number out of bounds comes back with 422."""
    anne.get("/service")
    anne.follow("/service", SERVICE)
    with Firm(site.home) as firm:
        assert (firm.settings.number("service.minutes"), firm.settings.switch("service.mail")) == (7, False)
    answer = anne.post("/service", SERVICE | {"service.minutes": "0"})
    assert answer.status == 422
    assert 'id="fault-service.minutes"' in answer.text


def test_the_page_says_who_runs_and_lets_this_machine_take_over(site: Site, anne: Visitor) -> None:
    """It names the machine that runs, and the designation can be moved to this one."""
    assert "The service does not run" in anne.get("/service").text
    with Firm(site.home) as firm:
        firm.settings.set("service.machine", "PC-KANTOOR")
    with Firm(site.home, machine="PC-KANTOOR") as firm, running_rounds(firm):
        shown = anne.get("/service").text
        assert "PC-KANTOOR, since" in shown
        with Firm(site.home) as here:
            machine = here.machine
        assert f"{machine} is the designated machine" in anne.follow("/service/take-over").text
    with Firm(site.home) as firm:
        assert firm.settings.text("service.machine") == machine


def test_an_accountant_may_ask_for_a_round_and_no_more(site: Site) -> None:
    """Fetch now is for everyone who files; stopping is not."""
    bram = site.signed_in("bram")
    bram.get("/")
    assert bram.post("/fetch").place == "/"
    assert bram.post("/service/stop").status == 403
