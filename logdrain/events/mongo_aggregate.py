"""Aggregations that MongoDB answers by itself, as Arrow streams."""

import threading
from collections.abc import Callable, Generator, Iterator
from typing import Any

import pyarrow as pa
from pymongo.client_session import ClientSession
from pymongo.errors import PyMongoError

from logdrain.errors import ScanTypeChanged
from logdrain.events.aggregation import GroupDecoder, Groups, aggregation_pipeline
from logdrain.events.mongo_client import translated
from logdrain.model.catalog import TableCatalog
from logdrain.model.plans import Aggregation

# So many groups come in one reply where they fit into 16 MiB.
_GROUPS_PER_REPLY = 10_000
# A kill that comes before the pipeline has begun is lost, so it is repeated.
_KILL_EVERY_S = 0.2


class MongoAggregateStream:
    """Port AggregateStream: every pass asks MongoDB anew and holds one reply at a time.

    Args:
        client: Has the sessions.
        collection: The table's events.
        read_catalog: What has been seen in the table, now.
        aggregation: What to ask.
    """

    def __init__(
        self,
        client: Any,
        collection: Any,
        read_catalog: Callable[[], TableCatalog],
        aggregation: Aggregation,
    ) -> None:
        self._client = client
        self._collection = collection
        self._read_catalog = read_catalog
        self._aggregation = aggregation
        self._decoder = GroupDecoder(aggregation)
        self._session: ClientSession | None = None
        self._ended = threading.Event()
        self._rows_read = 0

    @property
    def schema(self) -> pa.Schema:
        """Names and types, known before the first batch."""
        return self._decoder.schema

    @property
    def rows_read(self) -> int:
        """Events in the groups yielded so far, over all passes."""
        return self._rows_read

    def interrupt(self) -> None:
        """End what MongoDB is doing for this stream. See the port."""
        threading.Thread(target=self._interrupt, name="aggregation-interrupt", daemon=True).start()

    def __iter__(self) -> Iterator[pa.RecordBatch]:
        """The batches, the last one once all are proven. See the port."""
        self._ended.clear()
        try:
            with translated(), self._client.start_session() as self._session:
                held_back: Groups | None = None
                for groups in self._groups():
                    if held_back is not None:
                        yield self._counted(held_back)
                    held_back = groups
                self._require_same_types()
                if held_back is not None:
                    yield self._counted(held_back)
        finally:
            self._ended.set()

    def _counted(self, groups: Groups) -> pa.RecordBatch:
        self._rows_read += groups.events
        return groups.rows

    def _groups(self) -> Iterator[Groups]:
        is_done = yield from self._one_pass(has_witnesses=False)
        if not is_done:
            yield from self._one_pass(has_witnesses=True)

    def _one_pass(self, *, has_witnesses: bool) -> Generator[Groups, None, bool]:
        """Ask once; returns False where it has to begin again with witnesses, nothing having been yielded."""
        pipeline = aggregation_pipeline(self._aggregation, has_witnesses=has_witnesses)
        has_groups = False
        with self._collection.aggregate_raw_batches(
            pipeline, session=self._session, batchSize=_GROUPS_PER_REPLY, allowDiskUse=True
        ) as replies:
            for reply in filter(None, replies):
                groups = self._decoder.decode(reply, has_witnesses=has_witnesses)
                if groups is None and has_groups:
                    raise ScanTypeChanged("a sum is 0, perhaps of nothing, behind groups that were handed on")
                if groups is None:
                    return False
                has_groups = True
                yield groups
        if not has_groups and not self._aggregation.is_grouped:
            yield self._decoder.nothing()
        return True

    def _require_same_types(self) -> None:
        """The drain writes the catalog before the events it describes: what was read, it knows by now."""
        catalog = self._read_catalog()
        for path, types in self._aggregation.types:
            if catalog.types(path) != types:
                raise ScanTypeChanged(
                    f"{catalog.table.name}: {'.'.join(path)} got a new type while it was aggregated",
                    hint="run the query again",
                )

    def _interrupt(self) -> None:
        while not self._ended.wait(_KILL_EVERY_S):
            session = self._session
            try:
                if session is not None:
                    self._client.admin.command("killSessions", [session.session_id])
            except PyMongoError:
                continue  # the stream fails of the same
