"""The letters that Alt presses."""

from uploader.mnemonics import letter


def test_a_free_letter_is_chosen_from_the_words() -> None:
    """First the beginnings of words, then any letter; accents and signs are not typed with Alt."""
    assert letter("Upload", set()) == 0
    assert letter("Tout cocher", {"t"}) == 5
    assert letter("Échecs", set()) == 1
    assert letter("ab", {"a", "b"}) == -1
    assert letter("…", set()) == -1
