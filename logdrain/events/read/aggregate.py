"""Aggregations that MongoDB answers by itself, as Arrow streams."""

import threading
from collections.abc import Generator, Iterator
from contextlib import contextmanager, suppress
from itertools import islice

import bson
import pyarrow as pa
from bson.codec_options import CodecOptions
from bson.raw_bson import RawBSONDocument
from pymongo import MongoClient
from pymongo.client_session import ClientSession
from pymongo.errors import OperationFailure, PyMongoError

from logdrain.errors import ScanTypeChanged, StoreUnavailable
from logdrain.events.bson.table_catalog import read_catalog
from logdrain.events.driver import SyncCollection
from logdrain.events.mongo_client import translated
from logdrain.events.read.group_pipeline import (
    GROUPS_CODEC,
    Document,
    GroupDecoder,
    Groups,
    aggregation_pipeline,
    is_group,
)
from logdrain.model.catalog import TableCatalog
from logdrain.model.plans import Aggregation

RAW_CODEC: CodecOptions[RawBSONDocument] = CodecOptions(document_class=RawBSONDocument)
"""How documents come that are counted before they are decoded; raw batches need a question more."""

# So many come in one reply where they fit into 16 MiB.
_GROUPS_PER_BATCH = 10_000
# A kill that comes before the pipeline has begun is lost, so it is repeated.
_KILL_EVERY_S = 0.2
_MEMORY_EXCEEDED = 292  # QueryExceededMemoryLimitNoDiskUseAllowed


class MongoAggregateStream:
    """Port AggregateStream: every pass asks MongoDB anew and holds two batches at a time.

    Args:
        client: Has the sessions.
        collection: The table's events, decoded by RAW_CODEC.
        aggregation: What to ask.
    """

    def __init__(
        self, client: MongoClient[Document], collection: SyncCollection, aggregation: Aggregation
    ) -> None:
        self._client = client
        self._collection = collection
        self._aggregation = aggregation
        self._catalog = TableCatalog(aggregation.scan.table)
        self._decoder = GroupDecoder(aggregation)
        self._session: ClientSession | None = None
        self._lock = threading.Lock()
        self._is_interrupted = False
        self._ended = threading.Event()
        self._ended.set()
        self._rows_read = 0
        self._bytes_read = 0

    @property
    def schema(self) -> pa.Schema:
        """Names and types, known before the first batch."""
        return self._decoder.schema

    @property
    def rows_read(self) -> int:
        """Events in the groups yielded so far, over all passes."""
        return self._rows_read

    @property
    def bytes_read(self) -> int:
        """BSON of groups and catalog received so far, over all passes; not that of the events."""
        return self._bytes_read

    @property
    def catalog(self) -> TableCatalog:
        """What the table's catalog was when the last pass had read its events."""
        return self._catalog

    def interrupt(self) -> None:
        """End what MongoDB is doing for this stream. See the port."""
        self._is_interrupted = True
        threading.Thread(target=self._interrupt, name="aggregation-interrupt", daemon=True).start()

    def __iter__(self) -> Iterator[pa.RecordBatch]:
        """The batches, the last one once all are proven. See the port."""
        with translated(), _within_memory(), self._running():
            held_back: Groups | None = None
            for groups in self._groups():
                if held_back is not None:
                    yield self._counted(held_back)
                held_back = groups
            self._require_same_types()
            if held_back is not None:
                yield self._counted(held_back)

    @contextmanager
    def _running(self) -> Iterator[None]:
        """With a session that can be killed, until it is given back."""
        with self._client.start_session() as session:
            self._session = session
            self._ended.clear()
            try:
                if self._is_interrupted:
                    raise StoreUnavailable("the aggregation was interrupted")
                yield
            finally:
                with self._lock:
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
        seen: list[Document] = []
        has_groups = False
        with self._collection.aggregate(
            pipeline, session=self._session, batchSize=_GROUPS_PER_BATCH
        ) as received:
            while part := b"".join(document.raw for document in islice(received, _GROUPS_PER_BATCH)):
                self._bytes_read += len(part)
                found: list[Document] = []
                for document in bson.decode_all(part, GROUPS_CODEC):
                    (found if is_group(document) else seen).append(document)
                if not found:
                    continue
                groups = self._decoder.decode(found, has_witnesses=has_witnesses)
                if groups is None and has_groups:
                    raise ScanTypeChanged("a sum is 0, perhaps of nothing, behind groups that were handed on")
                if groups is None:
                    return False
                has_groups = True
                yield groups
        if not has_groups and not self._aggregation.is_grouped:
            yield self._decoder.nothing()
        self._catalog = read_catalog(self._catalog.table, seen)
        return True

    def _require_same_types(self) -> None:
        """The drain writes the catalog before the events it describes: what was read, it knows by now."""
        catalog = self._catalog.within(*self._aggregation.scan.time_range)
        for path, types in self._aggregation.types:
            if not catalog.types(path) <= types:
                raise ScanTypeChanged(
                    f"{self._catalog.table.name}: {'.'.join(path)} got a new type while it was aggregated",
                    hint="run the query again",
                )

    def _interrupt(self) -> None:
        while not self._ended.wait(_KILL_EVERY_S):
            with self._lock:  # a session that has been given back is somebody else's
                if not self._ended.is_set():
                    self._kill()

    def _kill(self) -> None:
        if self._session is not None:
            with suppress(PyMongoError):  # the stream fails of the same
                self._client.admin.command("killSessions", [self._session.session_id])


@contextmanager
def _within_memory() -> Iterator[None]:
    """Where MongoDB may not use its disk, as in small hosted ones, many groups are the engine's."""
    try:
        yield
    except OperationFailure as error:
        if error.code != _MEMORY_EXCEEDED:
            raise
        raise ScanTypeChanged("the groups are more than MongoDB may hold in memory") from error
