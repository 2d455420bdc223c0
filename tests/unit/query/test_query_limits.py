"""A query ends when it is told to, wherever it is; what it may use is bounded."""

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pyarrow as pa
import pytest

from logdrain.answer.queries import Queries, RowLimit
from logdrain.errors import LogdrainError, QueryMemoryExceeded, QueryRowsExceeded, QueryTimeout, SqlError
from logdrain.model.catalog import TableCatalog
from logdrain.model.events import Table
from logdrain.model.plans import Aggregation, Dialect, Scan
from logdrain.model.queries import QueryRequest
from logdrain.model.stops import Stop
from logdrain.ports.queries import AggregateStream, ArrowStream, Engine
from logdrain.query.duckdb.engine import DuckdbEngine
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

    def __iter__(self) -> Iterator[pa.RecordBatch]:
        while True:
            yield from super().__iter__()
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

    def aggregate(self, aggregation: Aggregation) -> AggregateStream:
        raise NotImplementedError(aggregation)

    def estimate(self, scan: Scan) -> int:
        return len(TABLES[scan.table.name])


def request(sql: str) -> QueryRequest:
    return QueryRequest(sql, "production", Dialect.TRINO, 0, 0)


def count(_: object, rows: ArrowStream) -> int:
    return sum(batch.num_rows for batch in rows)


def queries(engine: Engine = ENGINE, timeout_s: float | None = None) -> Queries:
    return Queries(Source(), engine, timeout_s)


@pytest.mark.parametrize("sql", [ENDLESS, LARGE])
def test_a_query_beyond_its_time_is_ended(sql: str) -> None:
    with pytest.raises(QueryTimeout, match=r"took longer than 0\.2 s"):
        queries(timeout_s=0.2).run(request(sql), count)


def test_the_time_of_one_query_wins_over_that_of_all() -> None:
    with pytest.raises(QueryTimeout, match=r"0\.1 s"):
        queries(timeout_s=3600).run(request(ENDLESS), count, timeout_s=0.1)


def test_a_query_within_its_time_leaves_no_thread() -> None:
    before = threading.active_count()
    assert queries(timeout_s=3600).run(request("SELECT uid FROM login"), count).rows_out == 3
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
        Queries(source, ENGINE).run(request("SELECT COUNT(DISTINCT uid) FROM pay"), count, stop=stop)
    killer.join()
    assert raised.value is KILLED


def test_what_is_stopped_before_it_runs_does_not_run() -> None:
    stop = Stop()
    stop.request(KILLED)
    stop.request(LogdrainError("too late: the first request wins"))
    with pytest.raises(LogdrainError) as raised:
        queries().run(request(ENDLESS), count, stop=stop)
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

    def use(_: object, rows: ArrowStream) -> int:
        taken = 0
        for batch in rows:
            taken += batch.num_rows
            stop.request(KILLED)
        return taken

    sql = "SELECT n FROM UNNEST(SEQUENCE(1, 1000000)) t(n)"
    with pytest.raises(LogdrainError) as raised:
        queries().run(request(sql), use, stop=stop)
    assert raised.value is KILLED


def test_spilling_has_a_limit(tmp_path: Path) -> None:
    mebibyte = 1024 * 1024
    engine = DuckdbEngine(
        64 * mebibyte, threads=1, temp_folder=str(tmp_path / "spill"), spill_max_bytes=16 * mebibyte
    )
    sql = (
        "SELECT MD5(CAST(n AS VARCHAR)) AS a, REPEAT(n, 8) AS b FROM UNNEST(SEQUENCE(1, 1500000)) t(n) "
        "ORDER BY a"
    )
    with pytest.raises(QueryMemoryExceeded):
        queries(engine).run(request(sql), count)


def test_rows_have_a_limit() -> None:
    def use(_: object, rows: ArrowStream) -> int:
        return count(None, RowLimit(rows, 2))

    assert queries().run(request("SELECT uid FROM login LIMIT 2"), use).rows_out == 2
    with pytest.raises(QueryRowsExceeded, match="more than 2 rows"):
        queries().run(request("SELECT uid FROM login"), use)


@pytest.mark.parametrize(
    "sql", ["SELECT nosuch, CAST('x' AS BIGINT) FROM pay", "SELECT nosuch, NO_FUNCTION(uid) FROM pay"]
)
def test_a_query_that_fails_still_has_its_warnings(sql: str) -> None:
    with pytest.raises(SqlError) as raised:
        queries().run(request(sql), count)
    assert "nosuch" in raised.value.warnings[0]
