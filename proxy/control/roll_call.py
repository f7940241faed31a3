"""Which of the expected workers have reported since control began, and whether each has had a table.

Workers outlive control, and hold what it needs to know: counts that are not in the ledger yet, and perhaps a
trip that never got there. So what depends on that waits for them; not for ever, for one may be dead.
"""

import asyncio

PATIENCE = 2.0
"""Seconds. A worker tries to connect once a second at least."""


class RollCall:
    """`expected` workers, and those that reported. Patience begins with `begin`."""

    def __init__(self, expected: int) -> None:
        self._expected = expected
        self._reported: set[str] = set()
        self._complete = asyncio.Event()
        self.served = False
        """Whether every expected worker has had a table at one time."""

    def __repr__(self) -> str:
        state = "complete" if self._complete.is_set() else "waiting"
        return f"<RollCall {state}: {len(self._reported)} of {self._expected}>"

    def begin(self, patience: float = PATIENCE) -> None:
        """Begin to wait, for `patience` seconds at most: workers can connect from now on."""
        asyncio.get_running_loop().call_later(patience, self._complete.set)

    def reported(self, boot: str) -> None:
        """Record that this run of a worker has reported all that it counted."""
        self._reported.add(boot)
        if len(self._reported) >= self._expected:
            self._complete.set()

    def acknowledged(self, workers: int) -> None:
        """Record that so many workers use a table that they were sent."""
        self.served = self.served or workers >= self._expected

    async def called(self) -> None:
        """Wait until all have reported, or patience has ended."""
        await self._complete.wait()
