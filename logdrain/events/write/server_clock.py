"""MongoDB's clock, as a drain reads it: whether an hour has ended must not depend on the drain's own."""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from logdrain.events.driver import AsyncDatabase

_ASKED_EVERY_S = 10.0


class MongoClock:
    """Asks MongoDB now and then, and adds what has passed since: steps of this machine's clock do nothing.

    Args:
        database: AsyncDatabase of the server's.
        elapsed_s: Seconds that never go back.
    """

    def __init__(self, database: AsyncDatabase, elapsed_s: Callable[[], float] = time.monotonic) -> None:
        self._database = database
        self._elapsed_s = elapsed_s
        self._asked_s = 0.0
        self._answer: datetime | None = None

    async def now(self) -> datetime:
        """The present by MongoDB's clock, UTC.

        Raises:
            PyMongoError: It did not answer.
        """
        passed_s = self._elapsed_s() - self._asked_s
        if self._answer is not None and passed_s < _ASKED_EVERY_S:
            return self._answer + timedelta(seconds=passed_s)
        reply = await self._database.command("hello")
        self._answer, self._asked_s = reply["localTime"].replace(tzinfo=UTC), self._elapsed_s()
        return self._answer
