"""Previews: what a person can look at of each kind of file, and what hostile ones can do: nothing but be refused."""

import hashlib
import io
import struct
import subprocess
import sys
import tempfile
import time
import zlib
from pathlib import Path

import pytest
from navette_server import ROOT
from PIL import Image
from pypdf import PdfReader, PdfWriter
from sample_documents import archive, docx, pdf, picture, ubl

from console.preview import Previews
from console.preview_pages import HEIGHT, WIDTH
from console.preview_reader import HEAD
from transfer.failures import Failure

TICKET = Path(__file__).parent / "samples" / "ticket.heic"


class Shelf:
    """Documents on a disk, and the previews of them."""

    def __init__(self, folder: Path, room: int = 2**28) -> None:
        self.folder = folder
        self.cache = folder / "previews"
        self.previews = Previews(self.cache, room)

    def put(self, content: bytes) -> tuple[str, Path]:
        """Lay a document down; returns what names it."""
        sha256 = hashlib.sha256(content).hexdigest()
        path = self.folder / sha256[:16]
        path.write_bytes(content)
        return sha256, path


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    return Shelf(tmp_path)


def refusal(shelf: Shelf, content: bytes) -> str:
    """Return the code with which a document is not shown."""
    with pytest.raises(Failure) as refused:
        shelf.previews.look(*shelf.put(content))
    return refused.value.code


def drawn(image: bytes) -> Image.Image:
    picture = Image.open(io.BytesIO(image))
    assert picture.format == "WEBP"
    return picture


@pytest.mark.parametrize(
    ("content", "pages"),
    [
        (pdf("facture", pages=12), 12),
        (picture("TIFF", "fax", pages=3), 3),
        (picture("JPEG", "photo"), 1),
        (picture("PNG", "capture"), 1),
        (picture("GIF", "logo"), 1),
        (TICKET.read_bytes(), 1),
    ],
    ids=["pdf", "tiff", "jpeg", "png", "gif", "heic"],
)
def test_pages_are_drawn(shelf: Shelf, content: bytes, pages: int) -> None:
    """PDFs, faxes of several pages and photos are shown page by page, each within the box, and not as blank paper."""
    document = shelf.put(content)
    assert shelf.previews.look(*document).pages == pages
    for number in {1, pages}:
        page = drawn(shelf.previews.page(*document, number))
        assert page.width <= WIDTH
        assert page.height <= HEIGHT
        assert len(page.convert("L").getcolors() or range(999)) > 1


def test_a_pdf_tells_its_first_words(shelf: Shelf) -> None:
    """The text of the first pages is known for searching, and no more than its bound."""
    look = shelf.previews.look(*shelf.put(pdf("BE 0202.239.951 Boulangerie Dupont", pages=40)))
    assert "BE 0202.239.951 Boulangerie Dupont - 1/40" in look.text
    assert "4/40" not in look.text


@pytest.mark.parametrize("charset", ["utf-8", "utf-8-sig", "cp1252", "utf-16"])
def test_a_text_is_read_in_any_charset(shelf: Shelf, charset: str) -> None:
    """Accents come out whole, whoever wrote the file."""
    look = shelf.previews.look(*shelf.put("libellé;reçu\r\ncafé;12,00".encode(charset)))
    assert (look.kind, look.shown) == ("text", "libellé;reçu\ncafé;12,00")


def test_a_mail_shows_its_head_its_text_and_its_files(shelf: Shelf) -> None:
    """A stored e-mail says who wrote what to whom, and what is attached."""
    raw = (
        b"From: =?utf-8?Q?Ren=C3=A9?= <rene@dupont.be>\r\nTo: compta@firm.be\r\nSubject: Facture 12\r\n"
        b'MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary="x"\r\n\r\n--x\r\n'
        b"Content-Type: text/plain; charset=utf-8\r\n\r\nVoici la facture.\r\n--x\r\n"
        b'Content-Type: application/pdf; name="facture 12.pdf"\r\n\r\n%PDF-1.4\r\n--x--\r\n'
    )
    look = shelf.previews.look(*shelf.put(raw))
    assert look.kind == "mail"
    assert look.mail is not None
    assert look.mail["from"] == "René <rene@dupont.be>"
    assert [file["name"] for file in look.mail["files"]] == ["facture 12.pdf"]
    assert look.shown == "Voici la facture."


