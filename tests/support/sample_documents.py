"""Makes the documents that tests send: real files of each kind and awkward names; never two with the same bytes."""

import io
import os
import zipfile
from pathlib import Path

from PIL import Image, ImageDraw

NAMES = (
    "facture.pdf",
    "Facture é à ç ü ß.pdf",
    "reçu du 3 août (copie 2).pdf",
    "Vérifié l'été — n° 12 & co.pdf",
    "Relevé €250,00 +tva #3 100%.pdf",
    "ticket 🧾 déjeuner.jpg",
    "e\u0301tat de\u0301compose\u0301.pdf",  # NFD, as macOS writes names
    "Scan.pdf",
    "SCAN.PDF",
    "scan.pdf",
    "sans extension",
    "a" * 170 + ".pdf",
    "é" * 120 + ".pdf",  # longer than the names Navette keeps
    "deux..points.pdf",
    "中文 Ελληνικά עברית.pdf",
)
"""Names that have broken programs: accents, blanks, emoji, NFD, case twins, long ones, other scripts."""


def pdf(text: str, pages: int = 1, padding: int = 0) -> bytes:
    """Return a valid PDF of ``pages`` pages that show ``text``, with ``padding`` random bytes in a stream."""
    kids = " ".join(f"{4 + 2 * n} 0 R" for n in range(pages))
    bodies = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        f"<< /Type /Pages /Kids [{kids}] /Count {pages} >>".encode(),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    ]
    for n in range(pages):
        shown = "".join(c if 32 <= ord(c) < 127 and c not in "()\\" else "?" for c in text)
        drawing = f"BT /F1 18 Tf 60 760 Td ({shown} - {n + 1}/{pages}) Tj ET".encode()
        bodies.append(
            b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Resources << /Font << /F1 3 0 R >> >> "
            b"/Contents %d 0 R >>" % (5 + 2 * n)
        )
        bodies.append(_stream(drawing))
    if padding:
        bodies.append(_stream(os.urandom(padding)))
    out = io.BytesIO(b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n")
    out.seek(0, io.SEEK_END)
    offsets = []
    for number, body in enumerate(bodies, start=1):
        offsets.append(out.tell())
        out.write(b"%d 0 obj\n%s\nendobj\n" % (number, body))
    at = out.tell()
    out.write(b"xref\n0 %d\n0000000000 65535 f \n" % (len(bodies) + 1))
    out.writelines(b"%010d 00000 n \n" % offset for offset in offsets)
    out.write(b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (len(bodies) + 1, at))
    return out.getvalue()


def picture(kind: str, text: str, pages: int = 1) -> bytes:
    """Return an image file of ``kind`` (JPEG, PNG, TIFF, GIF) that shows ``text``; TIFF holds ``pages`` pages."""
    images = []
    for n in range(pages):
        image = Image.new("L", (420, 594), 255 - n)
        ImageDraw.Draw(image).text((30, 40), f"{text} {n + 1}".encode("ascii", "replace").decode(), fill=0)
        images.append(image)
    out = io.BytesIO()
    more = {"save_all": True, "append_images": images[1:]} if pages > 1 else {}
    images[0].save(out, kind, **more)
    return out.getvalue()


def archive(files: dict[str, bytes]) -> bytes:
    """Return a ZIP file that holds ``files``."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as folder:
        for name, content in files.items():
            folder.writestr(name, content)
    return out.getvalue()


def docx(text: str) -> bytes:
    """Return a Word document with one paragraph."""
    kind = "http://schemas.openxmlformats.org"
    main = f"{kind}/officeDocument/2006/relationships/officeDocument"
    return archive(
        {
            "[Content_Types].xml": f'<Types xmlns="{kind}/package/2006/content-types">'
            '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
            '<Override PartName="/word/document.xml" ContentType="application/vnd.openxmlformats-officedocument'
            '.wordprocessingml.document.main+xml"/></Types>'.encode(),
            "_rels/.rels": f'<Relationships xmlns="{kind}/package/2006/relationships">'
            f'<Relationship Id="r1" Type="{main}" Target="word/document.xml"/></Relationships>'.encode(),
            "word/document.xml": f'<w:document xmlns:w="{kind}/wordprocessingml/2006/main"><w:body><w:p><w:r>'
            f"<w:t>{text}</w:t></w:r></w:p></w:body></w:document>".encode(),
        }
    )


def ubl(number: str) -> bytes:
    """Return an electronic invoice in the shape of Peppol BIS Billing 3, with an enterprise number that checks."""
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<Invoice xmlns="urn:oasis:names:specification:ubl:schema:xsd:Invoice-2"
 xmlns:cac="urn:oasis:names:specification:ubl:schema:xsd:CommonAggregateComponents-2"
 xmlns:cbc="urn:oasis:names:specification:ubl:schema:xsd:CommonBasicComponents-2">
 <cbc:ID>{number}</cbc:ID><cbc:IssueDate>2026-01-15</cbc:IssueDate>
 <cac:AccountingCustomerParty><cac:Party><cbc:EndpointID schemeID="0208">0202239951</cbc:EndpointID></cac:Party>
 </cac:AccountingCustomerParty>
 <cac:LegalMonetaryTotal><cbc:PayableAmount currencyID="EUR">121.00</cbc:PayableAmount></cac:LegalMonetaryTotal>
</Invoice>
""".encode()


def large_pdf(path: Path, size: int = 200 * 1024 * 1024) -> None:
    """Write a valid PDF of a little over ``size`` bytes, all of them on the disk and no two MiB alike."""
    block = bytearray(os.urandom(1024 * 1024))
    count = size // len(block)
    with path.open("wb") as file:
        file.write(b"%PDF-1.4\n")
        offsets = []
        for body in (b"<< /Type /Catalog /Pages 2 0 R >>", b"<< /Type /Pages /Kids [] /Count 0 >>"):
            offsets.append(file.tell())
            file.write(b"%d 0 obj\n%s\nendobj\n" % (len(offsets), body))
        offsets.append(file.tell())
        file.write(b"3 0 obj\n<< /Length %d >>\nstream\n" % (count * len(block)))
        for n in range(count):
            block[:8] = n.to_bytes(8, "big")
            file.write(block)
        file.write(b"\nendstream\nendobj\n")
        at = file.tell()
        file.write(b"xref\n0 4\n0000000000 65535 f \n")
        file.writelines(b"%010d 00000 n \n" % offset for offset in offsets)
        file.write(b"trailer\n<< /Size 4 /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % at)


def sample_set(folder: Path, large: int = 0) -> list[Path]:
    """Fill ``folder`` with one file of each kind, each awkward name, 0 bytes and, if asked, one of ``large`` bytes."""
    kinds = {
        "photo.jpg": picture("JPEG", "photo"),
        "capture.png": picture("PNG", "capture"),
        "fax 3 pages.tif": picture("TIFF", "fax", pages=3),
        "logo.gif": picture("GIF", "logo"),
        "lettre.docx": docx("Bonjour"),
        "annexes.zip": archive({"a.txt": b"a", "b/c.pdf": pdf("annexe")}),
        "facture 2026-001.xml": ubl("2026-001"),
        "contrat 40 pages.pdf": pdf("contrat", pages=40, padding=300_000),
        "vide.pdf": b"",
        "un octet.txt": b"1",
        "notes.csv": "date;montant;libellé\r\n2026-01-15;121,00;café\r\n".encode("cp1252"),
    }
    for number, name in enumerate(NAMES):
        text = f"{number} {name}"
        kinds[name] = picture("JPEG", text) if name.endswith(".jpg") else pdf(text, padding=500 * number + 1)
    for name, content in kinds.items():
        (folder / name).write_bytes(content)
    if large:
        large_pdf(folder / "grand livre.pdf", large)
    return sorted(folder.iterdir())


def small_documents(folder: Path, count: int, seed: int = 0) -> list[Path]:
    """Write ``count`` small PDFs with names of their own and bytes of their own into ``folder``."""
    paths = []
    for n in range(count):
        path = folder / f"pièce {seed}-{n:04}.pdf"
        path.write_bytes(pdf(path.name, padding=200 + 97 * (n % 50)))
        paths.append(path)
    return paths


def _stream(content: bytes) -> bytes:
    return b"<< /Length %d >>\nstream\n%s\nendstream" % (len(content), content)
