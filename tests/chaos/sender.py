"""Logplex nodes that send payments: several at once, each retrying, some giving up, out of order."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from logdrain.sandbox.http_logplex import Logplex, Outcome
from tests.chaos.book import Answer, Book
from tests.chaos.payments import Parcel, Payments

_PAUSE_S = (0.02, 0.25)
_AGAIN_AFTER_SUCCESS = 0.05  # it timed out here, although it was stored there
_AGAIN_AFTER_FAILURE = 0.7
_AGAIN_MAX = 4
_LOGPLEX_TIMEOUT_S = 5.0
_DIRECT_TIMEOUT_S = 30.0  # measures how long an answer takes; a Logplex would not wait for it


class _Node(Logplex):
    """A node that notes each try.

    Args:
        url: The drain.
        book: Where tries are noted.
        is_direct: No link of the harness is between: it waits for late answers, so that they are seen.
    """

    def __init__(self, url: str, book: Book, *, is_direct: bool) -> None:
        super().__init__(url, timeout_s=_DIRECT_TIMEOUT_S if is_direct else _LOGPLEX_TIMEOUT_S)
        self._book = book
        self._is_direct = is_direct

    async def _try_once(self, body: bytes, headers: dict[str, str]) -> int | str:
        started_s = time.monotonic()
        said = await super()._try_once(body, headers)
        self._book.answers.append(Answer(started_s, time.monotonic(), said, self._is_direct))
        return said


@dataclass
class _Later:
    """A parcel that is to be sent once more."""

    parcels: tuple[Parcel, ...]
    again: int


class Sender:
    """Several nodes at once.

    Args:
        linked_url: The drain as reached through a link of the harness.
        direct_url: The drain itself.
        random: Decides what is sent and what is given up.
    """

    def __init__(self, linked_url: str, direct_url: str, random: Random, book: Book) -> None:
        self._nodes = [(linked_url, False)] * 4 + [(direct_url, True)] * 2
        self._random = random
        self._payments = Payments(Random(random.random()))
        self._book = book
        self._later: list[_Later] = []
        self._stopping = asyncio.Event()

    async def run(self) -> None:
        """Send until `stop`, then once more what is left over."""
        async with asyncio.TaskGroup() as group:
            for url, is_direct in self._nodes:
                group.create_task(self._send_with(url, is_direct=is_direct))

    def stop(self) -> None:
        """Make no new payments."""
        self._stopping.set()

    async def _send_with(self, url: str, *, is_direct: bool) -> None:
        async with _Node(url, self._book, is_direct=is_direct) as node:
            while not self._stopping.is_set():
                await self._send(node, self._next())
                await asyncio.sleep(self._random.uniform(*_PAUSE_S))
            while self._later:
                await self._send(node, self._later.pop())

    def _next(self) -> _Later:
        if self._later and self._random.random() < 0.3:
            return self._later.pop(self._random.randrange(len(self._later)))
        return _Later(self._payments.next_parcels(), 0)

    async def _send(self, node: Logplex, sending: _Later) -> None:
        parcels: Sequence[Parcel] = sending.parcels
        for at, parcel in enumerate(parcels):
            self._book.send(parcel)
            report = await node.deliver_body(parcel.body, parcel.message_count)
            self._book.note(parcel, report)
            is_acknowledged = report.outcome is Outcome.ACCEPTED
            chance = _AGAIN_AFTER_SUCCESS if is_acknowledged else _AGAIN_AFTER_FAILURE
            if sending.again < _AGAIN_MAX and self._random.random() < chance:
                left = (parcel,) if is_acknowledged else tuple(parcels[at:])
                self._later.append(_Later(left, sending.again + 1))
            if not is_acknowledged:
                return  # the end of a cut line waits for its beginning
