"""A pytest plugin: runs pyftpdlib's own functional tests against Navette's server; never changes one of them.

``make conformance`` fetches the tests of the installed version beside this plugin's virtual environment. Those that
must differ stand in docs/conformance.md with their reason: each of them has to differ, and every other has to pass.
"""

import os
import re
import shutil
import sys
import threading
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FETCHED = Path(os.environ.get("PYFTPDLIB_TESTS") or ROOT / ".venv" / "conformance")
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "support"), str(FETCHED / "lib")]

from served import FIDUCIARY  # noqa: E402

import ftp_server.login  # noqa: E402
from ftp_server.server import Server, ServerSettings  # noqa: E402

ftp_server.login._FAILED_PAUSE = 0.01
SUITE = FETCHED / f"pyftpdlib-{version('pyftpdlib')}"
LOGIN = f"WRITE_{FIDUCIARY}"
_ROW = re.compile(r"^\| `([\w.*]+)` \| (.+?) \|$", re.MULTILINE)

differing = dict(_ROW.findall((ROOT / "docs" / "conformance.md").read_text(encoding="utf-8")))
"""``Class.test``, or ``Class.*`` for a class that is left out as a whole -> why."""


class NavetteServer:
    """Stands where the suite starts a server of pyftpdlib's: one of ours, in a home of its own."""

    template: Path
    homes = 0

    def __init__(self, address: tuple[str, int] | None = None) -> None:
        NavetteServer.homes += 1
        self._home = self.template.parent / f"home-{NavetteServer.homes}"
        shutil.copytree(self.template, self._home)
        host, port = address or ("127.0.0.1", 0)
        self._server = Server(ServerSettings(self._home, host=host, port=port, safe=("127.0.0.0/8", "::1/128")))
        self.host, self.port = self._server.address
        self._thread = threading.Thread(target=self._server.run, daemon=True)

    def start(self) -> None:
        """Begin to serve."""
        self._thread.start()

    def stop(self) -> None:
        """Stop serving, and forget what was stored."""
        self._server.stop()
        self._thread.join(60)
        shutil.rmtree(self._home)


@pytest.hookimpl(tryfirst=True)
def pytest_sessionstart(session: pytest.Session) -> None:
    """Put our server, and the login of a WRITE account, where the suite looks for its own."""
    sys.path.insert(0, str(SUITE))
    import tests

    folder = Path(session.config._tmp_path_factory.mktemp("conformance"))  # type: ignore[attr-defined]
    NavetteServer.template = folder / "template"
    made = Server(ServerSettings(NavetteServer.template, port=0))
    passwords = made.accounts.add_fiduciary(FIDUCIARY)
    running = threading.Thread(target=made.run)
    running.start()
    made.stop()
    running.join()
    tests.USER, tests.PASSWD = LOGIN, passwords[LOGIN]
    tests.FtpdThreadWrapper = tests.FtpdMultiprocWrapper = NavetteServer


def _name(item: pytest.Item) -> str:
    return ".".join(item.nodeid.split("::")[1:])


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave the classes out that the table leaves out, expect the other rows to differ, and refuse rows of nothing."""
    names = {_name(item) for item in items}
    known = names | {name.partition(".")[0] + ".*" for name in names}
    if unknown := set(differing) - known:
        raise pytest.UsageError(f"docs/conformance.md tells of tests that are not there: {sorted(unknown)}")
    left_out = [item for item in items if _name(item).partition(".")[0] + ".*" in differing]
    config.hook.pytest_deselected(items=left_out)
    items[:] = [item for item in items if item not in left_out]
    for item in items:
        if reason := differing.get(_name(item)):
            item.add_marker(pytest.mark.xfail(reason=reason, strict=True))


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    """Count a test that skips itself as failed, unless the table says why it may."""
    outcome = yield
    report = outcome.get_result()  # type: ignore[attr-defined]
    if report.skipped and not hasattr(report, "wasxfail") and _name(item) not in differing:
        report.outcome = "failed"