def test_an_electronic_invoice_shows_what_people_look_for(shelf: Shelf) -> None:
    """A UBL invoice is shown as parties, number, dates and amounts, not as XML."""
    look = shelf.previews.look(*shelf.put(ubl("2026-001")))
    assert look.kind == "invoice"
    assert look.invoice is not None
    assert (look.invoice["number"], look.invoice["payable"], look.invoice["currency"]) == ("2026-001", "121.00", "EUR")
    assert look.invoice["customer"]["numbers"] == ["0202239951"]
    assert "0202239951" in look.text


def locked_pdf() -> bytes:
    writer, written = PdfWriter(PdfReader(io.BytesIO(pdf("secret")))), io.BytesIO()
    writer.encrypt("code", algorithm="AES-256")
    writer.write(written)
    return written.getvalue()


def huge_png(side: int) -> bytes:
    """Return a picture of a few bytes that promises ``side`` times ``side`` points."""

    def chunk(name: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))

    head = struct.pack(">IIBBBBB", side, side, 8, 6, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(b"\0" * 1000)) + chunk(b"IEND", b"")
    )


def circling_tiff() -> bytes:
    """Return a TIFF whose second directory names the first as its next."""
    content = bytearray(picture("TIFF", "fax", pages=2))
    first = struct.unpack_from("<I", content, 4)[0]
    at, count = first, struct.unpack_from("<H", content, first)[0]
    second = struct.unpack_from("<I", content, at + 2 + 12 * count)[0]
    count = struct.unpack_from("<H", content, second)[0]
    struct.pack_into("<I", content, second + 2 + 12 * count, first)
    return bytes(content)


LAUGHS = b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;">]><Invoice>&b;</Invoice>'


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "preview.empty"),
        (locked_pdf(), "preview.encrypted"),
        (pdf("torn", padding=5000)[:300], "preview.damaged"),
        (b"%PDF-1.7 and no more", "preview.damaged"),
        (picture("JPEG", "torn")[:200], "preview.damaged"),
        (huge_png(60_000), "preview.too_large"),
        (archive({"a.txt": b"a"}), "preview.no_view"),
        (docx("Bonjour"), "preview.no_view"),
        (bytes(range(256)) * 40, "preview.no_view"),
        (LAUGHS, "invoice.has_dtd"),
        (b'<?xml version="1.0"?><Invoice', "invoice.damaged"),
    ],
    ids=["empty", "locked", "torn pdf", "no pdf", "torn jpeg", "bomb", "zip", "docx", "bytes", "laughs", "torn xml"],
)
def test_what_cannot_be_shown_is_said(shelf: Shelf, content: bytes, code: str) -> None:
    """Each file that has no preview has a sentence with its code, and the second question is answered from memory."""
    assert refusal(shelf, content) == code
    if content:
        document = shelf.put(content)
        document[1].unlink()  # nobody reads it again
        with pytest.raises(Failure) as again:
            shelf.previews.look(*document)
        assert again.value.code == code


def test_a_document_of_20000_pages_is_shown_at_once(shelf: Shelf) -> None:
    """The first page, the last one and their number take a moment, not 20,000."""
    document = shelf.put(pdf("annuaire", pages=20_000))
    before = time.monotonic()
    assert shelf.previews.look(*document).pages == 20_000
    drawn(shelf.previews.page(*document, 20_000))
    assert time.monotonic() - before < 10
    with pytest.raises(Failure, match=r"preview.no_page"):
        shelf.previews.page(*document, 20_001)


def test_a_tiff_that_goes_round_in_circles_ends(shelf: Shelf) -> None:
    """Directories that name each other are counted once."""
    assert shelf.previews.look(*shelf.put(circling_tiff())).pages == 2


