"""The ledger, asked from the event loop: by a thread of its own, never waited for long.

Its driver blocks. A Postgres that hangs must hold up neither deliveries nor the stop of the process, so
the thread is a daemon, and who asks gives up in time.
"""

import asyncio
import queue
import threading
from collections.abc import Callable
from typing import Any, TypeVar

from logdrain.errors import LedgerUnavailable

_T = TypeVar("_T")
_WAITING_MAX = 16


class LedgerThread:
    """Runs calls one after the other.

    Args:
        within_s: How long an answer may take.
    """

    def __init__(self, within_s: float) -> None:
        self._within_s = within_s
        self._calls: queue.Queue[Callable[[], None]] = queue.Queue(_WAITING_MAX)
        self._thread: threading.Thread | None = None

    async def ask(self, call: Callable[[], _T]) -> _T:
        """What the call returns.

        Raises:
            LedgerUnavailable: it did not return in time, or too many calls wait already.
            LogdrainError: what the call raised.
        """
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[_T] = loop.create_future()

        def run() -> None:
            try:
                value = call()
            except Exception as error:  # noqa: BLE001  # it belongs to whoever asked, not to the thread
                _settle(loop, answer, answer.set_exception, error)
            else:
                _settle(loop, answer, answer.set_result, value)

        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="ledger", daemon=True)
            self._thread.start()
        try:
            self._calls.put_nowait(run)
            async with asyncio.timeout(self._within_s):
                return await answer
        except (queue.Full, TimeoutError) as error:
            raise LedgerUnavailable(
                f"the ledger's Postgres did not answer within {self._within_s:g} s",
                hint="it hangs or is overloaded",
            ) from error

    def _run(self) -> None:
        while True:
            self._calls.get()()


def _settle(
    loop: asyncio.AbstractEventLoop,
    answer: "asyncio.Future[Any]",
    settle: Callable[[Any], None],
    value: object,
) -> None:
    def settle_if_wanted() -> None:
        if not answer.done():
            settle(value)

    if not loop.is_closed():
        loop.call_soon_threadsafe(settle_if_wanted)
