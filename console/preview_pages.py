"""Opens PDFs and pictures and draws their pages as WebP; meant for the preview's own program, never for the console's.

Every size is bounded before anything is drawn: a page is fitted into a box, and a picture with too many points is
refused unread.
"""

import io
import warnings
from typing import BinaryIO, Protocol

import pi_heif
from PIL import Image, ImageOps, UnidentifiedImageError

from transfer.failures import PermanentFailure

WIDTH, HEIGHT = 1000, 2400
"""The box of points that a page is fitted into: an A4 page at about 120 dpi."""

MOST_POINTS = 120_000_000
"""A picture of more points (A3 at 600 dpi has 70 million) is not opened."""

_FORMATS = ("JPEG", "PNG", "TIFF", "GIF", "BMP", "WEBP", "HEIF")
_MAGIC = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"II*\x00", b"MM\x00*", b"GIF8", b"BM")
_HEIF = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"mif1", b"msf1")
_PAGES_OF_TEXT = 3


class Pages(Protocol):
    """An open file of pages, numbered from 1."""

    count: int

    def image(self, number: int) -> bytes:
        """Return a page as WebP."""

    def text(self, longest: int) -> str:
        """Return the text of the first pages, as far as they hold any."""


def is_paged(start: bytes) -> bool:
    """Tell by a file's first bytes whether its pages can be drawn."""
    return b"%PDF-" in start[:1024] or _is_picture(start)


def opened(source: BinaryIO, start: bytes) -> Pages:
    """Open a file that begins with ``start``; refused with a ``preview.`` code."""
    return _Pdf(source) if b"%PDF-" in start[:1024] and not _is_picture(start) else _Picture(source)


def _is_picture(start: bytes) -> bool:
    webp = start[:4] == b"RIFF" and start[8:12] == b"WEBP"
    return start.startswith(_MAGIC) or webp or (start[4:8] == b"ftyp" and start[8:12] in _HEIF)


class _Pdf:
    def __init__(self, source: BinaryIO) -> None:
        import pypdfium2

        try:
            self._pdf = pypdfium2.PdfDocument(source)
            self.count = len(self._pdf)
        except pypdfium2.PdfiumError as error:
            password = getattr(error, "err_code", None) == pypdfium2.raw.FPDF_ERR_PASSWORD
            raise PermanentFailure("preview.encrypted" if password else "preview.damaged") from None
        if self.count == 0:
            raise PermanentFailure("preview.damaged")
        self._failure = pypdfium2.PdfiumError

    def image(self, number: int) -> bytes:
        try:
            if self._pdf.get_formtype():
                self._pdf.init_forms()
            page = self._pdf[number - 1]
            width, height = page.get_size()
            scale = min(WIDTH / max(width, 1), HEIGHT / max(height, 1))
            return _webp(page.render(scale=scale, may_draw_forms=True).to_pil())
        except (self._failure, ValueError):
            raise PermanentFailure("preview.damaged") from None

    def text(self, longest: int) -> str:
        found = ""
        for number in range(min(self.count, _PAGES_OF_TEXT)):
            try:
                page = self._pdf[number].get_textpage()
                found += page.get_text_range(0, min(page.count_chars(), longest)) + "\n"
            except self._failure:
                continue
        return found.replace("\0", "")[:longest]


class _Picture:
    def __init__(self, source: BinaryIO) -> None:
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        Image.MAX_IMAGE_PIXELS = MOST_POINTS
        pi_heif.register_heif_opener(thumbnails=False)
        try:
            self._image = Image.open(source, formats=_FORMATS)
            self.count = getattr(self._image, "n_frames", 1) if self._image.format == "TIFF" else 1
        except (Image.DecompressionBombError, Image.DecompressionBombWarning):
            raise PermanentFailure("preview.too_large") from None
        except (UnidentifiedImageError, OSError, SyntaxError, ValueError, EOFError):
            raise PermanentFailure("preview.damaged") from None

    def image(self, number: int) -> bytes:
        try:
            self._image.seek(number - 1)
            if self._image.width * self._image.height > MOST_POINTS:
                raise PermanentFailure("preview.too_large")
            self._image.draft("RGB", (WIDTH, HEIGHT))
            picture = _plain(ImageOps.exif_transpose(self._image))
            picture.thumbnail((WIDTH, HEIGHT))
            return _webp(picture)
        except (OSError, SyntaxError, ValueError, EOFError, KeyError):
            raise PermanentFailure("preview.damaged") from None

    def text(self, longest: int) -> str:  # noqa: ARG002  a picture holds none
        return ""


def _plain(picture: Image.Image) -> Image.Image:
    """Return a picture in grey or colours, on white where it is transparent."""
    if picture.mode in {"1", "L", "I;16", "I", "F"}:
        return picture.convert("L")
    if picture.has_transparency_data:
        seen = picture.convert("RGBA")
        paper = Image.new("RGBA", seen.size, "white")
        return Image.alpha_composite(paper, seen).convert("RGB")
    return picture.convert("RGB")


def _webp(picture: Image.Image) -> bytes:
    written = io.BytesIO()
    picture.save(written, "WEBP", quality=70, method=2)
    return written.getvalue()
