"""The unit that runs the firm's service under systemd: its file is sound, tight, and agrees with the service."""

import shutil
import subprocess
import sys
from configparser import ConfigParser
from pathlib import Path

import pytest
from product import ROOT

from dossiers import rounds

UNIT = ROOT / "packaging" / "systemd" / "navette-service.service"
EXPOSURE = 20  # tenths: what systemd calls OK ends at 4.9


def test_the_unit_says_what_the_service_needs() -> None:
    """It has no rights but to its own folder, is started anew, and has time to cut a round that hangs."""
    unit = ConfigParser(interpolation=None, strict=False, delimiters=("=",))
    unit.optionxform = str  # type: ignore[assignment,method-assign]
    unit.read(UNIT)
    said = dict(unit["Service"])
    assert (said["User"], said["CapabilityBoundingSet"]) == ("navette", "")
    assert "--home /var/lib/navette-firm service run" in said["ExecStart"]
    assert said["StateDirectory"] == "navette-firm"
    assert (said["Restart"], said["KillMode"], said["ProtectSystem"]) == ("always", "mixed", "strict")
    assert int(said["TimeoutStopSec"]) > rounds._GRACE + rounds._STOP_GRACE


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd is not installed")
def test_systemd_finds_no_fault_and_finds_it_tight(tmp_path: Path) -> None:
    """systemd understands every line, and what the service is exposed to stays below the limit by its own count."""
    copy = tmp_path / UNIT.name
    copy.write_text(UNIT.read_text().replace("/opt/navette/bin/navette", sys.executable))
    told = subprocess.run(["systemd-analyze", "verify", copy], capture_output=True, text=True, check=False)
    assert [line for line in (told.stdout + told.stderr).splitlines() if UNIT.name in line] == []
    command = ["systemd-analyze", "security", "--offline=true", f"--threshold={EXPOSURE}", "--no-pager", UNIT]
    told = subprocess.run(command, capture_output=True, text=True, check=False)
    assert told.returncode == 0, told.stdout[-200:] + told.stderr
