"""Looks at the memory of a server's whole process tree; never at that of the load."""

from dataclasses import dataclass
from pathlib import Path

from processes import descendants

_KIB = 1024


def memory(pid: int) -> int:
    """Return the bytes a process and those below it hold; what several share counts once (PSS)."""
    return sum(_field(number, "smaps_rollup", "Pss:") for number in (pid, *descendants(pid)))


@dataclass(frozen=True)
class Growth:
    """How far the memory of a process tree grows, at most, from a moment on; a process that ends is left out."""

    before: dict[int, int]

    @classmethod
    def of(cls, pid: int) -> "Growth":
        """Begin to look."""
        tree = (pid, *descendants(pid))
        for number in tree:
            Path(f"/proc/{number}/clear_refs").write_text("5")  # forget the highest size so far
        return cls({number: _field(number, "status", "VmRSS:") for number in tree})

    def bytes(self) -> int:
        """Return the sum of how much each process was at most above its size at the beginning."""
        return sum(max(0, _field(number, "status", "VmHWM:") - size) for number, size in self.before.items())


def _field(pid: int, file: str, name: str) -> int:
    """Return a figure of /proc in bytes; 0 for a process that has ended."""
    try:
        lines = Path(f"/proc/{pid}/{file}").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) * _KIB for line in lines if line.startswith(name)), 0)
