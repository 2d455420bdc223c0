"""The reading side of the store: tables, catalog, and scans as Arrow streams."""

from collections.abc import Iterable, Iterator
from typing import Any, cast

import pyarrow as pa
from pymongo import MongoClient
from pymongo.collection import Collection
from pymongo.errors import ExecutionTimeout
from pymongo.read_concern import ReadConcern

from logdrain.events.bson.table_catalog import of_table, read_catalog
from logdrain.events.mongo_client import CATALOG, database_name, tables_among, translated
from logdrain.events.read.aggregate import RAW_CODEC, MongoGroups
from logdrain.events.read.batch_decoder import BatchDecoder
from logdrain.events.read.filters import scan_filter, time_filter
from logdrain.events.read.projection import projection
from logdrain.model.catalog import TableCatalog
from logdrain.model.events import Table
from logdrain.model.plans import Aggregation, Scan
from logdrain.model.stops import Stop
from logdrain.ports.queries import Groups
from logdrain.ports.streams import ScanStream

# What was read stays true when a node fails.
_MAJORITY = ReadConcern("majority")
# A reply has 16 MiB at most, whatever this says; a bound on rows keeps replies of tiny documents small too.
_BATCH_ROWS_MAX = 10_000
_ESTIMATE_TIMEOUT_MS = 1_000


class MongoScanSource:
    """Port ScanSource on MongoDB; safe to use from several threads.

    Args:
        uri: mongodb:// or mongodb+srv://; its path names the database.
        timeout_s: How long to look for a server.
        groups_max_bytes: What the groups of one aggregation may hold of memory; None: no limit.

    Raises:
        ConfigError: the URI cannot be read.
    """

    def __init__(self, uri: str, *, timeout_s: float = 5.0, groups_max_bytes: int | None = None) -> None:
        name = database_name(uri)
        self._groups_max_bytes = groups_max_bytes
        timeout_ms = int(timeout_s * 1000)
        self._client: MongoClient[dict[str, Any]] = MongoClient(
            uri,
            appname="logdrain",
            connect=False,  # not before there is a question
            serverSelectionTimeoutMS=timeout_ms,
            connectTimeoutMS=timeout_ms,
        )
        self._database = self._client.get_database(name, read_concern=_MAJORITY)

    def close(self) -> None:
        """Give the connections back."""
        self._client.close()

    def tables(self) -> list[Table]:
        """All tables, in order of name. See the port."""
        with translated():
            return tables_among(self._database.list_collection_names())

    def catalog(self, table: Table) -> TableCatalog:
        """What has been seen in a table. See the port."""
        with translated():
            return read_catalog(table, self._database[CATALOG].find(of_table(table)))

    def scan(self, scan: Scan) -> ScanStream:
        """Read lazily. See the port.

        A path through a scalar reads as NULL; one that meets an array raises ScanTypeChanged.
        """
        return MongoScanStream(self._database[scan.table.name], scan)

    def aggregate(self, aggregation: Aggregation, stop: Stop) -> Groups:
        """Group in MongoDB. See the port."""
        table = aggregation.scan.table
        collection = self._database[table.name].with_options(RAW_CODEC)
        return MongoGroups(self._client, collection, aggregation, self._groups_max_bytes).read(stop)

    def estimate(self, scan: Scan) -> int:
        """How many events the time range holds; all of the table's where counting takes too long."""
        collection = self._database[scan.table.name]
        in_time = time_filter(scan.time_range)
        with translated():
            if in_time:
                try:
                    return int(collection.count_documents(in_time, maxTimeMS=_ESTIMATE_TIMEOUT_MS))
                except ExecutionTimeout:
                    pass
            return int(collection.estimated_document_count())


class MongoScanStream(ScanStream):
    """Every pass asks MongoDB anew and holds one reply at a time."""

    def __init__(self, collection: Collection[dict[str, Any]], scan: Scan) -> None:
        self._decoder = BatchDecoder(scan)
        super().__init__(self._decoder.schema)
        self._collection = collection
        self._filter = scan_filter(scan)
        self._projection = projection(self._decoder.fields)

    def _batches(self) -> Iterator[pa.RecordBatch]:
        """The cursor is closed at the end, and when the generator is closed before."""
        with (
            translated(),
            self._collection.find_raw_batches(
                self._filter, self._projection, batch_size=_BATCH_ROWS_MAX
            ) as replies,
        ):
            for reply in cast("Iterable[bytes]", replies):  # PyMongo says that they are documents
                if not reply:
                    continue
                self.bytes_read += len(reply)
                yield self._decoder.decode(reply)
