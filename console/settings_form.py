"""Takes declared settings from a form: all are checked before any is kept; never gives a secret to a browser."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from starlette.responses import Response

from console.form import Form
from console.visit import Visit
from dossiers.firm import Firm
from dossiers.settings import CHOICES, checked, declared
from transfer.failures import Failure, PermanentFailure
from transfer.setting import Kind, Setting


@dataclass(frozen=True)
class Shown:
    """A setting as a form shows it; ``value`` is empty for a secret, ``is_set`` tells that there is one."""

    setting: Setting
    value: str
    is_set: bool
    choices: Sequence[str]


def shown(firm: Firm, names: Sequence[str], typed: Mapping[str, str] | None = None) -> dict[str, Shown]:
    """Return settings for a form, with what was typed where a form comes back."""
    return {name: _shown(firm, declared(name), typed) for name in names}


def typed(form: Form, names: Sequence[str]) -> dict[str, str]:
    """Return what a form says of these settings, as they are kept; a secret that was left empty is not among them."""
    said = {}
    for name in names:
        setting = declared(name)
        if setting.kind is Kind.SWITCH:
            said[name] = "yes" if form.ticked(name) else "no"
        elif not setting.secret:
            said[name] = form.text(name)
        elif form.raw(name):
            said[name] = form.raw(name)
    return said


def faults(said: Mapping[str, str]) -> dict[str, PermanentFailure]:
    """Return what is wrong with each value."""
    found = {}
    for name, value in said.items():
        try:
            if value:
                checked(declared(name), value)
        except PermanentFailure as failure:
            found[name] = failure
    return found


def keep(firm: Firm, said: Mapping[str, str]) -> list[str]:
    """Keep values that have no faults; return the names of those that changed."""
    changed = []
    for name, value in said.items():
        before: Any = firm.settings.text(name)
        firm.settings.set(name, value)
        if firm.settings.text(name) != before:
            changed.append(name)
    return changed


Show = Callable[[Visit, int, Mapping[str, str], Mapping[str, Failure]], Response]
"""Shows a page again: its status, what was typed, and what is wrong with it by setting."""


def take(visit: Visit, names: Sequence[str], deed: str, show: Show) -> Response:
    """Keep what a form says, with a note of the ``deed`` if something changed, or show it again with what is wrong."""
    said = typed(visit.form, names)
    wrong = faults(said)
    if wrong:
        return show(visit, 422, said, wrong)
    changed = keep(visit.firm, said)
    if changed:
        visit.note(deed, " ".join(changed))
    return visit.done(visit.path, "console.kept")


def _shown(firm: Firm, setting: Setting, typed: Mapping[str, str] | None) -> Shown:
    is_set = firm.settings.is_set(setting.name)
    if setting.secret:
        return Shown(setting, "", is_set, ())
    value = firm.settings.text(setting.name) if typed is None else typed.get(setting.name, "")
    return Shown(setting, value, is_set, CHOICES.get(setting.name, ()))
