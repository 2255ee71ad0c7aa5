"""pyftpdlib as it comes, or with the plain way to make its 226 durable; never used by Navette itself."""

import argparse
import os
from pathlib import Path

from pyftpdlib.authorizers import DummyAuthorizer
from pyftpdlib.handlers import DTPHandler, FTPHandler, TLS_FTPHandler
from pyftpdlib.servers import FTPServer


class _Durable(DTPHandler):
    """Syncs the file and its folder where the file is closed, just before 226."""

    def close(self):
        if self.receive and self.file_obj is not None and not self.file_obj.closed:
            self.file_obj.flush()
            os.fsync(self.file_obj.fileno())
            folder = os.open(Path(self.file_obj.name).parent, os.O_RDONLY)
            os.fsync(folder)
            os.close(folder)
        super().close()


def main() -> None:
    """Serve with the login ``depot`` and the password ``depot``."""
    words = argparse.ArgumentParser()
    words.add_argument("root")
    words.add_argument("port", type=int)
    words.add_argument("passive", type=int, nargs=2, help="first port, and the one after the last")
    words.add_argument("--sync", action="store_true")
    words.add_argument("--certificate", help="serve FTPS with this certificate and key, in one PEM file")
    chosen = words.parse_args()
    users = DummyAuthorizer()
    users.add_user("depot", "depot", chosen.root, perm="elradfmwMT")
    handler = FTPHandler
    if chosen.certificate:
        handler = TLS_FTPHandler
        handler.certfile = chosen.certificate
    handler.authorizer = users
    handler.passive_ports = range(*chosen.passive)
    if chosen.sync:
        handler.dtp_handler = _Durable
    server = FTPServer(("127.0.0.1", chosen.port), handler, backlog=1024)
    server.max_cons = 20_000
    server.serve_forever()


if __name__ == "__main__":
    main()
