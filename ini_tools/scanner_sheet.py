"""What a scanner needs for a dossier, as values, as a QR code and as a Canon address book; never a READ account.

The Canon file is that of a device's own export (Remote UI, address list, CSV): the columns it lists and one destination
of the kind *file* per dossier. It has not been tried on a device by us.
"""

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass, field

import segno

from transfer.accounts import AccountKind, AccountName
from transfer.client_ini import Connection, Security
from transfer.failures import PermanentFailure
from transfer.language import Language

VALUES = ("host", "port", "user", "password", "folder", "security", "passive", "fingerprint")
"""What is to be typed into a device, in that order."""

_CANON_HEAD = (
    "# Canon AddressBook CSV version: 0x0002",
    "# CharSet: UTF-8",
    "# SubAddressBookName: ",
    "# DB Version: 0x010a",
    "",
)
_CANON_HEADER = (
    "objectclass,cn,cnread,cnshort,subdbid,mailaddress,dialdata,uri,url,path,protocol,username,pwd,member,indxid,"
    "enablepartial,sub,faxprotocol,ecm,txstartspeed,commode,lineselect,uricommode,uriflag,pwdinputflag,ifaxmode,"
    "transsvcstr1,transsvcstr2,ifaxdirectmode,documenttype,bwpapersize,bwcompressiontype,bwpixeltype,"
    "bwbitsperpixel,bwresolution,clpapersize,clcompressiontype,clpixeltype,clbitsperpixel,clresolution,"
    "accesscode,uuid,cnreadlang,enablesfp,memberobjectuuid,loginusername,logindomainname,usergroupname,"
    "personalid,"
)
_CANON_COLUMNS = _CANON_HEADER.split(",")  # the last one is empty, as on the device
_CANON_FIRST_INDEX, _CANON_MOST = 201, 1600
_CANON_NAME, _CANON_SHORT = 24, 12
_CANON_USUAL = {
    "objectclass": "remotefilesystem",
    "subdbid": "1",
    "protocol": "ftp",
    "pwdinputflag": "off",
    "accesscode": "0",
    "cnreadlang": "en",
}


@dataclass(frozen=True)
class ScannerSheet:
    """One dossier's destination for a device: a name to show, where, as whom, and into which folder."""

    name: str
    dossier: str
    connection: Connection = field(repr=False)
    folder: str

    def __post_init__(self) -> None:
        """Refuse what could collect documents (``scanner.read_account``)."""
        login = self.connection.user
        if login.upper().startswith(f"{AccountKind.READ}_"):
            raise PermanentFailure("scanner.read_account", user=login[:40])

    @property
    def login(self) -> str:
        """The WRITE account that it deposits with."""
        return self.connection.user

    @property
    def is_own(self) -> bool:
        """Whether that account deposits into this dossier only."""
        try:
            return AccountName.parse(self.login).dossier is not None
        except PermanentFailure:  # a login of somebody else's server
            return False

    def values(self, language: Language) -> list[tuple[str, str]]:
        """Return what is to be typed, each with the key of :data:`VALUES`; what has no value is left out."""
        connection = self.connection
        told = (
            connection.host,
            str(connection.port),
            connection.user,
            connection.password,
            self.folder,
            language.say(f"scanner.security.{connection.security.value}"),
            language.say("scanner.passive.yes" if connection.passive else "scanner.passive.no"),
            connection.fingerprint if connection.security is Security.TLS else "",
        )
        return [(key, value) for key, value in zip(VALUES, told, strict=True) if value]


def qr_code(sheet: ScannerSheet, language: Language) -> str:
    """Return an SVG that a telephone reads as the lines of the sheet, to be copied from there; it takes no colours."""
    lines = [f"{language.say(f'scanner.value.{key}')}: {value}" for key, value in sheet.values(language)]
    code = segno.make("\n".join([f"{sheet.dossier} {sheet.name}", *lines]), error="m", micro=False)
    return code.svg_inline(
        scale=4, border=4, dark="#000", light="#fff", title=language.say("scanner.qr"), omitsize=True
    )


def canon_address_book(sheets: Sequence[ScannerSheet]) -> str:
    """Return a Canon device's address list with a destination for each sheet; CRLF, to be written as UTF-8."""
    if len(sheets) > _CANON_MOST:
        raise PermanentFailure("scanner.canon_too_many", most=_CANON_MOST)
    written = io.StringIO(newline="")
    written.writelines(f"{line}\r\n" for line in (*_CANON_HEAD, _CANON_HEADER))
    rows = csv.writer(written, lineterminator="\r\n")
    for index, sheet in enumerate(sheets, _CANON_FIRST_INDEX):
        row = _canon_row(index, sheet)
        rows.writerow([row.get(column, "") for column in _CANON_COLUMNS])
    return written.getvalue()


def _canon_row(index: int, sheet: ScannerSheet) -> dict[str, str]:
    connection = sheet.connection
    port = "" if connection.port == 21 else f":{connection.port}"
    name = f"{sheet.dossier} {sheet.name}"
    return _CANON_USUAL | {
        "cn": name[:_CANON_NAME],
        "cnread": name[:_CANON_NAME],
        "cnshort": sheet.dossier[:_CANON_SHORT],
        "indxid": str(index),
        "url": f"{connection.host}{port}",
        "path": sheet.folder,
        "username": connection.user,
        "pwd": connection.password,
    }
