"""A server that is frozen for a while, and a clock that jumps: nothing is lost, doubled or torn by either."""

import os
import signal
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from dialogue import logged_in
from navette_server import NavetteServer
from processes import descendants
from served import PDF, JumpingClock, serving
from waiting import until

DAY = 86_400.0


def test_frozen_while_it_receives(tmp_path: Path) -> None:
    """Frozen again and again, with documents at every stage of their reception, the server goes on where it was."""
    server = NavetteServer(tmp_path / "navette")
    server.add_accounts()
    server.start()
    wanted = {f"{n}-{k}.pdf": PDF + b"%% %d %d\n%%%%EOF\n" % (n, k) for n in range(6) for k in range(40)}

    def send(n: int) -> list[str]:
        with logged_in(server) as session:
            return [session.store(f"/frozen/{n}-{k}.pdf", wanted[f"{n}-{k}.pdf"])[:3] for k in range(40)]

    try:
        tree = [server.pid, *descendants(server.pid)]
        with ThreadPoolExecutor(6) as senders:
            under_way = [senders.submit(send, n) for n in range(6)]
            while not all(each.done() for each in under_way):
                for pid in tree:
                    os.kill(pid, signal.SIGSTOP)
                threading.Event().wait(0.4)
                for pid in tree:
                    os.kill(pid, signal.SIGCONT)
                threading.Event().wait(0.1)
            assert all(each.result() == ["226"] * 40 for each in under_way)
        assert server.published("frozen") == wanted
        until(lambda: server.rows("select count(*) from deposits") == [(len(wanted),)], 10, "the rows")
    finally:
        server.stop()


@pytest.mark.parametrize("jump", [365 * DAY, -365 * DAY, 3600.0, -3600.0])
def test_a_clock_that_jumps(tmp_path: Path, jump: float, caplog: pytest.LogCaptureFixture) -> None:
    """Documents that were sent, held and sent again around a jump are there once each, with their receipts."""
    clock = JumpingClock()
    with serving(tmp_path / "server", clock=clock) as served, logged_in(served) as session:
        assert session.store("before.pdf", PDF)[:3] == "226"
        assert session.store("held.tmp", PDF + b"\n")[:3] == "226"
        sock = session.data(session.passive())
        assert session.say("STOR during.pdf")[:3] == "150"
        sock.sendall(PDF)
        clock.ahead = jump
        sock.sendall(b"\n\n")
        sock.close()
        assert session.reply()[:3] == "226"
        assert session.say("RNFR held.tmp")[:3] == "350"
        assert session.say("RNTO held.pdf")[:3] == "250"
        if jump < DAY:  # a year later it is another document
            assert session.store("before.pdf", PDF)[:3] == "226"
        assert session.store("after.pdf", PDF)[:3] == "226"
        assert "Receipts" in session.say("SITE RECEIPT during.pdf")
        assert set(served.published()) == {"before.pdf", "during.pdf", "held.pdf", "after.pdf"}
        with served.collecting() as ftp:
            for name in ftp.nlst():
                ftp.delete(name)
        assert served.published() == {}
    assert "Traceback" not in caplog.text
