"""Makes a server's home folder for its user alone: clients' documents come to lie there; never changes an older one."""

from pathlib import Path

from transfer.durable import make_folder


def make_home(folder: Path) -> None:
    """Make the folder if it is missing, closed to all other users of the machine."""
    if not folder.exists():
        make_folder(folder)
        folder.chmod(0o700)
