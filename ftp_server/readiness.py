"""Waits until sockets can be read or written, however high their numbers; never reads or writes one."""

import select
from collections.abc import Iterable


def wait_for(*, reading: Iterable[int] = (), writing: Iterable[int] = (), seconds: float) -> set[int]:
    """Return those of some sockets (by number) that became ready within so many seconds; a broken one is ready too."""
    if not hasattr(select, "poll"):
        return {fd for ready in select.select(reading, writing, [], seconds) for fd in ready}
    poll = select.poll()  # select() cannot look at numbers above 1,023
    for fd in reading:
        poll.register(fd, select.POLLIN)
    for fd in writing:
        poll.register(fd, select.POLLOUT)
    return {fd for fd, _ in poll.poll(seconds * 1000)}
