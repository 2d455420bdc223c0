"""A memory limit that several deliveries share: each reserves what it needs, and gives it back.

The drain has three: bodies as they are received (web), bodies as objects (ingest), batches that wait for
MongoDB (events).
"""

import asyncio
import threading
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager

from logdrain.errors import StoreBusy


class MemoryBudget:
    """A number of bytes. Any thread may take and return them; only tasks of one event loop may wait.

    Args:
        size_max_bytes: The budget.
        full_message: What the StoreBusy error says when it is used up.
        observe: Is told how many bytes are in use, each time that changes.
    """

    def __init__(self, size_max_bytes: int, full_message: str, observe: Callable[[int], object]) -> None:
        self._size_max_bytes = size_max_bytes
        self._full_message = full_message
        self._observe = observe
        self._used_bytes = 0
        self._changing = threading.Lock()
        self._waiters: deque[tuple[int, asyncio.Future[None]]] = deque()

    def bounded(self, size_bytes: int) -> int:
        """What a request for so many bytes gets: at most the whole budget, which it then has alone."""
        return min(size_bytes, self._size_max_bytes)

    def take(self, size_bytes: int) -> None:
        """Take bytes at once.

        Raises:
            StoreBusy: so many are not left.
        """
        with self._changing:
            if self._used_bytes + size_bytes > self._size_max_bytes:
                raise self._busy()
            self._used_bytes += size_bytes
        self._observe(self._used_bytes)

    def give_back(self, size_bytes: int) -> None:
        """Return bytes; whoever waits for them goes on."""
        with self._changing:
            self._used_bytes -= size_bytes
        self._serve_waiters()

    @contextmanager
    def reservation(self) -> Iterator["Reservation"]:
        """A reservation that may grow; all of it is returned at the end of the block."""
        reservation = Reservation(self)
        try:
            yield reservation
        finally:
            self.give_back(reservation.size_bytes)

    @asynccontextmanager
    async def reserve(self, size_bytes: int, within_s: float) -> AsyncIterator[None]:
        """Wait for bytes, first come first served, and have them until the end of the block.

        Raises:
            StoreBusy: they did not come free in time.
        """
        wanted_bytes = self.bounded(size_bytes)
        await self._wait_for(wanted_bytes, within_s)
        try:
            yield
        finally:
            self.give_back(wanted_bytes)

    async def _wait_for(self, wanted_bytes: int, within_s: float) -> None:
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        waiter = (wanted_bytes, turn)
        self._waiters.append(waiter)
        self._serve_waiters()
        try:
            async with asyncio.timeout(within_s):
                await turn
        except BaseException as error:
            if turn.done() and not turn.cancelled():
                self.give_back(wanted_bytes)
            elif waiter in self._waiters:
                self._waiters.remove(waiter)
                self._serve_waiters()  # the next one may need less
            if isinstance(error, TimeoutError):
                raise self._busy() from error
            raise

    def _serve_waiters(self) -> None:
        while self._waiters and self._used_bytes + self._waiters[0][0] <= self._size_max_bytes:
            wanted_bytes, turn = self._waiters.popleft()
            if not turn.done():  # a waiter may have been cancelled
                with self._changing:
                    self._used_bytes += wanted_bytes
                turn.set_result(None)
        self._observe(self._used_bytes)

    def _busy(self) -> StoreBusy:
        return StoreBusy(self._full_message, hint="send it again a little later")


class Reservation:
    """What one body holds of a budget."""

    def __init__(self, budget: MemoryBudget) -> None:
        self._budget = budget
        self.size_bytes = 0

    def grow(self, size_bytes: int) -> None:
        """Take more bytes.

        Raises:
            StoreBusy: so many are not left.
        """
        self._budget.take(size_bytes)
        self.size_bytes += size_bytes
