"""Names that are not UTF-8, carried and given back."""

from hypothesis import example, given
from hypothesis import strategies as st

from transfer.wire_names import from_wire, readable, to_wire


@given(st.binary() | st.text().map(lambda text: text.encode(errors="replace")))
@example("\uef80\uefff".encode())
@example(b"factur\xe9e.pdf")
@example("é".encode() + b"\xe9" + "\uefe9".encode())
def test_any_bytes_come_back_as_they_were(raw: bytes) -> None:
    """What a server lists can be asked for again byte by byte, and the text can be stored as UTF-8."""
    text = from_wire(raw)
    text.encode()
    assert to_wire(text) == raw


@given(st.binary(), st.binary())
def test_different_bytes_are_different_names(one: bytes, other: bytes) -> None:
    """Two files of a server never carry the same name."""
    assert (from_wire(one) == from_wire(other)) == (one == other)


def test_odd_bytes_can_be_read() -> None:
    """A name in CP1252 is shown with its accents, and one in UTF-8 stays as it is."""
    assert readable(from_wire("reçu œuvre.pdf".encode("cp1252"))) == "reçu œuvre.pdf"
    assert readable(from_wire("reçu œuvre 🧾.pdf".encode())) == "reçu œuvre 🧾.pdf"
