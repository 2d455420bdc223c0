"""Room for bodies as objects: what a body becomes when it is read weighs many times its octets."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from logdrain import metrics
from logdrain.errors import StoreBusy

# Measured: bytes of Python objects, documents of events included.
PER_OCTET_MAX = 40
_PER_OCTET = 3
_PER_FRAME = 700  # message, line, event or quarantine entry, id, origin
_PER_OBJECT = 200
_PER_KEY = 80
_PER_VALUE = 72
_PART_SIZE_BYTES = 1024 * 1024  # between two parts, other threads may run


def weigh(body: bytes) -> int:
    """What a body may weigh while it is read and stored, in bytes: never less, found by counting octets."""
    weight = sum(
        _weigh_part(body[at : at + _PART_SIZE_BYTES]) for at in range(0, len(body), _PART_SIZE_BYTES)
    )
    return min(weight, PER_OCTET_MAX * len(body))


def _weigh_part(part: bytes) -> int:
    return (
        _PER_OCTET * len(part)
        + _PER_FRAME * (part.count(b" <") + 1)  # one may lie across two parts
        + _PER_OBJECT * part.count(b"{")
        + _PER_KEY * (part.count(b'":') + 1)
        + _PER_VALUE * (part.count(b",") + part.count(b"["))
    )


class ParsedRoom:
    """So many bytes; who finds none waits in line, for a moment.

    Args:
        size_max_bytes: All of it. A body that weighs more gets all of it, alone.
        within_s: How long to wait in line.
    """

    def __init__(self, size_max_bytes: int, within_s: float) -> None:
        self._size_max_bytes = size_max_bytes
        self._within_s = within_s
        self._left_bytes = size_max_bytes
        self._line: deque[tuple[int, asyncio.Future[None]]] = deque()

    @asynccontextmanager
    async def reserve(self, body: bytes) -> AsyncIterator[None]:
        """Room for a body, until the end of the block.

        Raises:
            StoreBusy: none came free in time.
        """
        is_large = len(body) > _PART_SIZE_BYTES
        weight = await asyncio.to_thread(weigh, body) if is_large else weigh(body)
        wanted_bytes = min(weight, self._size_max_bytes)
        await self._take(wanted_bytes)
        try:
            yield
        finally:
            self._give_back(wanted_bytes)

    async def _take(self, wanted_bytes: int) -> None:
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        place = (wanted_bytes, turn)
        self._line.append(place)
        self._serve()
        try:
            async with asyncio.timeout(self._within_s):
                await turn
        except BaseException as error:
            if turn.done() and not turn.cancelled():
                self._give_back(wanted_bytes)
            elif place in self._line:
                self._line.remove(place)
                self._serve()  # whoever stood behind may need less
            if isinstance(error, TimeoutError):
                raise StoreBusy(
                    "too many bodies are being read", hint="send it again a little later"
                ) from error
            raise

    def _give_back(self, size_bytes: int) -> None:
        self._left_bytes += size_bytes
        self._serve()

    def _serve(self) -> None:
        while self._line and self._line[0][0] <= self._left_bytes:
            wanted_bytes, turn = self._line.popleft()
            if not turn.done():  # whoever waited may have gone
                self._left_bytes -= wanted_bytes
                turn.set_result(None)
        metrics.PARSED_ROOM_BYTES.set(self._size_max_bytes - self._left_bytes)
