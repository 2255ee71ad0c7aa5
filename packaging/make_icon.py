"""Draws the program's icon as an .ico for Windows and a .png for Linux; never reads a picture.

Run it as ``python packaging/make_icon.py FILE.ico|FILE.png``.
"""

import sys
from pathlib import Path

from uploader.ticks import app_image

ACCENT = "#0d6efd"
SIDES = (16, 20, 24, 32, 40, 48, 64, 128, 256)
"""Pixels of the pictures in an .ico: what Windows shows in lists, on the desk and in the task bar, up to 200 %."""


def main(path: Path) -> None:
    """Draw each size by itself: small ones made smaller from large ones are blurred."""
    pictures = [app_image(side, ACCENT) for side in SIDES]
    sizes = [(side, side) for side in SIDES]
    if path.suffix == ".ico":
        pictures[-1].save(path, sizes=sizes, append_images=pictures[:-1])
    else:
        pictures[-1].save(path)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
