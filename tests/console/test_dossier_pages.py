"""The pages of the dossiers: what an administrator changes there, what is refused beside its field, and for whom."""

import re
from pathlib import Path

import pytest
from console_site import Site, Visitor

from dossiers import addresses
from dossiers import dossier as dossiers
from dossiers.firm import Firm

CAFE = {
    "number": "000500",
    "name": "Café du Nord",
    "language": "fr",
    "folder": "{root}/{dossier}",
    "emails": "a@nord.be",
}


def test_dossiers_are_found_by_number_name_and_enterprise_number(anne: Visitor) -> None:
    """The list holds what a word finds, accents and capitals aside."""
    assert anne.get("/dossiers").text.count('href="/dossiers/') == 6
    for sought in ("CAFE", "000420"):
        shown = anne.get(f"/dossiers?q={sought}").text
        assert "Café du Midi" in shown
        assert "Garage Peeters" not in shown


def test_a_dossier_is_added_changed_archived_and_reopened(site: Site, anne: Visitor) -> None:
    """Each form does what the command does, and says so on the next page."""
    anne.get("/new-dossier")
    assert "000500" in anne.follow("/new-dossier", CAFE).text
    anne.get("/dossiers/000500")
    changed = CAFE | {"name": "Café du Sud", "enterprise": "BE 0202.239.951", "emails": "b@nord.be"}
    assert "Café du Sud" in anne.follow("/dossiers/000500", changed).text
    with Firm(site.home) as firm:
        kept = dossiers.find(firm, "000500")
        assert (kept.name, kept.enterprise) == ("Café du Sud", "0202239951")
        assert addresses.every(firm) == {"b@nord.be": "000500"}
    assert "archived" in anne.follow("/dossiers/000500/archive").text
    assert "Café du Sud" not in anne.get("/dossiers").text
    assert "Café du Sud" in anne.get("/dossiers?archived=yes").text
    anne.get("/dossiers/000500")
    anne.follow("/dossiers/000500/reopen")
    assert "Café du Sud" in anne.get("/dossiers").text


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"number": "no number!"}, "number"),
        ({"number": "000204"}, "number"),
        ({"name": ""}, "name"),
        ({"enterprise": "0202.239.950"}, "enterprise"),
        ({"folder": "{root}/../{dossier}"}, "folder"),
        ({"emails": "no address"}, "emails"),
    ],
)
def test_what_is_wrong_is_said_beside_its_field(site: Site, anne: Visitor, wrong: dict[str, str], field: str) -> None:
    """A refused form comes back with 422, the sentence at the field, and what was typed; nothing was kept."""
    anne.get("/new-dossier")
    answer = anne.post("/new-dossier", CAFE | wrong)
    assert answer.status == 422
    assert f'id="fault-{field}"' in answer.text
    if "name" not in wrong:
        assert "Café du Nord" in answer.text
    with Firm(site.home) as firm:
        assert len(dossiers.every(firm)) == 3


def test_a_target_folder_is_tried_and_left_as_it_was(site: Site, anne: Visitor, tmp_path: Path) -> None:
    """A folder that takes documents is said with its path; one that is away is said beside the field."""
    anne.get("/dossiers/000204")
    assert "Documents can go there" in anne.follow("/dossiers/000204/try").text
    away = tmp_path / "drive"
    with Firm(site.home) as firm:
        dossiers.change(firm, "000204", template=f"{away}/{{dossier}}")
    answer = anne.post("/dossiers/000204/try")
    assert answer.status == 422
    assert "delivery.folder_unreachable" in answer.text
    away.mkdir()
    anne.follow("/dossiers/000204/try")
    assert list(away.iterdir()) == []


def sent(table: str) -> tuple[bytes, dict[str, str]]:
    """Return a form with a file, as a browser sends it."""
    head = b'--x\r\nContent-Disposition: form-data; name="token"\r\n\r\n%s\r\n'
    file = b'--x\r\nContent-Disposition: form-data; name="file"; filename="t.csv"\r\n\r\n%s\r\n--x--\r\n'
    headers = {"Content-Type": "multipart/form-data; boundary=x", "Sec-Fetch-Site": "same-origin"}
    return head + file % table.encode(), headers


def test_a_table_is_shown_before_it_is_taken(site: Site, anne: Visitor) -> None:
    """The preview says what each line would do and keeps nothing; the second form does it."""
    token = re.search(r'name="token" value="(\w+)"', anne.get("/import-dossiers").text)
    assert token
    body, headers = sent("number;name;enterprise\n000204;Boulangerie Neuve;\n000501;;\n000500;Café;0202.239.951\n")
    shown = anne.ask("POST", "/import-dossiers", body % token[1].encode(), headers)
    assert shown.status == 200
    assert "1 to add, 1 to change, 0 unchanged, 1 refused." in shown.text
    assert "dossier.bad_name" in shown.text
    with Firm(site.home) as firm:
        assert len(dossiers.every(firm)) == 3
    table = re.search(r'name="table" value="([^"]+)"', shown.text)
    assert table
    assert "1 added, 1 changed, 1 refused" in anne.follow("/import-dossiers", {"table": table[1]}).text
    with Firm(site.home) as firm:
        assert dossiers.find(firm, "000204").name == "Boulangerie Neuve"
        assert dossiers.find(firm, "000500").enterprise == "0202239951"


def test_a_file_that_is_no_table_is_refused_beside_its_field(anne: Visitor) -> None:
    """An empty table, or none, has a sentence."""
    token = re.search(r'name="token" value="(\w+)"', anne.get("/import-dossiers").text)
    assert token
    body, headers = sent("")
    answer = anne.ask("POST", "/import-dossiers", body % token[1].encode(), headers)
    assert answer.status == 422
    assert 'id="fault-file"' in answer.text
    assert anne.post("/import-dossiers", {"table": "no base64!"}).status == 403


@pytest.mark.parametrize("name", ["bram", "dirk"])
@pytest.mark.parametrize(
    "path", ["/dossiers", "/dossiers/000204", "/new-dossier", "/import-dossiers", "/ftp", "/service"]
)
def test_settings_are_the_administrators(site: Site, name: str, path: str) -> None:
    """Accountants and readers open none of the settings pages."""
    assert site.signed_in(name).get(path).status == 403
