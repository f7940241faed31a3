"""Renewing certificates when the supervisor asks for it. What is no good is logged, and changes nothing."""

import asyncio
import logging
from collections.abc import Awaitable, Sequence

from proxy.tls.certificates import Certificates, renew
from proxy.tls.pem import Unusable
from proxy.tls.trusts import Trusts

log = logging.getLogger(__name__)


class Renewal:
    """The certificates of one worker.

    Args:
        certificates: those of its listeners.
        trusts: the certificates of connections to endpoints.
    """

    def __init__(self, certificates: Sequence[Certificates], trusts: Trusts) -> None:
        self._certificates = certificates
        self._trusts = trusts
        self._turn = asyncio.Lock()
        self._tasks: set[asyncio.Task[None]] = set()

    def __repr__(self) -> str:
        return f"<Renewal of {len(self._certificates)} listeners, {len(self._tasks)} under way>"

    async def begin(self) -> None:
        """Read the certificates of the listeners for the first time. Raises Unusable."""
        await self._read_certificates()

    def again(self) -> None:
        """Read everything once more, after the renewal that is under way if there is one."""
        task = asyncio.get_running_loop().create_task(self._renew())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _renew(self) -> None:
        async with self._turn:  # or the older of two readings could be the one that stays
            if self._certificates:
                await _logged(self._read_certificates(), "certificates for clients")
            if len(self._trusts):
                await _logged(self._trusts.renew(), "certificates for endpoints")

    async def _read_certificates(self) -> None:
        # In another thread: a slow disk must delay no request.
        await asyncio.get_running_loop().run_in_executor(None, renew, self._certificates)


async def _logged(renewal: Awaitable[None], what: str) -> None:
    """Renew, and log the result."""
    try:
        await renewal
    except Unusable as unusable:
        log.error("%s; the old %s stay in force", unusable, what)
    else:
        log.info("the %s were read again", what)
