"""The end marks of formats: what is whole, what is torn, and what nothing proves."""

import functools
import io
import struct
import time
import zipfile
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from sample_documents import pdf

from transfer.evidence import Evidence, weigh

# A picture too busy to compress, so that cuts fall into its middle.
NOISE = Image.effect_noise((300, 400), 80).convert("RGB")


def judged(content: bytes) -> Evidence:
    return weigh(lambda offset, length: content[offset : offset + length], len(content))


def picture(kind: str, **options: object) -> bytes:
    out = io.BytesIO()
    NOISE.save(out, kind, **options)
    return out.getvalue()


def tiff(pages: int, compression: str, mode: str) -> bytes:
    first, *others = [NOISE.rotate(90 * n).convert(mode) for n in range(pages)]
    out = io.BytesIO()
    first.save(out, "TIFF", compression=compression, save_all=True, append_images=others)
    return out.getvalue()


def big_endian_tiff(strips: int = 4) -> bytes:
    """A one-page TIFF as Motorola machines write it: header, strips, directory with arrays outside."""
    body = bytes(range(256)) * 16
    offsets = [8 + n * len(body) for n in range(strips)]
    arrays = 8 + strips * len(body)
    tags = [
        (256, 3, 1, struct.pack(">HH", 64, 0)),
        (257, 3, 1, struct.pack(">HH", 64 * strips, 0)),
        (273, 4, strips, struct.pack(">I", arrays)),
        (278, 3, 1, struct.pack(">HH", 64, 0)),
        (279, 4, strips, struct.pack(">I", arrays + 4 * strips)),
    ]
    at = arrays + 8 * strips
    entries = b"".join(struct.pack(">HHI", tag, kind, count) + value for tag, kind, count, value in tags)
    return (
        b"MM\0*" + struct.pack(">I", at) + body * strips
        + struct.pack(f">{strips}I", *offsets) + struct.pack(f">{strips}I", *[len(body)] * strips)
        + struct.pack(">H", len(tags)) + entries + b"\0\0\0\0"
    )  # fmt: skip


def archive(*names: str, stored: bool = False, comment: bytes = b"") -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED if stored else zipfile.ZIP_DEFLATED) as made:
        for n, name in enumerate(names):
            made.writestr(name, pdf(name, padding=3000 + n))
        made.comment = comment
    return out.getvalue()


def docx() -> bytes:
    return archive("[Content_Types].xml", "_rels/.rels", "word/document.xml", "word/media/image1.png")


WHOLE: dict[str, Callable[[], bytes]] = {
    "pdf": lambda: pdf("Facture", pages=3, padding=20_000),
    "small pdf": lambda: pdf("x"),
    "jpeg": lambda: picture("JPEG"),
    "progressive jpeg": lambda: picture("JPEG", progressive=True),
    "png": lambda: picture("PNG"),
    "gif": lambda: picture("GIF"),
    "tiff of three pages": lambda: tiff(3, "tiff_lzw", "RGB"),
    "fax": lambda: tiff(4, "group4", "1"),
    "big-endian tiff": big_endian_tiff,
    "zip": lambda: archive("a.pdf", "b.pdf"),
    "stored zip": lambda: archive("a.pdf", "b.pdf", stored=True),
    "zip with a comment": lambda: archive("a.pdf", comment=b"scanned at the desk"),
    "docx": docx,
}

PADDED = {"tiff of three pages", "fax"}  # Pillow pads a TIFF of several pages to 16 bytes


@pytest.mark.parametrize("kind", WHOLE)
def test_a_whole_file_proves_itself(kind: str) -> None:
    """A file as its program wrote it is whole."""
    assert judged(WHOLE[kind]()) is Evidence.WHOLE


