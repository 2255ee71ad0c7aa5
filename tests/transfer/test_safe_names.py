"""Names that every file system keeps, whatever they were before."""

import re
import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from transfer.safe_names import NAME_BYTES, is_numbered, numbered, safe_name, split_extension, twin_key
from transfer.wire_names import from_wire

AWKWARD = st.sampled_from(
    list('._ -()~$@\u00a0\u0301\u200b\u202e\u2028\x00\x1f\x7f/\\:*?"<>|éÉßıİﬁ¹²³中🧾\ud800\udce9\uefe9\ufffd')
)
STEMS = st.sampled_from(
    ["con", "PRN", "aux", "NUL", "COM1", "com¹", "LPT³", "conin$", "scan", "facture é", "a" * 200, "é" * 120, "🧾" * 60]
)
EXTENSIONS = st.sampled_from(["", ".pdf", ".PDF", ".tar.gz", ".", " ", ". .", ".é", "." + "x" * 30])
NAMES = (
    st.text(max_size=300)
    | st.lists(AWKWARD, max_size=120).map("".join)
    | st.tuples(STEMS, st.lists(AWKWARD, max_size=8).map("".join), EXTENSIONS).map("".join)
)

RESERVED = re.compile(r"(con|prn|aux|nul|conin\$|conout\$|com[0-9¹²³]|lpt[0-9¹²³]) *(\.|$)", re.IGNORECASE)


def assert_safe(name: str) -> None:
    assert name
    assert len(name.encode()) <= NAME_BYTES
    assert unicodedata.is_normalized("NFC", name)
    assert not set(name) & set('\\/:*?"<>|')
    assert not {unicodedata.category(character) for character in name} & {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
    assert name == name.strip()
    assert not name.endswith(".")
    assert not name.startswith(".")
    assert not RESERVED.match(name)


@given(NAMES)
@example("con" + " " * 190 + "x.txt")
@example("\u0301" * 200 + ".pdf")
@example("aux." + "x" * 300)
@example("a" * 179 + " .b")
def test_any_name_becomes_a_safe_one(raw: str) -> None:
    """Whatever a device calls a file, the name kept has no word, sign, blank or length that breaks a system."""
    assert_safe(safe_name(raw))


@given(NAMES)
@example("\u0301" * 200 + ".pdf")
@example("con" + "é" * 120 + ".txt")
def test_a_safe_name_stays_as_it_is(raw: str) -> None:
    """A safe name given again is returned unchanged, so that both sides of the wire name a file alike."""
    assert safe_name(safe_name(raw)) == safe_name(raw)


@given(
    st.text(st.characters(categories=["Ll", "Lu", "Nd"]), min_size=1, max_size=400),
    st.sampled_from([".pdf", ".docx", ".jpeg"]),
)
def test_the_extension_survives(stem: str, extension: str) -> None:
    """However long a name is, its extension is kept."""
    assert safe_name(stem + extension).endswith(extension)


@pytest.mark.parametrize(
    ("raw", "kept"),
    [
        ("Facture n° 12.pdf", "Facture n° 12.pdf"),
        ("e\u0301te\u0301.pdf", "été.pdf"),
        ("../../etc/passwd", "__.._etc_passwd"),
        ("C:\\scans\\a.pdf", "C__scans_a.pdf"),
        ("COM¹.txt", "_COM¹.txt"),
        ("con .pdf", "_con .pdf"),
        (".htaccess", "_htaccess"),
        ("scan.pdf. . ", "scan.pdf"),
        ("a\u202efdp.exe", "afdp.exe"),
        ("été\u00a0 2026.pdf", "été  2026.pdf"),
        ("", "document"),
        ("...", "document"),
        ("\x00\x01", "document"),
    ],
)
def test_known_names(raw: str, kept: str) -> None:
    """The usual oddities become what a person would expect."""
    assert safe_name(raw) == kept


@pytest.mark.parametrize("raw", [from_wire("facturée œ.pdf".encode("cp1252")), "factur\udce9e \udc9c.pdf"])
def test_a_name_in_an_old_encoding_gets_its_letters_back(raw: str) -> None:
    """Accents that came as single bytes, over FTP or from a local disk, are accents in the safe name."""
    assert safe_name(raw) == "facturée œ.pdf"


@given(NAMES, st.integers(2, 10_000), st.integers(2, 10_000))
def test_counters_give_different_safe_names(raw: str, n: int, other: int) -> None:
    """A counter keeps a name safe and makes it another than the name itself and than any other counter's."""
    name = safe_name(raw)
    made = numbered(name, n)
    assert_safe(made)
    assert safe_name(made) == made
    assert split_extension(made)[1] == split_extension(name)[1]
    assert twin_key(made) != twin_key(name)
    assert (twin_key(made) == twin_key(numbered(name, other))) == (n == other)


def test_a_counter_stands_before_the_extension() -> None:
    """The second scan.pdf is scan(2).pdf."""
    assert numbered("scan.pdf", 2) == "scan(2).pdf"
    assert numbered("sans extension", 3) == "sans extension(3)"


@given(st.text(st.sampled_from("abcABCéÉèßñÑ. ()0123")), st.booleans())
def test_twins_are_found_whatever_their_case_or_accents_form(name: str, decomposed: bool) -> None:
    """Names that a Windows or macOS folder takes for one another have the same key, and any safe name keeps its own."""
    other = unicodedata.normalize("NFD" if decomposed else "NFC", name.swapcase())
    assert twin_key(name) == twin_key(other)


def test_different_names_are_no_twins() -> None:
    """An accent or a digit makes another name."""
    assert len({twin_key(name) for name in ["ete.pdf", "été.pdf", "ete1.pdf", "ete2.pdf"]}) == 4


@pytest.mark.parametrize("name", ["scan.pdf", "scan (2).pdf", "a" * 175 + ".pdf", "no extension", "été(3).pdf"])
def test_a_numbered_name_is_recognised(name: str) -> None:
    """A name and the same name with a counter belong together, others do not."""
    assert is_numbered(name, name)
    assert is_numbered(numbered(name, 2), name)
    assert is_numbered(numbered(name, 41), name)
    assert not is_numbered("scan(2)b.pdf", name)
    assert not is_numbered("other(2).pdf", name)
