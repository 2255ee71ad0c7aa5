"""The pages people work in: today, documents, a document's life."""

from console_site import Site, Visitor
from waiting import until


def _link(page: str, name: str) -> str:
    """Return where the link with this text leads."""
    return page.partition(f'">{name}</a>')[0].rpartition('href="')[2]


def test_today_counts_what_came_what_waits_and_what_is_ready(anne: Visitor) -> None:
    """Six documents came by FTP; three are filed and ready, three wait; the banner says so too."""
    page = anne.get("/").text
    assert "<b>6</b>received by FTP today" in page
    assert "3 filed, 3 waiting, 0 under way" in page
    assert "<b>3</b>to be filed" in page
    assert "<b>3</b>to be processed" in page
    assert "3 documents wait for a dossier" in page
    assert 'class="ftp"' in page


def test_documents_are_listed_by_dossier_and_marked_as_processed(anne: Visitor) -> None:
    """What is marked leaves the list of what is ready, and can be put back."""
    page = anne.get("/documents?dossier=000204")
    assert "facture-0815.pdf" in page.text
    assert "garage mars.pdf" not in page.text
    number = _link(page.text, "ticket.pdf").rpartition("/")[2]
    after = anne.follow("/documents", {"document": [number], "mark": "processed", "back": "/documents"})
    assert "Marked as processed: 1." in after.text
    assert "ticket.pdf" not in after.text
    assert "ticket.pdf" in anne.get("/documents?state=processed").text
    again = anne.follow("/documents", {"document": [number], "mark": "unprocessed", "back": "/documents"})
    assert "ticket.pdf" in again.text


def test_a_document_tells_its_whole_life_and_hands_out_its_bytes(anne: Visitor) -> None:
    """The page has each step and the hash; the original opens in the viewer, the download is a file."""
    path = _link(anne.get("/documents").text, "ticket.pdf")
    page = anne.get(path).text
    assert "stored" in page
    assert "SHA-256" in page
    original = anne.get(f"{path}/original")
    assert original.headers["content-type"] == "application/pdf"
    assert original.headers["content-disposition"].startswith("inline")
    assert original.body.startswith(b"%PDF")
    download = anne.get(f"{path}/download")
    assert download.headers["content-disposition"].startswith("attachment")
    assert download.body == original.body
    picture = anne.get(f"{path}/pages/1")
    assert picture.headers["content-type"] == "image/webp"
    assert picture.body[:4] == b"RIFF"


def test_documents_are_found_by_name_and_by_words_of_their_text(site: Site, anne: Visitor) -> None:
    """Each word typed may be the beginning of one; what another dossier has is not shown to who may not see it."""
    until(lambda: "ticket.pdf" in anne.get("/documents?q=tick").text, 60, "the search to know the name")
    found = anne.get("/documents?q=garage+000317").text  # "garage mars.pdf for 000317" stands in the document itself
    assert "garage mars.pdf" in found
    assert "ticket.pdf" not in found
    assert "garage mars.pdf" not in site.signed_in("chloe").get("/documents?q=garage").text


def test_a_round_is_asked_for_from_the_page(site: Site, anne: Visitor) -> None:
    """The button leaves the service the same word as the command line does."""
    anne.get("/")
    assert "at once" in anne.follow("/fetch").text
    assert "asked for a round" in anne.get("/deeds").text
