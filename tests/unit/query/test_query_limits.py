"""A query ends when it is told to, wherever it is; what it may use is bounded."""

import threading
from collections.abc import Callable, Iterator
from typing import Any

import pyarrow as pa
import pytest

from logdrain.answer.queries import Queries
from logdrain.errors import LogdrainError, QueryRowsExceeded, QueryTimeout, SqlError
from logdrain.model.catalog import TableCatalog
from logdrain.model.events import Table
from logdrain.model.plans import Aggregation, Dialect, Scan
from logdrain.model.queries import QueryRequest
from logdrain.model.stops import Stop
from logdrain.ports.queries import Engine, Groups
from tests.unit.query.event_tables import ENGINE, TABLES, MemoryScan, catalog_of

ENDLESS = "WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM t) SELECT COUNT(*) FROM t"
LARGE = (
    "SELECT COUNT(*) FROM pay a CROSS JOIN UNNEST(SEQUENCE(1, 100000)) b(n) "
    "CROSS JOIN UNNEST(SEQUENCE(1, 100000)) c(m) WHERE b.n + c.m < 0"
)
KILLED = LogdrainError("killed")


class EndlessScan(MemoryScan):
    """Events without end; says when the first of them have been read."""

    def __init__(self, scan: Scan, begun: threading.Event) -> None:
        super().__init__(scan, TABLES[scan.table.name])
        self._begun = begun

    def _batches(self) -> Iterator[pa.RecordBatch]:
        while True:
            yield from super()._batches()
            self._begun.set()


class Source:
    """A `ScanSource` over the tables in memory."""

    def __init__(self, scan: Callable[[Scan], MemoryScan] | None = None) -> None:
        self._scan = scan or (lambda scan: MemoryScan(scan, TABLES[scan.table.name]))

    def tables(self) -> list[Table]:
        return [Table(*name.split(".")) for name in TABLES]

    def catalog(self, table: Table) -> TableCatalog:
        return catalog_of(table, TABLES[table.name])

    def scan(self, scan: Scan) -> MemoryScan:
        return self._scan(scan)

    def aggregate(self, aggregation: Aggregation, stop: Stop) -> Groups:
        raise NotImplementedError(aggregation, stop)

    def estimate(self, scan: Scan) -> int:
        return len(TABLES[scan.table.name])


def queries(engine: Engine = ENGINE, timeout_s: float | None = None) -> Queries:
    return Queries(Source(), engine, timeout_s)


def count(asked: Queries, sql: str, **options: Any) -> int:
    """Read a query to its end; returns how many rows it has."""
    with asked.stream(QueryRequest(sql, "production", Dialect.TRINO, 0, 0), **options) as answer:
        return sum(batch.num_rows for batch in answer.rows)


@pytest.mark.parametrize("sql", [ENDLESS, LARGE])
def test_a_query_beyond_its_time_is_ended(sql: str) -> None:
    with pytest.raises(QueryTimeout, match=r"took longer than 0\.2 s"):
        count(queries(timeout_s=0.2), sql)


def test_the_time_of_one_query_wins_over_that_of_all() -> None:
    with pytest.raises(QueryTimeout, match=r"0\.1 s"):
        count(queries(timeout_s=3600), ENDLESS, timeout_s=0.1)


def test_a_query_within_its_time_leaves_no_thread() -> None:
    before = threading.active_count()
    assert count(queries(timeout_s=3600), "SELECT uid FROM login") == 3
    assert threading.active_count() <= before + 1  # the timer may be about to end


def test_another_thread_ends_a_scan_without_end() -> None:
    begun, stop = threading.Event(), Stop()

    def kill() -> None:
        begun.wait(30)
        stop.request(KILLED)

    killer = threading.Thread(target=kill)
    killer.start()
    source = Source(lambda scan: EndlessScan(scan, begun))
    with pytest.raises(LogdrainError) as raised:
        count(Queries(source, ENGINE), "SELECT COUNT(DISTINCT uid) FROM pay", stop=stop)
    killer.join()
    assert raised.value is KILLED


def test_what_is_stopped_before_it_runs_does_not_run() -> None:
    stop = Stop()
    stop.request(KILLED)
    stop.request(LogdrainError("too late: the first request wins"))
    with pytest.raises(LogdrainError) as raised:
        count(queries(), ENDLESS, stop=stop)
    assert raised.value is KILLED


def test_a_stop_tells_also_those_who_come_late() -> None:
    stop, told = Stop(), list[str]()
    with stop.telling(lambda: told.append("early")):
        stop.request(KILLED)
    with stop.telling(lambda: told.append("late")):
        pass
    assert told == ["early", "late"]


def test_rows_are_ended_while_they_are_handed_on() -> None:
    stop = Stop()
    request = QueryRequest("SELECT n FROM UNNEST(SEQUENCE(1, 1000000)) t(n)", "", Dialect.TRINO, 0, 0)
    with queries().stream(request, stop=stop) as answer:
        batches = iter(answer.rows)
        assert 0 < next(batches).num_rows < 1_000_000
        stop.request(KILLED)
        with pytest.raises(LogdrainError) as raised:
            next(batches)
    assert raised.value is KILLED


def test_rows_have_a_limit() -> None:
    assert count(queries(), "SELECT uid FROM login LIMIT 2", rows_max=2) == 2
    with pytest.raises(QueryRowsExceeded, match="more than 2 rows"):
        count(queries(), "SELECT uid FROM login", rows_max=2)


@pytest.mark.parametrize(
    "sql", ["SELECT nosuch, CAST('x' AS BIGINT) FROM pay", "SELECT nosuch, NO_FUNCTION(uid) FROM pay"]
)
def test_a_query_that_fails_still_has_its_warnings(sql: str) -> None:
    with pytest.raises(SqlError) as raised:
        count(queries(), sql)
    assert "nosuch" in raised.value.warnings[0]
