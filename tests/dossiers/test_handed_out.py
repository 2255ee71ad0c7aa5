"""Who was handed which login: kept, listed by dossier, and marked once it was taken back."""

from firm_rooms import Clock

from dossiers import dossier as dossiers
from dossiers import handed_out
from dossiers.firm import Firm
from dossiers.handed_out import Form


def test_what_was_handed_out_is_listed_with_who_and_when(firm: Firm, clock: Clock) -> None:
    """The latest comes first, and other dossiers' are not among them."""
    own, other = dossiers.find(firm, "000204"), dossiers.find(firm, "000205")
    handed_out.note(firm, own, "WRITE_570013_000204", Form.INI, by="marie", receiver="  Jean   Dupont ")
    clock.turn(minutes=5)
    handed_out.note(firm, own, "WRITE_570013_000204", Form.SHEET)
    handed_out.note(firm, other, "WRITE_570013", Form.KIT)
    listed = handed_out.of_dossier(firm, "000204")
    assert [(each.form, each.by, each.receiver) for each in listed] == [
        (Form.SHEET, "", ""),
        (Form.INI, "marie", "Jean Dupont"),
    ]
    assert listed[0].at == clock()


def test_revoking_marks_all_that_hold_the_old_password(firm: Firm, clock: Clock) -> None:
    """All with that login are marked once, those handed out afterwards hold the new password."""
    own = dossiers.find(firm, "000204")
    for form in (Form.INI, Form.KIT):
        handed_out.note(firm, own, "WRITE_570013_000204", form)
    handed_out.note(firm, own, "WRITE_570013", Form.INI)
    assert handed_out.revoke(firm, "WRITE_570013_000204", "marie") == 2
    assert handed_out.revoke(firm, "WRITE_570013_000204", "jan") == 0
    handed_out.note(firm, own, "WRITE_570013_000204", Form.INI)
    marked = [(each.login, each.revoked_by) for each in handed_out.of_dossier(firm, "000204") if each.revoked]
    assert marked == [("WRITE_570013_000204", "marie")] * 2