@pytest.mark.parametrize("kind", WHOLE)
def test_a_cut_file_is_torn_wherever_it_was_cut(kind: str) -> None:
    """A file that lacks its end is torn: at block borders, in its middle, and one byte before the end mark is over."""
    content = WHOLE[kind]()
    content = content.rstrip(b"\n") if kind.endswith("pdf") else content
    tail = 9 if kind in PADDED else 1
    cuts = {n for n in (1460, 4096, 8192, 65_536, 262_144) if n < len(content)}
    cuts |= {len(content) * n // 20 for n in range(2, 20)} | {len(content) - n for n in range(tail, 40)}
    assert {cut: judged(content[:cut]) for cut in cuts} == dict.fromkeys(cuts, Evidence.TORN)


@pytest.mark.parametrize("junk", [b"\n", b"\r\n\r\n", b"\0" * 4096, b"\n\x1b%-12345X@PJL EOJ\r\n\x1b%-12345X"])
def test_padding_after_a_pdf_does_not_make_it_torn(junk: bytes) -> None:
    """What printers and mail programs append after a PDF's end mark leaves it whole."""
    assert judged(pdf("x", padding=100) + junk) is Evidence.WHOLE


def test_a_pdf_cut_in_a_later_save_is_torn() -> None:
    """The end mark of an earlier version inside a PDF does not prove the version that was cut."""
    first = pdf("version 1", padding=500)
    second = first + b"\n9 0 obj\n<< /Length 4000 >>\nstream\n" + b"x" * 4000 + b"\nendstream\nendobj\n"
    for cut in range(len(first) + 2, len(second), 97):
        assert judged(second[:cut]) is Evidence.TORN
    assert judged(second + b"xref\n0 0\ntrailer\n<<>>\nstartxref\n4600\n%%EOF\n") is Evidence.WHOLE


def test_a_pdf_for_the_web_is_torn_after_its_first_page() -> None:
    """The end mark behind the first page of a linearized PDF is not its end."""
    first_page = b"%PDF-1.4\n1 0 obj\n<< /Linearized 1 >>\nendobj\nstartxref\n0\n%%EOF\n"
    assert judged(first_page) is Evidence.TORN
    assert judged(first_page + b"2 0 obj\n<<>>\nendobj\nstartxref\n120\n%%EOF") is Evidence.WHOLE


def test_bytes_before_a_pdf_do_not_hide_it() -> None:
    """A printer language header before the PDF leaves it a PDF."""
    assert judged(b"\x1b%-12345X@PJL\r\n" + pdf("x")) is Evidence.WHOLE
    assert judged(b"\x1b%-12345X@PJL\r\n" + pdf("x")[:-9]) is Evidence.TORN


def test_a_jpeg_is_not_proved_by_its_thumbnail() -> None:
    """The end mark of the thumbnail in a photo's headers does not prove the photo."""
    thumbnail = io.BytesIO()
    NOISE.resize((60, 80)).save(thumbnail, "JPEG")
    whole = picture("JPEG", exif=b"Exif\0\0II*\0\x08\0\0\0\0\0\0\0\0\0" + thumbnail.getvalue())
    assert whole.index(b"\xff\xd9") < len(whole) // 2
    assert judged(whole) is Evidence.WHOLE
    for cut in range(len(thumbnail.getvalue()), len(whole) - 2, 211):
        assert judged(whole[:cut]) is Evidence.TORN


def test_a_photo_with_a_film_behind_it_is_whole() -> None:
    """A phone's photo that carries a short film after its end mark is whole."""
    assert judged(picture("JPEG") + b"\0\0\0\x18ftypmp42" + b"\x11" * 3_000_000) is Evidence.WHOLE


def test_a_zip_is_not_proved_by_the_zip_inside_it() -> None:
    """A torn ZIP whose last whole member is a ZIP is torn."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as outer:
        outer.writestr("inner.zip", archive("a.pdf"))
        outer.writestr("b.pdf", pdf("b", padding=3000))
    end_of_inner = out.getvalue().index(b"PK\x05\x06") + 22
    for cut in range(end_of_inner, end_of_inner + 3000, 50):
        assert judged(out.getvalue()[:cut]) is Evidence.TORN
    assert judged(out.getvalue()) is Evidence.WHOLE


@pytest.mark.parametrize(
    "content", [b"", b"\xff", b"bonjour", b"<?xml version='1.0'?><Invoice/>", "é;à\n".encode(), b"PK"]
)
def test_a_format_without_end_mark_is_unknown(content: bytes) -> None:
    """Text, XML and empty files prove nothing either way."""
    assert judged(content) is Evidence.UNKNOWN


def _directory(at: int, entries: int, following: int) -> bytes:
    strips = struct.pack("<HHII", 273, 4, 900_000, 8) + struct.pack("<HHII", 279, 4, 900_000, 8)
    return struct.pack("<H", entries) + (strips * (entries // 2 + 1))[: entries * 12] + struct.pack("<I", following)


@pytest.mark.parametrize(
    "content",
    [
        b"II*\0\x08\0\0\0" + b"\0\0\x08\0\0\0",  # a directory that is its own successor
        b"II*\0\x08\0\0\0" + _directory(8, 65_000, 8),
        b"II*\0\x08\0\0\0" + _directory(8, 400, 8) + b"\0" * 8_000_000,
        b"II*\0\x08\0\0\0" + b"".join(_directory(8, 0, 8 + 6 * n) for n in range(1, 400_000)),
        b"II*\0\xff\xff\xff\xff" + b"\0" * 100,
        b"MM\0*\0\0\0\x08\xff\xff" + b"\xff" * 800_000,
    ],
)
def test_a_hostile_tiff_costs_no_time(content: bytes) -> None:
    """Loops, huge counts and endless chains of directories are judged within a second."""
    start = time.thread_time()  # its own work: other programs on the machine do not count
    judged(content)
    assert time.thread_time() - start < 1.5


@settings(max_examples=400, deadline=None)
@given(
    st.sampled_from(
        [b"%PDF-1.7\n", b"\xff\xd8\xff\xe0", b"\x89PNG\r\n\x1a\n", b"GIF89a", b"II*\0", b"MM\0*", b"PK\x03\x04", b""]
    ),
    st.binary(max_size=3000),
)
def test_no_content_makes_the_judgement_fail(head: bytes, rest: bytes) -> None:
    """Any bytes behind any format's first bytes get a judgement."""
    assert judged(head + rest) in Evidence


@functools.cache
def sample(kind: str) -> bytes:
    return WHOLE[kind]()


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_a_damaged_file_gets_a_judgement(draw: st.DataObject) -> None:
    """A real file with some of its bytes changed is judged without a fault."""
    content = bytearray(sample(draw.draw(st.sampled_from(sorted(WHOLE)))))
    for _ in range(draw.draw(st.integers(1, 20))):
        content[draw.draw(st.integers(0, len(content) - 1))] = draw.draw(st.integers(0, 255))
    assert judged(bytes(content)) in Evidence
