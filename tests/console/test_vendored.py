"""The files of others that the console hands out are those that were published, byte for byte."""

import hashlib

import pytest
from navette_server import ROOT

PUBLISHED = {
    "console/static/htmx-4.0.1.min.js": "a0abb04f2f45a1f89d1d4844023245537e5e6014c87b144553e0607b4cc32130",
    "console/static/pico-2.1.1.min.css": "fbc9a63fc9fc9f72d12fd7fc9806e11fa9f77ae4f9cad146b27003a1119ba3db",
    "tests/support/axe-4.14.1.min.js": "29348999450cdf2849a8e70b7912fc2da85a849da39c0d0d5394f51d4a9ed95c",
}
"""Below console/static and tests/support -> SHA-256."""


@pytest.mark.parametrize("name", PUBLISHED)
def test_a_file_of_others_was_never_changed(name: str) -> None:
    """And its licence lies beside it."""
    path = ROOT / name
    assert hashlib.sha256(path.read_bytes()).hexdigest() == PUBLISHED[name]
    assert path.with_name(path.name.split(".min.")[0] + ".LICENSE.txt").stat().st_size > 300
