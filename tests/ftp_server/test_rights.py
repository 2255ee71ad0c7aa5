"""What READ and WRITE accounts may and may not do."""

import ftplib
import io
import re
from pathlib import Path

import pytest
from served import FIDUCIARY, PDF, Served, serving

from ftp_server.collect_view import CollectView
from ftp_server.commands import COMMANDS
from ftp_server.rights import RIGHTS, allowed
from transfer.accounts import AccountKind

ARGUMENT = {"SITE": "RECEIPT x", "REST": "0", "ALLO": "10", "CWD": "/", "MKD": "new", "TYPE": "I"}
NEEDS_DATA = {"STOR", "APPE", "STOU", "RETR", "LIST", "NLST", "MLSD"}


@pytest.fixture
def served(tmp_path: Path):
    with serving(tmp_path / "server") as running:
        yield running


@pytest.mark.parametrize("kind", AccountKind)
def test_the_table_is_what_sessions_get(served: Served, kind: AccountKind) -> None:
    """Every command of the table is refused with 550 to the kind of account that may not give it, and to no other."""
    with served.session(f"{kind}_{FIDUCIARY}", tls=True) as ftp:
        for command in RIGHTS:
            ftp.putcmd(f"{command} {ARGUMENT.get(command, 'some.pdf')}".strip())
            reply = ftp.getmultiline()
            refused = reply.startswith("550 Not for this account")
            assert refused is not allowed(command, kind), reply
            assert not (command in NEEDS_DATA and reply[0] == "1"), reply


def test_every_file_command_has_a_right() -> None:
    """No command that names a file or folder is missing from the table of rights."""
    files = {name for name, command in COMMANDS.items() if command.login} - {
        "PASV",
        "EPSV",
        "PORT",
        "EPRT",
        "STAT",
        "ABOR",
    }
    assert files - {"RMD"} == set(RIGHTS)


def test_write_sees_only_its_own_session(served: Served) -> None:
    """WRITE lists and measures what its own session deposited; an earlier deposit looks as if it did not exist."""
    with served.session() as ftp:
        ftp.storbinary("STOR first.pdf", io.BytesIO(PDF))
    with served.session() as ftp:
        assert ftp.nlst() == []
        for command in ("SIZE", "MDTM", "MLST", "XSHA256", "HASH", "CWD", "RETR", "DELE"):
            reply = ""
            try:
                reply = ftp.sendcmd(f"{command} first.pdf")
            except ftplib.error_perm as refused:
                reply = str(refused)
            assert reply[:3] == ("250" if command == "CWD" else "550")
        ftp.cwd("/")
        ftp.storbinary("STOR second.pdf", io.BytesIO(PDF + b"\n"))
        assert ftp.nlst() == ["second.pdf"]
        assert ftp.size("second.pdf") == len(PDF) + 1
        assert [name for name, _ in ftp.mlsd()] == ["second.pdf"]
    assert set(served.published()) == {"first.pdf", "second.pdf"}


def test_facts_of_folders(served: Served) -> None:
    """MLST tells of folders: READ of those that exist, WRITE of where it is and of where it deposited."""

    def fact(ftp: ftplib.FTP, path: str) -> str:
        return ftp.sendcmd(f"MLST {path}".strip()).splitlines()[1].strip()

    with served.session() as ftp:
        ftp.storbinary("STOR /000204/a/b/c/deep.pdf", io.BytesIO(PDF))
        ftp.cwd("/000205")
        for path, shown in {"": "/000205", "/": "/", "/000204/a": "/000204/a", "..": "/"}.items():
            assert re.fullmatch(rf"type=dir;perm=el;modify=\d{{14}}; {shown}", fact(ftp, path)), path
        assert fact(ftp, "/000204/a/b/c/deep.pdf").startswith("type=file;")
    with served.session() as other, pytest.raises(ftplib.error_perm, match="^550"):
        fact(other, "/000204")
    with served.collecting() as ftp:
        for path, shown in {"": "/", "/000204/a/b/c": "/000204/a/b/c", "000204": "/000204"}.items():
            assert re.fullmatch(rf"type=dir;perm=el;modify=\d{{14}}; {shown}", fact(ftp, path)), path
        assert fact(ftp, "/000204/a/b/c/deep.pdf").startswith("type=file;")
        for path in ("/000205", "/none.pdf"):
            with pytest.raises(ftplib.error_perm, match="^550"):
                fact(ftp, path)


