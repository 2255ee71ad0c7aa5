"""Every page in a real browser: languages, light and dark, desk and phone, keyboard, without scripts, two people."""

import re

import pytest
from browsing import SIZES, browser, faults, overflow, picture, signed_in, words
from console_site import Site
from playwright.sync_api import Page, expect

from transfer.language import LANGUAGES

SHOWN = {
    "today": "/",
    "waiting": "/waiting",
    "refused": "/waiting/refused",
    "documents": "/documents",
    "document": "/documents/1",
    "dossiers": "/dossiers",
    "ftp": "/ftp",
    "service": "/service",
    "users": "/users",
    "user": "/users/1",
    "deeds": "/deeds",
    "me": "/me",
    "first-steps": "/first-steps",
    "lost": "/nothing-here",
}
"""Name -> address of the pages that everybody's eyes rest on."""

_KEY = re.compile(r"\b(?:console|menu|label|choice|setting|deed|step|role|alarm)\.[a-z_]+(?:\.[a-z_]+)*\b(?! \w+\.)")
"""The key of a text that was not found stands there in its place."""


def _speak(page: Page, site: Site, language: str) -> None:
    page.goto(f"{site.address}/me")
    page.locator("details.me summary").click()
    page.locator(f"details.me button[value={language}]").click()
    page.wait_for_load_state()
    expect(page.locator("html")).to_have_attribute("lang", language)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("language", LANGUAGES)
def test_every_page_fits_reads_and_asks_for_nothing_elsewhere(site: Site, language: str, size: str) -> None:
    """In light and dark: nothing is wider than the window, axe finds nothing serious, no error, no foreign request."""
    wrong = []
    with browser() as opened:
        for dark in (False, True):
            with signed_in(opened, site, size=SIZES[size], dark=dark) as (page, seen):
                _speak(page, site, language)
                for name, path in SHOWN.items():
                    page.goto(f"{site.address}{path}")
                    page.wait_for_load_state("networkidle")
                    picture(page, f"{name}-{language}-{size}-{'dark' if dark else 'light'}")
                    assert page.locator("h1").count() == 1, path
                    wrong += [f"{path} says {key}" for key in _KEY.findall(words(page))]
                    wrong += [f"{path} is {overflow(page)} points too wide"] if overflow(page) > 0 else []
                    wrong += [f"{path} dark={dark} {fault}" for fault in faults(page)]
                expected = [each for each in seen.complaints if "404" not in each]
                assert not expected
                assert not seen.foreign
    assert not wrong, "\n".join(wrong)


def test_a_morning_by_keyboard_alone(site: Site) -> None:
    """J and K move, Enter takes the proposal, the focus is in the field of the next document, the sentence is said."""
    with browser() as opened, signed_in(opened, site) as (page, seen):
        page.goto(f"{site.address}/waiting")
        expect(page.locator("#dossier")).to_be_focused()
        page.keyboard.press("Escape")
        page.keyboard.press("j")
        expect(page.locator(".side h2").first).to_have_text("scan 2.pdf")
        page.locator("#dossier").wait_for()
        page.keyboard.press("Escape")
        page.keyboard.press("k")
        expect(page.locator(".side h2").first).to_have_text("scan 1.pdf")
        page.goto(f"{site.address}/waiting")
        page.keyboard.type("000317")
        page.keyboard.press("Enter")
        expect(page.locator("#status")).to_contain_text("is in 000317 Garage Peeters")
        expect(page.locator(".side h2").first).to_have_text("scan 2.pdf")
        expect(page.locator("#dossier")).to_be_focused()
        page.get_by_role("button", name="Undo").click()
        expect(page.locator(".side h2").first).to_have_text("scan 1.pdf")
        page.goto(page.url.replace("/waiting/4", "/waiting/6"))
        expect(page.locator("#dossier")).to_have_value("000204 Boulangerie Martin")
        page.locator("#dossier").press("Enter")
        expect(page.locator("#status")).to_contain_text("scan 3.pdf")
        page.keyboard.press("Escape")
        page.keyboard.press("i")
        expect(page.locator("[data-refuse]")).to_be_focused()
        assert not seen.complaints


def test_the_preview_shows_the_pages_of_the_document(site: Site) -> None:
    """The pictures come by themselves, and are whole."""
    with browser() as opened, signed_in(opened, site) as (page, seen):
        page.goto(f"{site.address}/documents/1")
        first = page.locator("#preview img").first
        expect(first).to_be_visible(timeout=30_000)
        page.wait_for_function("() => document.querySelector('#preview img').naturalWidth > 300")
        assert page.locator("#preview img").count() == 2
        assert not seen.complaints


def test_the_main_paths_work_without_scripts(site: Site) -> None:
    """File, refuse, mark as processed and search with JavaScript switched off."""
    with browser() as opened, signed_in(opened, site, scripts=False) as (page, seen):
        page.goto(f"{site.address}/waiting")
        page.locator("#dossier").fill("000204")
        page.get_by_role("button", name="File", exact=True).click()
        expect(page.locator("#status")).to_contain_text("is in 000204")
        page.get_by_role("button", name="Undo").click()
        expect(page.locator("#status")).to_contain_text("waits again")
        page.goto(f"{site.address}/documents")
        page.locator("tbody input[type=checkbox]").first.check()
        page.get_by_role("button", name="Mark as processed").click()
        expect(page.locator("#status")).to_contain_text("Marked as processed: 1.")
        assert not seen.foreign


def test_two_people_race_for_one_document_in_two_browsers(site: Site) -> None:
    """The second one, whose page still shows it, reads that a colleague was faster."""
    with browser() as opened, signed_in(opened, site) as (anne, _), signed_in(opened, site, "bram") as (bram, _):
        for page in (anne, bram):
            page.goto(f"{site.address}/waiting")
        for page, number in ((anne, "000204"), (bram, "000317")):
            page.locator("#dossier").fill(number)
            page.get_by_role("button", name="File", exact=True).click()
        expect(anne.locator("#status")).to_contain_text("is in 000204")
        expect(bram.get_by_role("alert")).to_contain_text(re.compile("A colleague was faster: anne"))
