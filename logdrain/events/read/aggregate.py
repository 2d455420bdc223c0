"""Aggregations that MongoDB answers by itself, as Arrow."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import islice
from typing import Any

import bson
import pyarrow as pa
from bson.codec_options import CodecOptions
from bson.raw_bson import RawBSONDocument
from pymongo import MongoClient
from pymongo.client_session import ClientSession
from pymongo.errors import OperationFailure, PyMongoError

from logdrain.errors import LogdrainError, ScanTypeChanged
from logdrain.events.bson.table_catalog import read_catalog
from logdrain.events.driver import SyncCollection
from logdrain.events.mongo_client import translated
from logdrain.events.read.group_pipeline import (
    GROUPS_CODEC,
    ROWS,
    Document,
    GroupDecoder,
    NoWitnessError,
    aggregation_pipeline,
    is_group,
)
from logdrain.model.plans import Aggregation
from logdrain.model.stops import Stop
from logdrain.ports.queries import Groups

RAW_CODEC: CodecOptions[RawBSONDocument] = CodecOptions(document_class=RawBSONDocument)
"""How documents come that are counted before they are decoded; raw batches need a question more."""

# So many come in one reply where they fit into 16 MiB.
_GROUPS_PER_BATCH = 10_000
# A kill that comes before the pipeline has begun is lost, so it is repeated.
_KILL_EVERY_S = 0.2
_MEMORY_EXCEEDED = 292  # QueryExceededMemoryLimitNoDiskUseAllowed


class MongoGroups:
    """Asks MongoDB for the groups of one aggregation.

    Args:
        client: Has the sessions.
        collection: The table's events, decoded by RAW_CODEC.
        aggregation: What to ask.
        size_max_bytes: What the groups may hold of memory; None: no limit.
    """

    def __init__(
        self,
        client: MongoClient[dict[str, Any]],
        collection: SyncCollection,
        aggregation: Aggregation,
        size_max_bytes: int | None,
    ) -> None:
        self._client = client
        self._collection = collection
        self._aggregation = aggregation
        self._size_max_bytes = size_max_bytes
        self._decoder = GroupDecoder(aggregation)
        self._bytes_read = 0

    def read(self, stop: Stop) -> Groups:
        """All groups. See the port."""
        stop.check()
        try:
            with translated(), _within_memory(), self._session(stop) as session:
                try:
                    groups = self._ask(session, has_witnesses=False)
                except NoWitnessError:
                    groups = self._ask(session, has_witnesses=True)
        except LogdrainError:
            stop.check()  # what is killed fails of that
            raise
        self._require_same_types(groups)
        return groups

    def _ask(self, session: ClientSession, *, has_witnesses: bool) -> Groups:
        pipeline = aggregation_pipeline(self._aggregation, has_witnesses=has_witnesses)
        batches: list[pa.RecordBatch] = []
        seen: list[Document] = []
        events = size_bytes = 0
        with self._collection.aggregate(pipeline, session=session, batchSize=_GROUPS_PER_BATCH) as received:
            while part := b"".join(document.raw for document in islice(received, _GROUPS_PER_BATCH)):
                self._bytes_read += len(part)
                found: list[Document] = []
                for document in bson.decode_all(part, GROUPS_CODEC):
                    (found if is_group(document) else seen).append(document)
                batch = self._decoder.decode(found, has_witnesses=has_witnesses)
                batches.append(batch)
                events += sum(int(group[ROWS]) for group in found)
                size_bytes += batch.nbytes
                if self._size_max_bytes is not None and size_bytes > self._size_max_bytes:
                    raise ScanTypeChanged("the groups are more than this query may hold in memory")
        if not self._aggregation.is_grouped and not any(batch.num_rows for batch in batches):
            batches.append(self._decoder.nothing())
        catalog = read_catalog(self._aggregation.scan.table, seen)
        table = pa.Table.from_batches(batches, self._decoder.schema)
        return Groups(table, events, self._bytes_read, catalog)

    def _require_same_types(self, groups: Groups) -> None:
        """The drain writes the catalog before the events it describes: what was read, it knows by now."""
        catalog = groups.catalog.within(*self._aggregation.scan.time_range)
        for path, types in self._aggregation.types:
            if not catalog.types(path) <= types:
                raise ScanTypeChanged(
                    f"{groups.catalog.table.name}: {'.'.join(path)} got a new type while it was aggregated",
                    hint="run the query again",
                )

    @contextmanager
    def _session(self, stop: Stop) -> Iterator[ClientSession]:
        """A session; what MongoDB does in it is killed once the end is asked for."""
        ended, lock = threading.Event(), threading.Lock()

        def kill() -> None:
            while not ended.wait(_KILL_EVERY_S):
                with lock, suppress(PyMongoError):  # the question fails of the same
                    if not ended.is_set():  # a session that has been given back is somebody else's
                        self._client.admin.command("killSessions", [session.session_id])

        def begin() -> None:
            threading.Thread(target=kill, name="aggregation-kill", daemon=True).start()

        with self._client.start_session() as session, stop.telling(begin):
            try:
                yield session
            finally:
                with lock:
                    ended.set()


@contextmanager
def _within_memory() -> Iterator[None]:
    """Where MongoDB may not use its disk, as in small hosted ones, many groups are the engine's."""
    try:
        yield
    except OperationFailure as error:
        if error.code != _MEMORY_EXCEEDED:
            raise
        raise ScanTypeChanged("the groups are more than MongoDB may hold in memory") from error
