"""The keys that let in now: those of the environment, and those of Postgres as it was last read.

Postgres is read every few seconds, and soon after somebody came with a key that is not known, so that a new
key works at once. While it cannot be read, the keys that were read last stay valid.
"""

import asyncio
from collections.abc import Callable
from contextlib import suppress

from logdrain import log
from logdrain.errors import LogdrainError
from logdrain.model.keys import Key
from logdrain.web.server.ledger_thread import LedgerThread

_READ_WITHIN_S = 2.0
_GAP_S = 1.0  # between two readings, however many strangers knock
# A reading under way, the gap, and the reading that counts: still inside Logplex's 5 s.
_ASK_WITHIN_S = 4.0


class KeyRing:
    """Holds the keys, and reads them again.

    Args:
        fixed: From the environment: they need no Postgres.
        read: Reads those of Postgres, blocking; None where there is no Postgres.
        refresh_s: How long a revoked key may go on to work.
        gap_s: Least pause between two readings.
    """

    def __init__(
        self,
        fixed: tuple[Key, ...],
        read: Callable[[], tuple[Key, ...]] | None,
        *,
        refresh_s: float,
        gap_s: float = _GAP_S,
    ) -> None:
        self._fixed = fixed
        self._read = read
        self._refresh_s = refresh_s
        self._gap_s = gap_s
        self._stored: tuple[Key, ...] = ()
        self._thread = LedgerThread(_READ_WITHIN_S)  # its own: other questions to Postgres may hang
        self._wanted = asyncio.Event()
        self._asking: list[asyncio.Future[bool]] = []
        self._is_current = True

    @property
    def keys(self) -> tuple[Key, ...]:
        """Every key that is valid as far as it is known."""
        return (*self._fixed, *self._stored)

    async def ask_again(self) -> bool:
        """Wait until the keys have been read since this call; False where Postgres did not answer."""
        if self._read is None:
            return True
        answer: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._asking.append(answer)
        self._wanted.set()
        try:
            async with asyncio.timeout(_ASK_WITHIN_S):
                return await answer
        except TimeoutError:
            return False

    async def keep_fresh(self) -> None:
        """Read the keys now and again, until it is cancelled."""
        if self._read is None:
            return
        while True:
            asking, self._asking = self._asking, []
            self._wanted.clear()
            is_read = await self._refresh(self._read)
            for answer in asking:
                if not answer.done():
                    answer.set_result(is_read)
            await asyncio.sleep(self._gap_s)
            with suppress(TimeoutError):
                async with asyncio.timeout(self._refresh_s - self._gap_s):
                    await self._wanted.wait()

    async def _refresh(self, read: Callable[[], tuple[Key, ...]]) -> bool:
        try:
            self._stored = await self._thread.ask(read)
        except Exception as error:  # noqa: BLE001  # whatever it was, the next reading comes
            if self._is_current:  # said once, not at every reading
                message = error.located if isinstance(error, LogdrainError) else type(error).__name__
                log.warning("keys_not_read", message=message, known=len(self._stored))
            self._is_current = False
        else:
            if not self._is_current:
                log.info("keys_read", known=len(self._stored))
            self._is_current = True
        return self._is_current
