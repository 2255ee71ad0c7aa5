"""Where deposits go on the server, whatever path a device asks for."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transfer.failures import PermanentFailure
from transfer.remote_layout import DEPTH, dossier_folder, dossier_of, file_parts, folder_parts
from transfer.safe_names import safe_name

PATHS = st.lists(
    st.sampled_from(["..", ".", "", "a", "é", "con", "x y", "/", "\\", "C:", "\x00", " ", "000204"]), max_size=9
).map("/".join)
FOLDERS = st.lists(st.sampled_from(["a", "b", "000204"]), max_size=DEPTH).map(tuple)


@given(PATHS | st.text(max_size=60), FOLDERS)
def test_no_path_leaves_the_root(raw: str, current: tuple[str, ...]) -> None:
    """Any path becomes safe folder names below the root, or is refused as too deep when it is."""
    try:
        parts = folder_parts(raw, current)
    except PermanentFailure:
        parts = ()
        assert raw.replace("\\", "/").count("/") + len(current) >= DEPTH
    assert len(parts) <= DEPTH
    assert all(part == safe_name(part) and part not in {".", ".."} for part in parts)


def test_too_deep_a_path_is_refused() -> None:
    """The fifth folder below the root is one too many."""
    assert len(folder_parts("/1/2/3/4")) == DEPTH
    with pytest.raises(PermanentFailure) as caught:
        folder_parts("5", ("1", "2", "3", "4"))
    assert (caught.value.code, caught.value.values) == ("layout.too_deep", {"limit": DEPTH})


@given(PATHS.filter(lambda raw: raw.count("/") < DEPTH), st.sampled_from([(), ("000204",)]))
def test_a_file_goes_where_its_folder_goes(raw: str, current: tuple[str, ...]) -> None:
    """A file's path gives the folder that the same path without the file gives, and a safe name."""
    folder, name = file_parts(raw, current)
    head, slash, _ = raw.replace("\\", "/").rpartition("/")
    assert folder == (folder_parts(head + "/", current) if slash else current)
    assert name == safe_name(name)


@pytest.mark.parametrize(
    ("raw", "current", "parts"),
    [
        ("/", ("a",), ()),
        ("", ("a",), ("a",)),
        ("..", ("a", "b"), ("a",)),
        ("../../../..", ("a",), ()),
        ("/000204//./2026", (), ("000204", "2026")),
        ("\\000204\\x", (), ("000204", "x")),
        ("../000205", ("000204",), ("000205",)),
    ],
)
def test_known_paths(raw: str, current: tuple[str, ...], parts: tuple[str, ...]) -> None:
    """The paths that devices send are read as they mean them."""
    assert folder_parts(raw, current) == parts


def test_a_dossier_and_its_folder_name_each_other() -> None:
    """A file in a dossier's folder belongs to that dossier, and one at the root to none."""
    assert dossier_folder("000204") == "/000204"
    assert dossier_of("/000204/2026/scan.pdf") == "000204"
    assert dossier_of("000204/scan.pdf") == "000204"
    assert dossier_of("/scan.pdf") is None
    assert folder_parts(dossier_folder("000204")) == ("000204",)
