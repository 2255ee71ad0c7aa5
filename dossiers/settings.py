"""The firm's settings, each declared once, and their values in the database; never keeps a secret unsealed."""

import re
from collections.abc import Mapping
from datetime import date

from sqlalchemy import Connection, delete, insert, select

from dossiers import tables
from dossiers.database import Database, take_turn
from dossiers.sealing import Seal
from transfer.accounts import fiduciary_number
from transfer.failures import PermanentFailure
from transfer.language import LANGUAGES
from transfer.setting import Kind, Setting

SETTINGS: tuple[Setting, ...] = (
    Setting("fiduciary.number", Kind.TEXT, "", "firm"),
    Setting("fiduciary.name", Kind.TEXT, "", "firm"),
    Setting("fiduciary.language", Kind.TEXT, "fr", "firm"),
    Setting("dossiers.root", Kind.TEXT, "", "firm"),
    Setting("ftp.host", Kind.TEXT, "", "ftp"),
    Setting("ftp.port", Kind.NUMBER, "21", "ftp"),
    Setting("ftp.security", Kind.TEXT, "tls", "ftp"),
    Setting("ftp.fingerprint", Kind.TEXT, "", "ftp"),
    Setting("ftp.passive", Kind.SWITCH, "yes", "ftp"),
    Setting("ftp.read_user", Kind.TEXT, "", "ftp"),
    Setting("ftp.read_password", Kind.TEXT, "", "ftp", secret=True),
    Setting("ftp.write_user", Kind.TEXT, "", "ftp"),
    Setting("ftp.write_password", Kind.TEXT, "", "ftp", secret=True),
    Setting("ftp.read_password_until", Kind.TEXT, "", "ftp"),
    Setting("ftp.nodes", Kind.TEXT, "", "ftp"),
    Setting("fetch.connections", Kind.NUMBER, "4", "ftp"),
    Setting("fetch.settle_seconds", Kind.NUMBER, "10", "ftp"),
    Setting("mail.kind", Kind.TEXT, "imap", "mail"),
    Setting("mail.host", Kind.TEXT, "", "mail"),
    Setting("mail.port", Kind.NUMBER, "993", "mail"),
    Setting("mail.security", Kind.TEXT, "tls", "mail"),
    Setting("mail.fingerprint", Kind.TEXT, "", "mail"),
    Setting("mail.authority", Kind.TEXT, "", "mail"),
    Setting("mail.user", Kind.TEXT, "", "mail"),
    Setting("mail.password", Kind.TEXT, "", "mail", secret=True),
    Setting("mail.password_until", Kind.TEXT, "", "mail"),
    Setting("mail.folder", Kind.TEXT, "INBOX", "mail"),
    Setting("mail.after", Kind.TEXT, "delete", "mail"),
    Setting("mail.move_to", Kind.TEXT, "Navette", "mail"),
    Setting("mail.keep_days", Kind.NUMBER, "30", "mail"),
    Setting("mail.address", Kind.TEXT, "", "mail"),
    Setting("mail.plus", Kind.SWITCH, "no", "mail"),
    Setting("service.machine", Kind.TEXT, "", "service"),
    Setting("service.start", Kind.TEXT, "automatic", "service"),
    Setting("service.minutes", Kind.NUMBER, "5", "service"),
    Setting("service.deadline_minutes", Kind.NUMBER, "60", "service"),
    Setting("service.paused", Kind.SWITCH, "no", "service"),
    Setting("service.ftp", Kind.SWITCH, "yes", "service"),
    Setting("service.mail", Kind.SWITCH, "no", "service"),
    Setting("service.scale", Kind.SWITCH, "no", "service"),
    Setting("alarms.mail_to", Kind.TEXT, "", "alarms"),
    Setting("alarms.mail_from", Kind.TEXT, "", "alarms"),
    Setting("alarms.smtp_host", Kind.TEXT, "", "alarms"),
    Setting("alarms.smtp_port", Kind.NUMBER, "587", "alarms"),
    Setting("alarms.smtp_security", Kind.TEXT, "starttls", "alarms"),
    Setting("alarms.smtp_user", Kind.TEXT, "", "alarms"),
    Setting("alarms.smtp_password", Kind.TEXT, "", "alarms", secret=True),
    Setting("alarms.webhook", Kind.TEXT, "", "alarms", secret=True),
    Setting("alarms.authority", Kind.TEXT, "", "alarms"),
    Setting("alarms.failing_rounds", Kind.NUMBER, "3", "alarms"),
    Setting("alarms.free_gib", Kind.NUMBER, "2", "alarms"),
    Setting("alarms.suspects", Kind.NUMBER, "1", "alarms"),
    Setting("alarms.waiting", Kind.NUMBER, "50", "alarms"),
    Setting("alarms.silent", Kind.SWITCH, "yes", "alarms"),
    Setting("alarms.days_before", Kind.NUMBER, "21", "alarms"),
    Setting("alarms.runner_minutes", Kind.NUMBER, "15", "alarms"),
    Setting("console.host", Kind.TEXT, "127.0.0.1", "console"),
    Setting("console.port", Kind.NUMBER, "8480", "console"),
    Setting("console.names", Kind.TEXT, "", "console"),
    Setting("console.certificate", Kind.TEXT, "", "console"),
    Setting("console.key", Kind.TEXT, "", "console"),
)

