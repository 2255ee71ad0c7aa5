"""Measures what the firm's service takes while nothing comes: memory and processor time; never a test.

Run it as ``python -m benchmarks.service [--seconds N]``.
"""

import argparse
import signal
import time

from firm_side import FirmSide
from navette_server import FIDUCIARY, NAVETTE, ROOT, NavetteServer
from processes import cpu_seconds, end, started
from waiting import until

from benchmarks.disk import working_folder
from benchmarks.tree import memory
from dossiers.firm import Firm
from dossiers.rounds import statuses

_MIB = 1024 * 1024


def main() -> None:
    """Let the service run beside an empty server, with a round a minute, and print what it took."""
    words = argparse.ArgumentParser(prog="python -m benchmarks.service")
    words.add_argument("--seconds", type=float, default=120)
    seconds = words.parse_args().seconds
    with working_folder() as folder:
        server = NavetteServer(folder / "navette")
        server.add_accounts()
        server.start()
        firm = FirmSide(folder / "firm")
        firm.add_dossier("000204", "Boulangerie Dupont")
        firm.collect_from(server.connection(f"READ_{FIDUCIARY}"), service__minutes="1")
        service = started([*NAVETTE, "--home", firm.home, "service", "run"], folder / "service.log", cwd=ROOT)
        try:
            with Firm(firm.home) as opened:
                until(lambda: any(status.ended for status in statuses(opened)), 60, "the first round")
            time.sleep(5)  # what a start leaves to do is not idleness
            before = cpu_seconds(service.pid)
            time.sleep(seconds)
            used = cpu_seconds(service.pid) - before
            held = memory(service.pid)
        finally:
            end(service, signal.SIGTERM)
            server.stop()
    print(f"idle service, {seconds:.0f} s: {held / _MIB:.0f} MiB, {100 * used / seconds:.2f} % of a processor")


if __name__ == "__main__":
    main()
