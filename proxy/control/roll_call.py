"""Who of the expected workers has been heard since control began.

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
        self._heard: set[str] = set()
        self._complete = asyncio.Event()

    def __repr__(self) -> str:
        state = "complete" if self._complete.is_set() else "waiting"
        return f"<RollCall {state}: {len(self._heard)} of {self._expected}>"

    def begin(self, patience: float = PATIENCE) -> None:
        """Workers can be heard from now on."""
        asyncio.get_running_loop().call_later(patience, self._complete.set)

    def heard(self, boot: str) -> None:
        """This run of a worker has told all that it counted."""
        self._heard.add(boot)
        if len(self._heard) >= self._expected:
            self._complete.set()

    async def called(self) -> None:
        """Wait until all were heard, or patience has ended."""
        await self._complete.wait()