LIMITS: Mapping[str, tuple[int, int]] = {
    "ftp.port": (1, 65_535),
    "mail.port": (1, 65_535),
    "mail.keep_days": (1, 3650),
    "fetch.connections": (1, 16),
    "fetch.settle_seconds": (0, 60),
    "service.minutes": (1, 1440),
    "service.deadline_minutes": (1, 1440),
    "alarms.smtp_port": (1, 65_535),
    "alarms.failing_rounds": (0, 1000),
    "alarms.free_gib": (0, 100_000),
    "alarms.suspects": (0, 100_000),
    "alarms.waiting": (0, 1_000_000),
    "alarms.days_before": (0, 365),
    "alarms.runner_minutes": (0, 10_080),
    "console.port": (1, 65_535),
}
"""Lowest and highest value of each number."""

CHOICES: Mapping[str, tuple[str, ...]] = {
    "fiduciary.language": LANGUAGES,
    "ftp.security": ("tls", "none"),
    "mail.kind": ("imap", "pop3"),
    "mail.security": ("tls", "starttls", "none"),
    "mail.after": ("delete", "move", "keep"),
    "service.start": ("automatic", "manual"),
    "alarms.smtp_security": ("starttls", "tls", "none"),
}
"""The only values of the texts that are a choice."""

SWITCHES = ("service.ftp", "service.mail")
"""The settings that tick the sources of the service."""

PASSWORDS_UNTIL = ("ftp.read_password_until", "mail.password_until")
"""The settings that say until which day (YYYY-MM-DD) a password is valid."""

TURN = "settings"
"""Those who replace values take turns."""

_DECLARED = {setting.name: setting for setting in SETTINGS}
_LONGEST = 1000
_YES_NO = ("yes", "no")


class Settings:
    """Reads and writes the values; a name that is not declared is refused with ``setting.unknown``."""

    def __init__(self, database: Database, seal: Seal) -> None:
        self._database = database
        self._seal = seal

    def text(self, name: str) -> str:
        """Return a value as text, opened if it is a secret; the default where none was set."""
        setting = declared(name)
        with self._database.read() as connection:
            value = stored(connection, name)
        if value is None:
            return setting.default
        return self._seal.open(value) if setting.secret else value

    def number(self, name: str) -> int:
        """Return the value of a number."""
        return int(self.text(name))

    def switch(self, name: str) -> bool:
        """Return whether a switch is on."""
        return self.text(name) == "yes"

    def is_set(self, name: str) -> bool:
        """Tell whether a value was set: all that may be shown of a secret."""
        declared(name)
        with self._database.read() as connection:
            return stored(connection, name) is not None

    def set(self, name: str, value: str) -> None:
        """Check and keep a value; an empty one brings the default back. Refused with a ``setting.`` code."""
        setting = declared(name)
        if value:
            value = checked(setting, value)
            value = self._seal.seal(value) if setting.secret else value
        with self._database.write() as connection:
            store(connection, name, value)


def declared(name: str) -> Setting:
    """Return the setting of that name, or refuse it with ``setting.unknown``."""
    if name not in _DECLARED:
        raise PermanentFailure("setting.unknown", name=name[:64])
    return _DECLARED[name]


def checked(setting: Setting, value: str) -> str:
    """Return a value as it is kept; refuse one that the setting cannot have. A secret is never named in the refusal."""
    if len(value) > _LONGEST or any(ord(character) < 32 or ord(character) == 127 for character in value):
        raise PermanentFailure("setting.bad_text", name=setting.name)
    if setting.kind is Kind.NUMBER:
        lowest, highest = LIMITS[setting.name]
        if not re.fullmatch("[0-9]{1,9}", value) or not lowest <= int(value) <= highest:
            raise PermanentFailure("setting.bad_number", name=setting.name, lowest=lowest, highest=highest)
        return str(int(value))
    choices = _YES_NO if setting.kind is Kind.SWITCH else CHOICES.get(setting.name)
    if choices and value not in choices:
        raise PermanentFailure("setting.bad_choice", name=setting.name, choices=", ".join(choices))
    if setting.name in {"ftp.fingerprint", "mail.fingerprint"}:
        compact = value.replace(":", "").replace(" ", "").lower()
        if not re.fullmatch("[0-9a-f]{64}", compact):
            raise PermanentFailure("setting.bad_fingerprint", name=setting.name)
        return compact
    if setting.name == "ftp.nodes":
        for word in value.split():
            parsed_node(word)
        return " ".join(value.split())
    if setting.name in PASSWORDS_UNTIL:
        return _day(setting, value)
    return fiduciary_number(value) if setting.name == "fiduciary.number" else value


def parsed_node(word: str) -> tuple[str, int | None, str | None]:
    """Return host, port and fingerprint of ``host[:port][=fingerprint]``; ``setting.bad_node`` for anything else."""
    found = re.fullmatch(r"([A-Za-z0-9.-]{1,200})(?::([1-9][0-9]{0,4}))?(?:=([0-9a-f]{64}))?", word)
    if found is None or int(found[2] or 1) > 65_535:
        raise PermanentFailure("setting.bad_node", node=word[:80])
    return found[1].lower(), int(found[2]) if found[2] else None, found[3]


def _day(setting: Setting, value: str) -> str:
    try:
        return date.fromisoformat(value).isoformat()
    except ValueError:
        raise PermanentFailure("setting.bad_day", name=setting.name) from None


def stored(connection: Connection, name: str) -> str | None:
    """Return what the database keeps of a setting, sealed if it is a secret."""
    return connection.execute(select(tables.settings.c.value).where(tables.settings.c.name == name)).scalar()


def store(connection: Connection, name: str, value: str) -> None:
    """Replace what the database keeps of a setting; an empty value leaves nothing."""
    take_turn(connection, TURN)  # it may be there or not: two who replace it would both insert it
    connection.execute(delete(tables.settings).where(tables.settings.c.name == name))
    if value:
        connection.execute(insert(tables.settings).values(name=name, value=value))
