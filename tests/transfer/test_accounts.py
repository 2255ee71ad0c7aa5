"""Account names and numbers that both sides read alike."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transfer.accounts import AccountKind, AccountName, dossier_number, fiduciary_number
from transfer.failures import PermanentFailure

FIDUCIARIES = st.from_regex("[0-9]{6}", fullmatch=True)
DOSSIERS = st.from_regex("[A-Za-z0-9][A-Za-z0-9-]{0,15}", fullmatch=True).filter(
    lambda text: text.isdigit() or len(text) > 4
)


@given(FIDUCIARIES, DOSSIERS | st.none())
def test_a_login_reads_back_as_the_account_it_names(fiduciary: str, dossier: str | None) -> None:
    """A WRITE login gives back its fiduciary and dossier, and fits the 32 characters that scanners accept."""
    account = AccountName(AccountKind.WRITE, fiduciary, dossier)
    assert AccountName.parse(account.login) == account
    assert len(account.login) <= 32
    assert account.login.isascii()


@pytest.mark.parametrize(
    "login",
    [
        *("", "READ", "read_570013", "READ_57001", "READ_5700133", "READ_570013_000204", " WRITE_570013"),
        *(
            "WRITE_570013\n",
            "WRITE_57001٣",
            "WRITE_570013_",
            "WRITE_570013_a b",
            "WRITE_570013_../x",
            "WRITE_570013_-1",
        ),
        "WRITE_570013_" + "9" * 17,
    ],
)
def test_any_other_login_is_refused(login: str) -> None:
    """What is not exactly a login of the house is refused with one code."""
    with pytest.raises(PermanentFailure) as caught:
        AccountName.parse(login)
    assert caught.value.code == "account.bad_login"


@given(st.text(max_size=20))
def test_a_fiduciary_is_six_digits(text: str) -> None:
    """Six ASCII digits are a fiduciary's number, and nothing else is."""
    if len(text) == 6 and text.isascii() and text.isdigit():
        assert fiduciary_number(text) == text
    else:
        with pytest.raises(PermanentFailure) as caught:
            fiduciary_number(text)
        assert caught.value.code == "account.bad_fiduciary"


@pytest.mark.parametrize("text", ["", "-1", "a b", "é", "a/b", "..", "9" * 17, "CON", "com1", "nul", "１２"])
def test_a_dossier_number_is_a_folder_name_anywhere(text: str) -> None:
    """A dossier number that no Windows folder can have, or that is too long for a login, is refused."""
    with pytest.raises(PermanentFailure) as caught:
        dossier_number(text)
    assert caught.value.code == "account.bad_dossier"
