"""The unit that runs the server under systemd: its file is sound, tight, and agrees with the server."""

import shutil
import subprocess
import sys
from configparser import ConfigParser
from pathlib import Path

import pytest
from product import ROOT

from ftp_server import prefork

UNIT = ROOT / "packaging" / "systemd" / "navette-server.service"
EXPOSURE = 20  # tenths: what systemd calls OK ends at 4.9

analyze = pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd is not installed")


def service() -> dict[str, str]:
    """Return what the unit says about the service; of a setting that is given twice, the last."""
    unit = ConfigParser(interpolation=None, strict=False, delimiters=("=",))
    unit.optionxform = str  # type: ignore[assignment,method-assign]
    unit.read(UNIT)
    return dict(unit["Service"])


def test_the_unit_says_what_the_server_needs() -> None:
    """The service may open port 21 and write its own folder, is reloaded by SIGHUP, and is given time to stop."""
    said = service()
    assert said["User"] != "root"
    assert said["CapabilityBoundingSet"] == said["AmbientCapabilities"] == "CAP_NET_BIND_SERVICE"
    assert said["StateDirectory"] == "navette"
    assert "--home /var/lib/navette server run" in said["ExecStart"]
    assert said["ExecReload"] == "/bin/kill -HUP $MAINPID"
    assert (said["Restart"], said["KillMode"], said["LimitNOFILE"]) == ("always", "mixed", "65536")
    assert int(said["TimeoutStopSec"]) > prefork._LAST
    assert {said[key] for key in ("NoNewPrivileges", "PrivateTmp", "ProtectHome", "MemoryDenyWriteExecute")} == {"yes"}
    assert said["ProtectSystem"] == "strict"
    assert set(said["RestrictAddressFamilies"].split()) == {"AF_INET", "AF_INET6", "AF_UNIX"}


@analyze
def test_systemd_finds_no_fault(tmp_path: Path) -> None:
    """systemd understands every line of the unit."""
    copy = tmp_path / UNIT.name
    copy.write_text(UNIT.read_text().replace("/opt/navette/bin/navette", sys.executable))
    told = subprocess.run(["systemd-analyze", "verify", copy], capture_output=True, text=True, check=False)
    assert [line for line in (told.stdout + told.stderr).splitlines() if UNIT.name in line] == []
    assert told.returncode == 0


@analyze
def test_systemd_finds_it_tight() -> None:
    """What the service is exposed to stays below the limit by systemd's own count."""
    command = ["systemd-analyze", "security", "--offline=true", f"--threshold={EXPOSURE}", "--no-pager", UNIT]
    told = subprocess.run(command, capture_output=True, text=True, check=False)
    assert told.returncode == 0, told.stdout[-200:] + told.stderr