GONE_MEANWHILE = ("SIZE", "MDTM", "MLST", "HASH", "XMD5", "XCRC", "RETR")


@pytest.mark.parametrize("command", GONE_MEANWHILE)
def test_collected_by_another_at_this_moment(
    served: Served, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, command: str
) -> None:
    """A document that another session collects while READ asks for it is not there: no error, nothing in the log."""
    with served.session() as ftp:
        ftp.storbinary("STOR scan.pdf", io.BytesIO(PDF))
    found = CollectView._path

    def then_it_goes(view: CollectView, raw: str) -> Path:
        path = found(view, raw)
        path.unlink()
        return path

    monkeypatch.setattr(CollectView, "_path", then_it_goes)
    with served.collecting() as ftp:
        ftp.makepasv()
        with pytest.raises(ftplib.error_perm, match="^550 There is no such file"):
            ftp.sendcmd(f"{command} scan.pdf")
        assert ftp.nlst() == []
    assert "session.failed" not in caplog.text


def test_dossier_account_stays_in_its_dossier(served: Served) -> None:
    """WRITE_nnnnnn_DOSSIER deposits into its dossier's folder whatever path it names."""
    with served.session(f"WRITE_{FIDUCIARY}_000204") as ftp:
        for n, path in enumerate(("a.pdf", "/b.pdf", "../c.pdf", "/../../d.pdf", "..\\e.pdf", "/000999/f.pdf")):
            ftp.storbinary(f"STOR {path}", io.BytesIO(PDF + bytes([n])))
    assert set(served.published()) == {f"000204/{name}.pdf" for name in ("a", "b", "c", "d", "e", "000999/f")}


def test_read_needs_tls(served: Served) -> None:
    """READ with the right password is refused over plain FTP."""
    with pytest.raises(ftplib.error_perm, match="^530.*FTPS"), served.session(f"READ_{FIDUCIARY}"):
        pass


def test_data_must_be_protected_when_control_is(served: Served) -> None:
    """A TLS session cannot send its documents in the clear."""
    with served.session(tls=True) as ftp:
        ftp.prot_c()
        with pytest.raises(ftplib.error_perm, match="^521"):
            ftp.storbinary("STOR scan.pdf", io.BytesIO(PDF))


def test_reset_and_disabled_accounts(served: Served) -> None:
    """After a reset the old password is refused and the new one works; a disabled account is refused."""
    login = f"WRITE_{FIDUCIARY}"
    with served.session(login):
        pass
    new = served.server.accounts.reset(login)[login]
    with pytest.raises(ftplib.error_perm, match="^530"), served.session(login):
        pass
    served.passwords[login] = new
    with served.session(login):
        pass
    served.server.accounts.enable(login, False)
    with pytest.raises(ftplib.error_perm, match="^530"), served.session(login):
        pass


def test_unknown_and_wrong_logins_read_alike(served: Served) -> None:
    """An unknown login and a wrong password get the same reply, and the third try ends the session."""
    with served.connect() as ftp:
        replies = []
        for login in ("WRITE_999999", f"WRITE_{FIDUCIARY}", "anonymous"):
            with pytest.raises(ftplib.error_perm) as refused:
                ftp.login(login, "wrong")
            replies.append(str(refused.value))
        assert len(set(replies)) == 1
        with pytest.raises((EOFError, ConnectionError)):
            ftp.sendcmd("NOOP")


def test_no_password_is_on_the_disk(served: Served) -> None:
    """No file of the server holds a password."""
    with served.session() as ftp:
        ftp.storbinary("STOR scan.pdf", io.BytesIO(PDF))
    held = b"".join(path.read_bytes() for path in served.home.rglob("*") if path.is_file())
    assert not [login for login, password in served.passwords.items() if password.encode() in held]
