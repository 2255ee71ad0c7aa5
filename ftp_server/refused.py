"""A refusal and its reply; never sends it."""

GONE = "550 There is no such file."
COLLECTED = "550 It was collected already."


class Refused(Exception):
    """A request that this account is refused; ``reply`` is what the session is told."""

    def __init__(self, reply: str) -> None:
        super().__init__(reply)
        self.reply = reply
