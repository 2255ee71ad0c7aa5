"""The waiting list: into a dossier and back, several at once, two people at once, refused, proposals."""

import re
import threading
from dataclasses import replace
from pathlib import Path

from console_site import Answer, Site, Visitor
from firm_rooms import desk, writing
from firm_side import FirmSide
from sample_documents import pdf

from dossiers.firm import Firm


def _numbers(page: str) -> dict[str, str]:
    """Return the documents of the list: name -> number."""
    return {name: number for number, name in re.findall(r'href="/waiting/(\d+)"[^>]*>\s*<b>([^<]+)</b>', page)}


def test_a_document_goes_into_a_dossier_and_the_next_one_opens(site: Site, anne: Visitor) -> None:
    """A few letters of the name are enough; the sentence says where it went, and undo brings it back."""
    numbers = _numbers(anne.get("/waiting").text)
    assert list(numbers) == ["scan 1.pdf", "scan 2.pdf", "scan 3.pdf"]
    after = anne.follow(f"/waiting/{numbers['scan 1.pdf']}/assign", {"dossier": "peet"})
    assert '"scan 1.pdf" is in 000317 Garage Peeters.' in after.text
    assert list(_numbers(after.text)) == ["scan 2.pdf", "scan 3.pdf"]
    firm = FirmSide(site.home)
    assert "scan 1.pdf" in firm.documents("000317")
    back = anne.follow("/waiting/undo", {"document": [numbers["scan 1.pdf"]]})
    assert "scan 1.pdf" in _numbers(back.text)
    assert "scan 1.pdf" not in firm.documents("000317")
    assert "scan 1.pdf" in firm.waiting_documents()


def test_a_dossier_that_nobody_can_tell_is_said_beside_the_field(anne: Visitor) -> None:
    """Nothing moves; what was typed stays."""
    numbers = _numbers(anne.get("/waiting").text)
    answer = anne.post(f"/waiting/{numbers['scan 1.pdf']}/assign", {"dossier": "a"})
    assert answer.status == 422
    assert 'id="fault-dossier"' in answer.text
    assert 'value="a"' in answer.text
    assert len(_numbers(anne.get("/waiting").text)) == 3


def test_several_go_at_once(site: Site, anne: Visitor) -> None:
    """Those ticked go with the one that is open."""
    numbers = _numbers(anne.get("/waiting").text)
    also = [numbers["scan 2.pdf"], numbers["scan 3.pdf"]]
    after = anne.follow(f"/waiting/{numbers['scan 1.pdf']}/assign", {"dossier": "000204", "also": also})
    assert "3 documents are in 000204 Boulangerie Martin." in after.text
    assert "Nothing waits" in after.text
    assert {"scan 1.pdf", "scan 2.pdf", "scan 3.pdf"} <= FirmSide(site.home).documents("000204").keys()


def test_the_slower_of_two_people_is_told_who_was_faster(site: Site, anne: Visitor) -> None:
    """Both post at the same moment: one files it, the other gets a calm page with status 409, and it lies once."""
    bram = site.signed_in("bram")
    number = _numbers(anne.get("/waiting").text)["scan 1.pdf"]
    bram.get("/waiting")
    answers: list[Answer] = []
    start = threading.Barrier(2)

    def assign(who: Visitor, dossier: str) -> None:
        start.wait()
        answers.append(who.post(f"/waiting/{number}/assign", {"dossier": dossier}))

    threads = [
        threading.Thread(target=assign, args=(anne, "000204")),
        threading.Thread(target=assign, args=(bram, "000317")),
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answer.status for answer in answers) == [303, 409]
    slower = next(answer for answer in answers if answer.status == 409)
    assert "A colleague was faster" in slower.text
    assert 'autofocus value=""' in slower.text, "what was typed for one document is never there for the next"
    firm = FirmSide(site.home)
    lying = [number for number in ("000204", "000317") if "scan 1.pdf" in firm.documents(number)]
    assert len(lying) == 1


def test_a_refused_document_is_kept_and_comes_back(site: Site, anne: Visitor) -> None:
    """It leaves the list, stays in the waiting folder, and can be put back."""
    number = _numbers(anne.get("/waiting").text)["scan 1.pdf"]
    after = anne.follow(f"/waiting/{number}/refuse", {"remark": "publicity"})
    assert "scan 1.pdf" not in _numbers(after.text)
    assert "scan 1.pdf" in FirmSide(site.home).waiting_documents()
    assert "scan 1.pdf" in anne.get("/waiting/refused").text
    assert "publicity" in anne.get(f"/documents/{number}").text
    assert "scan 1.pdf" in _numbers(anne.follow(f"/waiting/{number}/readmit").text)


def test_a_dossier_is_proposed_with_its_reason(anne: Visitor) -> None:
    """The name of a dossier in the text of the document speaks for it; Enter alone takes what is proposed."""
    number = _numbers(anne.get("/waiting").text)["scan 3.pdf"]
    proposed = anne.get(f"/waiting/{number}/suggestion").text
    assert "000204 Boulangerie Martin" in proposed
    assert 'name="suggested" value="000204"' in proposed
    after = anne.follow(f"/waiting/{number}/assign", {"dossier": "", "suggested": "000204"})
    assert "000204 Boulangerie Martin" in after.text


def test_always_this_sender_is_proposed_as_a_rule(home: Path, site: Site, anne: Visitor) -> None:
    """A mail's sender can be given a rule: the page shows what it would have caught, and keeps it only when told."""
    content = pdf("release")
    with Firm(home) as firm, desk(firm) as work:
        arrival = replace(work.arrival("release.pdf", content, None), origin="mail", sender="compta@martin.be")
        (document,) = work.delivery.discover([arrival], {})
        work.delivery.store([work.delivery.receive(document, arrival, writing(content))])
    number = document.id
    anne.get(f"/waiting/{number}")
    answer = anne.post(f"/waiting/{number}/assign", {"dossier": "000204", "always": "yes"})
    assert answer.place.startswith("/waiting/rule?")
    page = anne.get(answer.place).text
    assert "whatever compta@martin.be sends goes to dossier 000204 Boulangerie Martin" in page
    assert "release.pdf" in page
    after = anne.follow("/waiting/rule", {"document": str(number), "dossier": "000204"})
    assert "From now on, compta@martin.be goes to 000204" in after.text
