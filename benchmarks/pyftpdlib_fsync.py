"""pyftpdlib as it comes, with the plain way to make its 226 durable; never used by Navette, only compared with it."""

import os
import sys
from pathlib import Path

from pyftpdlib.authorizers import DummyAuthorizer
from pyftpdlib.handlers import DTPHandler, FTPHandler
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
    """Serve: ROOT PORT FIRST-PASSIVE LAST-PASSIVE, with the login ``depot`` and the password ``depot``."""
    root, port, first, last = sys.argv[1], *map(int, sys.argv[2:5])
    users = DummyAuthorizer()
    users.add_user("depot", "depot", root, perm="elradfmwMT")
    FTPHandler.authorizer = users
    FTPHandler.dtp_handler = _Durable
    FTPHandler.passive_ports = range(first, last)
    FTPServer(("127.0.0.1", port), FTPHandler).serve_forever()


if __name__ == "__main__":
    main()
