"""Which tables there are, and making new ones up to a limit."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from datetime import datetime, timedelta

from pymongo.errors import CollectionInvalid, OperationFailure

from logdrain.events.driver import AsyncDatabase
from logdrain.events.mongo_client import tables_among
from logdrain.ports.clock import Clock

_NAMESPACE_EXISTS = 48
# Other drains make tables, people drop them; but not every tag that is refused asks MongoDB about that.
_FULL_FOR = timedelta(seconds=5)


class MongoTables:
    """The tables that events may go to.

    Args:
        database: Where they are.
        clock: What the time is.
        tables_max: How many there may be.
        announce: Told the name of each that is about to be made.
    """

    def __init__(
        self,
        database: AsyncDatabase,
        clock: Clock,
        *,
        tables_max: int,
        announce: Callable[[str], Awaitable[None]],
    ) -> None:
        self._database = database
        self._announce = announce
        self._clock = clock
        self._tables_max = tables_max
        self._known: set[str] = set()
        self._full_since: datetime | None = None
        self._making = asyncio.Lock()

    async def load(self) -> None:
        """Learn which tables there are.

        Raises:
            PyMongoError: MongoDB did not answer.
        """
        self._known = {table.name for table in tables_among(await self._database.list_collection_names())}

    async def refused(self, tables: Iterable[str]) -> set[str]:
        """Make these tables where they are missing; those beyond the limit.

        Raises:
            PyMongoError: MongoDB did not answer.
        """
        return {table for table in tables if table not in self._known and not await self._make(table)}

    async def _make(self, table: str) -> bool:
        """Make a table's collection, clustered by `_id`: one tree instead of two, measured in bench/store."""
        async with self._making:
            if self._is_full():
                return table in self._known
            await self.load()
            if table in self._known:
                return True
            if len(self._known) >= self._tables_max:
                self._full_since = self._clock.now()
                return False
            await self._announce(table)
            try:
                await self._database.create_collection(
                    table, clusteredIndex={"key": {"_id": 1}, "unique": True}
                )
            except CollectionInvalid:
                pass  # another drain was first
            except OperationFailure as error:
                if error.code != _NAMESPACE_EXISTS:
                    raise
            self._known.add(table)
            return True

    def _is_full(self) -> bool:
        """Whether the limit was reached a moment ago."""
        if self._full_since is None:
            return False
        return timedelta(0) <= self._clock.now() - self._full_since < _FULL_FOR
