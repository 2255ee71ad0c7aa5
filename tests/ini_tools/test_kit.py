"""The kit a client is handed, as a zip on the disk; the tests of the packed programs unpack and start one."""

import stat
import zipfile
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest

from ini_tools.generator import write_ini
from ini_tools.instructions import page
from ini_tools.kit import write_kit
from navette.cli import main
from transfer.client_ini import AfterUpload, ClientIni, Connection, interpret, sections
from transfer.failures import PermanentFailure
from transfer.language import LANGUAGES

PASSWORD = "Geheim-4711"
CONNECTION = Connection("ftp.example.be", 21, "WRITE_570013", PASSWORD)
INI = ClientIni(CONNECTION, "/000204", "000204", "Boulangerie Dupont", "570013")
SMARTSCREEN = {"fr": "Exécuter quand même", "nl": "Toch uitvoeren", "en": "Run anyway"}


@pytest.fixture
def program(tmp_path: Path) -> Path:
    """A folder as it is packed for Windows: what is double-clicked, and what it needs."""
    folder = tmp_path / "program"
    (folder / "_internal" / "tcl").mkdir(parents=True)
    (folder / "uploader.exe").write_bytes(b"MZ program")
    (folder / "_internal" / "python311.dll").write_bytes(b"MZ library")
    (folder / "_internal" / "tcl" / "init.tcl").write_text("# start")
    return folder


def contents(kit: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(kit) as unpacked:
        assert unpacked.testzip() is None
        return {name: unpacked.read(name) for name in unpacked.namelist()}


def test_a_kit_holds_program_ini_and_instructions(program: Path, tmp_path: Path) -> None:
    """All lies in one folder that is named after the dossier, the INI beside what is double-clicked."""
    kit = write_kit(INI, program, tmp_path / "out", "Fiduciaire Exemple")
    assert kit == tmp_path / "out" / "Navette-000204.zip"
    held = contents(kit)
    assert sorted(held) == [
        "Navette-000204/LISEZ-MOI.html",
        "Navette-000204/_internal/python311.dll",
        "Navette-000204/_internal/tcl/init.tcl",
        "Navette-000204/envoi.ini",
        "Navette-000204/uploader.exe",
    ]
    assert held["Navette-000204/uploader.exe"] == b"MZ program"
    assert interpret(sections(held["Navette-000204/envoi.ini"], "envoi.ini"), "envoi.ini") == INI
    assert "Fiduciaire Exemple" in held["Navette-000204/LISEZ-MOI.html"].decode()
    assert stat.S_IMODE(kit.stat().st_mode) == 0o600
    assert [path.name for path in kit.parent.iterdir()] == [kit.name]


def test_one_file_is_enough(program: Path, tmp_path: Path) -> None:
    """The portable program, or the setup, makes a kit of three files."""
    kit = write_kit(INI, program / "uploader.exe", tmp_path)
    assert sorted(contents(kit)) == [
        f"Navette-000204/{name}" for name in ("LISEZ-MOI.html", "envoi.ini", "uploader.exe")
    ]


def test_what_was_changed_by_hand_is_handed_out(program: Path, tmp_path: Path) -> None:
    """An INI of the dossier that lies beside the kit is taken along with its choices, and stays as it is."""
    own = write_ini(replace(INI, language="nl", after_upload=AfterUpload.KEEP), tmp_path)
    own.write_bytes(own.read_bytes() + b"; added by hand\r\n")
    before = own.read_bytes()
    held = contents(write_kit(INI, program, tmp_path))
    assert b"added by hand" in held["Navette-000204/envoi.ini"]
    assert "Verzonden" in held["Navette-000204/LEESMIJ.html"].decode()
    assert own.read_bytes() == before


def test_nothing_of_another_client_is_ever_handed_out(program: Path, tmp_path: Path) -> None:
    """INI files and kits that were left beside the program, or are written there, stay out of every other kit."""
    other = replace(INI, dossier="000377", dossier_name="Garage Peeters")
    write_ini(other, program, "envoi.ini")
    write_ini(other, program)
    write_kit(other, program, program)
    write_kit(other, program, program / "kits")
    held = contents(write_kit(INI, program, tmp_path / "out"))
    assert sorted(name.partition("/")[2] for name in held) == [
        "LISEZ-MOI.html",
        "_internal/python311.dll",
        "_internal/tcl/init.tcl",
        "envoi.ini",
        "uploader.exe",
    ]
    assert b"Peeters" not in b"".join(held.values())


@pytest.mark.parametrize("wrong", ["missing", "empty", "two", "text"])
def test_a_kit_without_something_to_double_click_is_refused(program: Path, tmp_path: Path, wrong: str) -> None:
    """Nothing, two programs or a mere text are refused, and no zip is written."""
    if wrong == "two":
        (program / "other.exe").touch()
    elif wrong == "text":
        program = program / "_internal" / "tcl" / "init.tcl"
    else:
        program = tmp_path / wrong
        if wrong == "empty":
            program.mkdir()
    with pytest.raises(PermanentFailure, match="kit.no_program"):
        write_kit(INI, program, tmp_path / "out")
    assert not (tmp_path / "out").exists()


class Page(HTMLParser):
    """Checks that a page closes what it opens, and keeps its words."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.words, self.language, self.open = "", "", ["page"]
        self.feed(text)
        assert self.open == ["page"]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.language = dict(attrs).get("lang") or self.language
        if tag != "meta":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words += data


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("after", AfterUpload)
def test_the_page_speaks_the_clients_language(language: str, after: AfterUpload) -> None:
    """It says what to click, Windows' first question, and what becomes of files; never the password."""
    ini = replace(INI, language=language, after_upload=after, dossier_name="Dupont & <Fils>")
    shown = Page(page(ini, "Fiduciaire & Cie", "uploader.exe"))
    assert shown.language == language
    for word in ("Fiduciaire & Cie", "000204", "Dupont & <Fils>", "uploader.exe", SMARTSCREEN[language]):
        assert word in shown.words
    assert PASSWORD not in shown.words
    assert "kit." not in shown.words
    assert SMARTSCREEN[language] not in Page(page(ini, "Fiduciaire & Cie", "uploader")).words


def test_the_command_makes_a_kit(program: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """``navette kit`` takes the firm's settings, and the program from the home unless another is named."""
    home = ["--home", str(tmp_path), "--language", "fr"]
    settings = {"fiduciary.number": "570013", "ftp.host": "ftp.example.be", "ftp.write_password": PASSWORD}
    for name, value in settings.items():
        assert main([*home, "settings", "set", name, value]) == 0
    assert main([*home, "dossier", "add", "000204", "Boulangerie Dupont", "--language", "nl"]) == 0
    capsys.readouterr()
    for words, page_name in ([], "LEESMIJ.html"), (["--language", "en", "--program", str(program)], "README.html"):
        assert main([*home, "kit", "000204", "--to", str(tmp_path / "out"), *words]) == 0
        shown = capsys.readouterr()
        assert str(tmp_path / "out" / "Navette-000204.zip") in shown.out
        assert PASSWORD not in shown.out + shown.err
        assert f"Navette-000204/{page_name}" in contents(tmp_path / "out" / "Navette-000204.zip")
    (program / "uploader.exe").unlink()
    assert main([*home, "kit", "000204", "--to", str(tmp_path / "out")]) == 2
    assert "[kit.no_program]" in capsys.readouterr().err
