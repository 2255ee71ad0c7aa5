"""Opens pages in a real browser and looks at them as people and tools do; never asks for anything but the console."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from console_site import PASSWORD, Site
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

CHROMIUM = "/usr/bin/chromium"
SIZES = {"desk": (1366, 768), "phone": (390, 844)}
AXE = Path(__file__).with_name("axe-4.14.1.min.js")
PICTURES = os.environ.get("NAVETTE_PICTURES")
"""The folder in which pictures of the pages are kept; none unless this is set."""

_SEVERE = {"serious", "critical"}
_WORDS = """() => {
  const body = document.body.cloneNode(true);
  body.querySelectorAll("code").forEach((code) => code.remove());
  return body.textContent;
}"""
_WIDER = "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"


@dataclass
class Seen:
    """What a browser complained of, and what it asked for elsewhere."""

    site: str
    complaints: list[str] = field(default_factory=list)
    foreign: list[str] = field(default_factory=list)

    def watch(self, page: Page) -> None:
        """Listen to a page from now on."""
        page.on("console", lambda said: self._hear(said.type, said.text))
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("request", lambda asked: self._ask(asked.url))

    def _hear(self, kind: str, text: str) -> None:
        if kind in {"error", "warning"}:
            self.complaints.append(text)

    def _ask(self, url: str) -> None:
        if not url.startswith((self.site, "data:", "blob:")):
            self.foreign.append(url)


@contextmanager
def browser() -> Iterator[Browser]:
    """Run Debian's Chromium without a screen."""
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        try:
            yield opened
        finally:
            opened.close()


@contextmanager
def signed_in(
    opened: Browser,
    site: Site,
    name: str = "anne",
    *,
    size: tuple[int, int] = SIZES["desk"],
    dark: bool = False,
    scripts: bool = True,
) -> Iterator[tuple[Page, Seen]]:
    """Open a window in which a user is signed in."""
    context: BrowserContext = opened.new_context(
        viewport={"width": size[0], "height": size[1]},
        color_scheme="dark" if dark else "light",
        java_script_enabled=scripts,
        locale="en-GB",
        reduced_motion="reduce",
    )
    try:
        page = context.new_page()
        seen = Seen(site.address)
        seen.watch(page)
        page.goto(f"{site.address}/login")
        page.get_by_label("User name").fill(name)
        page.get_by_label("Password").fill(PASSWORD)
        page.locator("main form button").click()
        page.wait_for_url(f"{site.address}/")
        yield page, seen
    finally:
        context.close()


def faults(page: Page) -> list[str]:
    """Return the serious faults that axe finds: rule, and what it is about."""
    page.evaluate(AXE.read_text(encoding="utf-8"))  # by the browser's own door: no page may load it
    told = page.evaluate("async () => (await axe.run(document, {resultTypes: ['violations']})).violations")
    return [
        f"{each['id']}: {node['target']} {node['failureSummary']}"
        for each in told
        if each["impact"] in _SEVERE
        for node in each["nodes"]
    ]


def words(page: Page) -> str:
    """Return the words of a page without the codes that it shows on purpose."""
    told: str = page.evaluate(_WORDS)
    return told


def overflow(page: Page) -> int:
    """Return by how many points the page is wider than the window."""
    wider: int = page.evaluate(_WIDER)
    return wider


def picture(page: Page, name: str) -> None:
    """Keep a picture of the whole page, where somebody wants to look at them."""
    if PICTURES:
        Path(PICTURES).mkdir(parents=True, exist_ok=True)
        page.screenshot(path=f"{PICTURES}/{name}.png", full_page=True)
