"""Receipts, which only a comparison of bytes can make, and the fingerprints they compare."""

import hashlib
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transfer.failures import PermanentFailure
from transfer.fingerprints import Fingerprint, Measure, measure
from transfer.receipts import Proof, confirm

SENT = measure(io.BytesIO(b"facture"))
OTHER = measure(io.BytesIO(b"FACTURE"))


@pytest.mark.parametrize(
    ("stored", "proof"),
    [
        (SENT, Proof.HASH),
        (Fingerprint(SENT.size, (SENT.sha256 or "").upper()), Proof.HASH),
        (Fingerprint(None, SENT.sha256), Proof.HASH),
        (Fingerprint(SENT.size, None), Proof.SIZE),
        (Fingerprint(None, None), Proof.REPLY),
    ],
)
def test_a_receipt_says_what_it_rests_on(stored: Fingerprint, proof: Proof) -> None:
    """The same bytes give a receipt, with the strongest proof that the storing side offers."""
    receipt = confirm("/local/a.pdf", SENT, stored, "/000204/a.pdf")
    assert (receipt.source, receipt.stored_as, receipt.size, receipt.sha256) == (
        "/local/a.pdf",
        "/000204/a.pdf",
        7,
        SENT.sha256,
    )
    assert receipt.proof is proof


@pytest.mark.parametrize(
    ("stored", "code"),
    [
        (Fingerprint(6, SENT.sha256), "receipt.size_differs"),
        (Fingerprint(0, None), "receipt.size_differs"),
        (OTHER, "receipt.hash_differs"),
        (Fingerprint(None, OTHER.sha256), "receipt.hash_differs"),
    ],
)
def test_other_bytes_give_no_receipt(stored: Fingerprint, code: str) -> None:
    """When size or hash differ there is no receipt, so that nothing can be removed."""
    with pytest.raises(PermanentFailure) as caught:
        confirm("/local/a.pdf", SENT, stored, "/000204/a.pdf")
    assert caught.value.code == code


def test_a_sender_who_does_not_know_its_bytes_gets_no_receipt() -> None:
    """Nothing can be confirmed against bytes that were not measured."""
    with pytest.raises(ValueError, match="own bytes"):
        confirm("/local/a.pdf", Fingerprint(7, None), SENT, "/a.pdf")


@given(st.lists(st.binary(max_size=700)))
def test_bytes_are_measured_while_they_pass(parts: list[bytes]) -> None:
    """However a file is cut into blocks, its fingerprint is that of the whole."""
    measured = Measure()
    for part in parts:
        measured.add(part)
    whole = b"".join(parts)
    assert (
        measured.fingerprint()
        == measure(io.BytesIO(whole))
        == Fingerprint(len(whole), hashlib.sha256(whole).hexdigest())
    )
