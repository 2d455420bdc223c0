"""Until a query's first rows are there it is planned again; what comes later is the reader's to ask again."""

from collections.abc import Iterator
from typing import Any

import pyarrow as pa
import pytest

from logdrain.answer.queries import Answer, Queries, once_more
from logdrain.errors import ScanTypeChanged, SqlError
from logdrain.model.catalog import TableCatalog
from logdrain.model.events import Table
from logdrain.model.plans import Aggregation, Dialect, Scan
from logdrain.model.queries import QueryRequest
from logdrain.model.stops import Stop
from logdrain.ports.queries import EVENTS, Groups
from tests.unit.query.event_tables import ENGINE, TABLES, MemoryScan, catalog_of

ROWS = 3_000_000  # far more than the engine reads ahead
NUMBERS = pa.array(range(100_000), pa.int64())
FIRST, LATER = 1, ROWS - 1


class ChangingScan(MemoryScan):
    """Many events; behind so many of them is one whose field has got a new type."""

    def __init__(self, scan: Scan, fails_at: int | None) -> None:
        super().__init__(scan, [])
        self._fails_at = fails_at

    def _batches(self) -> Iterator[pa.RecordBatch]:
        types: list[Any] = self.schema.types
        columns = [NUMBERS if of == NUMBERS.type else pa.nulls(len(NUMBERS), of) for of in types]
        for end in range(len(NUMBERS), ROWS + 1, len(NUMBERS)):
            if self._fails_at is not None and self._fails_at < end:
                raise ScanTypeChanged("uid got a new type")
            yield pa.record_batch(columns, schema=self.schema)


class Source:
    """A `ScanSource` whose scans fail at these events, one after the other; then none does any more."""

    def __init__(self, *fails_at: int, aggregates: bool = False) -> None:
        self.fails_at = list(fails_at)
        self.scans: list[MemoryScan] = []
        self._aggregates = aggregates

    def tables(self) -> list[Table]:
        return [Table(*name.split(".")) for name in TABLES]

    def catalog(self, table: Table) -> TableCatalog:
        return catalog_of(table, TABLES[table.name])

    def scan(self, scan: Scan) -> MemoryScan:
        self.scans.append(ChangingScan(scan, self.fails_at.pop(0) if self.fails_at else None))
        return self.scans[-1]

    def aggregate(self, aggregation: Aggregation, _stop: Stop) -> Groups:
        if not self._aggregates:
            raise ScanTypeChanged("uid got a new type while it was aggregated")
        batch = pa.table({EVENTS: [2, 3], "0": [7, 8]})
        return Groups(batch, 5, 50, self.catalog(aggregation.scan.table))

    def estimate(self, _scan: Scan) -> int:
        return ROWS


def request(sql: str) -> QueryRequest:
    return QueryRequest(sql, "production", Dialect.TRINO, 0, 0)


def read(queries: Queries, sql: str) -> tuple[Answer, int]:
    """Read an answer to its end."""
    with queries.stream(request(sql)) as answer:
        return answer, sum(batch.num_rows for batch in answer.rows)


def test_rows_come_once_and_are_counted() -> None:
    with Queries(Source(), ENGINE).stream(request("SELECT uid FROM pay")) as answer:
        assert answer.rows.schema.names == ["uid"]
        assert answer.rows.rows_read == 0
        assert answer.rows_read > 0, "the first rows are there before anybody asks for them"
        assert sum(batch.num_rows for batch in answer.rows) == ROWS
        assert list(answer.rows) == []
    assert (answer.rows_read, answer.rows.rows_read) == (ROWS, ROWS)


@pytest.mark.parametrize("fails_at", [(FIRST,), (FIRST, FIRST)])
def test_before_the_first_rows_it_is_planned_again(fails_at: tuple[int, ...]) -> None:
    source = Source(*fails_at)
    answer, rows = read(Queries(source, ENGINE), "SELECT uid FROM pay")
    assert (rows, answer.rows_read, len(source.scans)) == (ROWS, ROWS, len(fails_at) + 1)


def test_what_the_engine_reads_whole_is_planned_again_whenever_it_fails() -> None:
    answer, rows = read(Queries(Source(LATER), ENGINE), "SELECT COUNT(DISTINCT uid) FROM pay")
    assert (rows, answer.rows_read) == (1, ROWS)


def test_a_type_that_never_settles_is_an_error() -> None:
    with pytest.raises(ScanTypeChanged):
        read(Queries(Source(*[FIRST] * 3), ENGINE), "SELECT uid FROM pay")


def test_behind_the_first_rows_it_is_the_readers_to_ask_again() -> None:
    source = Source(LATER, FIRST)
    queries = Queries(source, ENGINE)
    with queries.stream(request("SELECT uid FROM pay")) as answer, pytest.raises(ScanTypeChanged):
        list(answer.rows)
    assert len(source.scans) == 1
    assert once_more(lambda: read(queries, "SELECT uid FROM pay"))[1] == ROWS
    assert len(source.scans) == 3
    with pytest.raises(ScanTypeChanged):
        once_more(lambda: read(Queries(Source(LATER, LATER), ENGINE), "SELECT uid FROM pay"))


def test_the_groups_of_the_store_are_rows_without_the_engine() -> None:
    source = Source(aggregates=True)
    with Queries(source, ENGINE).stream(request("SELECT MAX(uid) AS m, 'x' AS x FROM pay")) as answer:
        assert [row for batch in answer.rows for row in batch.to_pylist()] == [
            {"m": 7, "x": "x"},
            {"m": 8, "x": "x"},
        ]
    assert (answer.rows_read, answer.bytes_read, answer.rows.rows_read, source.scans) == (5, 50, 2, [])


def test_groups_that_the_store_does_not_vouch_for_are_the_engines() -> None:
    answer, rows = read(Queries(Source(), ENGINE), "SELECT MAX(uid) FROM pay")
    assert (rows, answer.rows_read) == (1, ROWS)


def test_an_error_of_the_reader_has_the_warnings_and_ends_the_query() -> None:
    error = SqlError("the reader's")
    with (
        pytest.raises(SqlError) as raised,
        Queries(Source(), ENGINE).stream(request("SELECT nosuch, uid FROM pay")) as answer,
    ):
        raise error
    assert raised.value is error
    assert "nosuch" in error.warnings[0]
    with pytest.raises(SqlError, match="its rows are gone"):
        list(answer.rows)
