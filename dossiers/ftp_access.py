"""Says where and as whom to reach the FTP server, for the firm and for its clients; never opens a connection."""

from dataclasses import replace

from sqlalchemy import select, update

from dossiers import tables
from dossiers.dossier import Dossier
from dossiers.firm import Firm
from dossiers.settings import parsed_node
from transfer.accounts import AccountKind, AccountName
from transfer.client_ini import ClientIni, Connection, Security
from transfer.failures import PermanentFailure
from transfer.remote_layout import dossier_folder

FIRST = "ftp"
"""The name of the FTP source that the settings describe; further nodes are named after it."""


def read_connection(firm: Firm) -> Connection:
    """Return the connection that collects documents; refused with ``ftp_access.missing`` while a setting lacks."""
    return _connection(firm, _user(firm, AccountKind.READ), _required(firm, "ftp.read_password"))


def read_connections(firm: Firm) -> dict[str, Connection]:
    """Return the connections that collect documents, by the name of their source: ``ftp``, then one for each node.

    ``ftp.nodes`` names further servers as ``host[:port][=fingerprint]``, with blanks between them; they know the same
    login. A fingerprint that is not told is that of the first server.
    """
    first = read_connection(firm)
    found = {FIRST: first}
    for name, (host, port, fingerprint) in _nodes(firm).items():
        found[name] = replace(first, host=host, port=port, fingerprint=fingerprint or first.fingerprint)
    return found


def node_names(firm: Firm) -> list[str]:
    """Return the names of the FTP sources, also while nobody has said yet how to reach them."""
    return [FIRST, *_nodes(firm)]


def _nodes(firm: Firm) -> dict[str, tuple[str, int, str | None]]:
    found = {}
    for word in firm.settings.text("ftp.nodes").split():
        host, told, fingerprint = parsed_node(word)
        port = told or firm.settings.number("ftp.port")
        found[f"{FIRST}:{host}:{port}"] = host, port, fingerprint
    return found


def write_connection(firm: Firm, dossier: Dossier) -> tuple[Connection, str]:
    """Return the connection and the remote folder with which a client deposits into a dossier.

    A dossier with a WRITE account of its own has its folder as that account's root.
    """
    with firm.database.read() as connection:
        row = connection.execute(
            select(tables.dossiers.c.write_user, tables.dossiers.c.write_password).where(
                tables.dossiers.c.number == dossier.number
            )
        ).one()
    if row.write_user:
        return _connection(firm, row.write_user, firm.seal.open(row.write_password)), "/"
    return deposit_connection(firm), dossier_folder(dossier.number)


def deposit_connection(firm: Firm) -> Connection:
    """Return the connection that deposits into any dossier; refused with ``ftp_access.missing``."""
    return _connection(firm, _user(firm, AccountKind.WRITE), _required(firm, "ftp.write_password"))


def client_ini(firm: Firm, dossier: Dossier, language: str = "") -> ClientIni:
    """Return what a client's INI says for a dossier, in ``language`` or else the dossier's own."""
    connection, remote_folder = write_connection(firm, dossier)
    number = firm.settings.text("fiduciary.number")
    spoken = language or dossier.language
    return ClientIni(connection, remote_folder, dossier.number, dossier.name, number, language=spoken)


def own_login(firm: Firm, dossier: Dossier) -> str | None:
    """Return the login of the account that deposits into this dossier only, None if it has none."""
    with firm.database.read() as connection:
        mine = tables.dossiers.c.number == dossier.number
        return connection.execute(select(tables.dossiers.c.write_user).where(mine)).scalar()


def give_write_account(firm: Firm, dossier: Dossier, user: str, password: str) -> None:
    """Keep the WRITE account that deposits into this dossier only; its password is sealed."""
    with firm.database.write() as connection:
        connection.execute(
            update(tables.dossiers)
            .where(tables.dossiers.c.number == dossier.number)
            .values(write_user=user, write_password=firm.seal.seal(password))
        )


def _connection(firm: Firm, user: str, password: str) -> Connection:
    settings = firm.settings
    return Connection(
        host=_required(firm, "ftp.host"),
        port=settings.number("ftp.port"),
        user=user,
        password=password,
        security=Security(settings.text("ftp.security")),
        fingerprint=settings.text("ftp.fingerprint") or None,
        passive=settings.switch("ftp.passive"),
    )


def _user(firm: Firm, kind: AccountKind) -> str:
    """Return the login that is set, else the one that the fiduciary's number gives."""
    named = firm.settings.text(f"ftp.{kind.value.lower()}_user")
    return named or AccountName(kind, _required(firm, "fiduciary.number")).login


def _required(firm: Firm, name: str) -> str:
    value = firm.settings.text(name)
    if not value:
        raise PermanentFailure("ftp_access.missing", name=name)
    return value