def endless_pdf() -> bytes:
    """Return a PDF of a few bytes that fills its page with a circle of colours again and again."""
    drawing = b"/S0 sh " * 3000
    colours = b"<< /FunctionType 2 /Domain [0 1] /C0 [1 0 0] /C1 [0 0 1] /N 2.3 >>"
    circle = b"<< /ShadingType 3 /ColorSpace /DeviceRGB /Coords [300 400 0 300 400 500] /Function %s >>" % colours
    bodies = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R "
        b"/Resources << /Shading << /S0 %s >> >> >>" % circle,
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(drawing), drawing),
    ]
    objects = b"".join(b"%d 0 obj\n%s\nendobj\n" % (number, body) for number, body in enumerate(bodies, 1))
    return b"%PDF-1.4\n" + objects + b"trailer\n<< /Size 5 /Root 1 0 R >>\n%%EOF\n"


def test_an_endless_document_is_ended(shelf: Shelf) -> None:
    """A drawing that would take hours is ended after 15 seconds, said, and not tried again at once."""
    document = shelf.put(endless_pdf())
    before = time.monotonic()
    assert refusal(shelf, endless_pdf()) == "preview.too_slow"
    assert 10 < time.monotonic() - before < 40
    before = time.monotonic()
    with pytest.raises(Failure, match=r"preview.too_slow"):
        shelf.previews.look(*document)
    assert time.monotonic() - before < 1


def test_a_picture_that_takes_all_memory_only_ends_its_reader(shelf: Shelf) -> None:
    """What bursts the memory of the reading program is said, and the next document is shown."""
    hundred_million = io.BytesIO()
    Image.new("RGBA", (10_900, 10_900)).save(hundred_million, "PNG", compress_level=1)
    assert refusal(shelf, hundred_million.getvalue()) == "preview.too_hard"
    assert shelf.previews.look(*shelf.put(pdf("next"))).pages == 1


def test_a_second_look_reads_nothing(shelf: Shelf) -> None:
    """What was shown once is shown again within 20 milliseconds, even without the file."""
    document = shelf.put(pdf("facture", pages=3))
    first = shelf.previews.look(*document), shelf.previews.page(*document, 1), shelf.previews.page(*document, 3)
    document[1].unlink()
    before = time.monotonic()
    again = shelf.previews.look(*document), shelf.previews.page(*document, 1), shelf.previews.page(*document, 3)
    assert time.monotonic() - before < 0.06
    assert again == first
    assert Previews(shelf.cache).look(*document) == first[0]


def test_what_is_kept_stays_within_its_room(tmp_path: Path) -> None:
    """The oldest previews go when the room is full, and are made again when they are asked for."""
    shelf = Shelf(tmp_path, room=6_000)
    documents = [shelf.put(picture("PNG", f"capture {n}")) for n in range(10)]
    for document in documents:
        shelf.previews.page(*document, 1)
    assert sum(path.stat().st_size for path in shelf.cache.iterdir()) <= 6_000
    drawn(shelf.previews.page(*documents[0], 1))


def test_a_file_that_is_gone_is_said(shelf: Shelf) -> None:
    """A document whose file was taken away has a sentence, which is not kept: the file may come back."""
    sha256, path = shelf.put(pdf("gone"))
    content = path.read_bytes()
    path.unlink()
    with pytest.raises(Failure, match=r"preview.missing"):
        shelf.previews.look(sha256, path)
    path.write_bytes(content)
    assert shelf.previews.look(sha256, path).pages == 1


def test_the_program_itself_can_be_the_reader() -> None:
    """A packed Navette, which has no ``python -m``, reads files as a mode of its own."""
    command = [sys.executable, "-m", "navette", "confined", "console.preview_reader", "1"]
    with tempfile.TemporaryFile() as source:
        source.write(pdf("packed"))
        source.seek(0)
        told = subprocess.run(command, stdin=source, stdout=subprocess.PIPE, cwd=ROOT, check=True).stdout
    number, size = HEAD.unpack_from(told)
    assert number == 0
    assert b'"pages": 1' in told[HEAD.size : HEAD.size + size]
    assert subprocess.run([*command[:4], "os", "1"], capture_output=True, cwd=ROOT, check=False).returncode == 2
