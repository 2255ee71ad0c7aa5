"""The colours of the window: readable, light and dark."""

import pytest

from uploader.appearance import DARK, LIGHT, Palette

GROUNDS = {LIGHT.theme: "#ffffff", DARK.theme: "#212529"}


def contrast(one: str, other: str) -> float:
    """Return the contrast ratio of two colours as WCAG 2 defines it."""
    low, high = sorted(map(_luminance, (one, other)))
    return (high + 0.05) / (low + 0.05)


def _luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize("palette", [LIGHT, DARK], ids=["light", "dark"])
def test_every_text_can_be_read(palette: Palette) -> None:
    """Each ink stands at least 4.5 to 1 against the ground it is written on."""
    ground = GROUNDS[palette.theme]
    pairs = {
        "quiet": (palette.quiet, ground),
        "wrong": (palette.wrong, ground),
        "good": (palette.good, ground),
        "heading": (palette.quiet, palette.heading),
        "chosen": (palette.chosen_ink, palette.chosen_ground),
        "zone": (palette.zone_ink, palette.zone),
        "zone hint": (palette.quiet, palette.zone),
        **{f"row {name}": (ink, ground) for name, ink in palette.rows.items()},
        **{f"band {name}": (band.ink, band.ground) for name, band in palette.bands.items()},
    }
    assert {name: round(contrast(*pair), 2) for name, pair in pairs.items() if contrast(*pair) < 4.5} == {}
