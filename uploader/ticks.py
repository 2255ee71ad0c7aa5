"""Draws the tick boxes and the program's icon for the screen's resolution; never reads an image from a file."""

import io
import tkinter

from PIL import Image, ImageDraw

from uploader.appearance import Palette

_OVERSIZE = 4  # drawn so many times larger, then made smaller, for smooth edges


def tick_images(pixels: int, accent: str, palette: Palette) -> dict[str, tkinter.PhotoImage]:
    """Return the boxes ``ticked``, ``unticked``, ``none`` (not to be ticked) and ``done``, with a gap at their right.

    ``pixels`` is the side of a box, ``accent`` a colour such as ``#0d6efd``.
    """
    return {
        "ticked": _box(pixels, accent, accent, "#ffffff"),
        "unticked": _box(pixels, palette.box, palette.edge),
        "none": _box(pixels, palette.faint, palette.faint),
        "done": _box(pixels, "#00000000", "#00000000", palette.good),
    }


def app_icon(pixels: int, accent: str) -> tkinter.PhotoImage:
    """Return the program's icon for the screen."""
    return _photo(app_image(pixels, accent))


def app_image(pixels: int, accent: str) -> Image.Image:
    """Return the program's icon: an arrow that goes up from a tray."""
    side = pixels * _OVERSIZE
    image = Image.new("RGBA", (side, side), (0, 0, 0, 0))
    draw = ImageDraw.Draw(image)
    draw.rounded_rectangle((0, 0, side - 1, side - 1), radius=side // 5, fill=accent)
    line = side // 12
    draw.line([(side * 0.5, side * 0.62), (side * 0.5, side * 0.3)], fill="#ffffff", width=line)
    draw.polygon([(side * 0.5, side * 0.16), (side * 0.34, side * 0.36), (side * 0.66, side * 0.36)], fill="#ffffff")
    tray = [
        (side * 0.22, side * 0.58),
        (side * 0.22, side * 0.78),
        (side * 0.78, side * 0.78),
        (side * 0.78, side * 0.58),
    ]
    draw.line(tray, fill="#ffffff", width=line, joint="curve")
    return image.resize((pixels, pixels), Image.Resampling.LANCZOS)


def _box(pixels: int, fill: str, outline: str, tick: str | None = None) -> tkinter.PhotoImage:
    side = pixels * _OVERSIZE
    image = Image.new("RGBA", (side + side // 2, side), (0, 0, 0, 0))
    draw = ImageDraw.Draw(image)
    edge = max(_OVERSIZE, side // 12)
    draw.rounded_rectangle((0, 0, side - 1, side - 1), radius=side // 5, fill=fill, outline=outline, width=edge)
    if tick is not None:
        points = [(side * 0.24, side * 0.52), (side * 0.43, side * 0.71), (side * 0.77, side * 0.31)]
        draw.line(points, fill=tick, width=side // 8, joint="curve")
    return _photo(image.resize((pixels + pixels // 2, pixels), Image.Resampling.LANCZOS))


def _photo(image: Image.Image) -> tkinter.PhotoImage:
    png = io.BytesIO()
    image.save(png, "PNG")
    return tkinter.PhotoImage(data=png.getvalue())
