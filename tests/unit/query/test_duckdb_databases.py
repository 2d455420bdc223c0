"""A database that another query has used is like a new one."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from logdrain.errors import LogdrainError, NumberOverflow, SqlError
from logdrain.model.queries import EngineQuery
from logdrain.model.stops import Stop
from logdrain.query.duckdb.engine import DuckdbEngine
from tests.unit.query.event_tables import TABLES, MemoryScan, lowered, raw_query

MIB = 1024 * 1024
STATE = """
    SELECT (SELECT COUNT(*) FROM duckdb_views() WHERE NOT internal),
           (SELECT COUNT(*) FROM duckdb_tables() WHERE NOT internal),
           (SELECT COALESCE(SUM(memory_usage_bytes), 0) FROM duckdb_memory() WHERE tag = 'HASH_TABLE'),
           current_setting('TimeZone'), current_setting('lock_configuration')
"""


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[DuckdbEngine]:
    kept = DuckdbEngine(64 * MIB, 1, str(tmp_path / "spill"), spill_max_bytes=64 * MIB, databases_kept_max=1)
    yield kept
    kept.close_idle()


def rows(engine: DuckdbEngine, query: EngineQuery, *, stop: Stop | None = None) -> list[Any]:
    scans = [MemoryScan(scan, TABLES[scan.table.name]) for scan in query.plan.scans]
    with engine.run(query, scans, stop) as result:
        return [tuple(row.values()) for batch in result for row in batch.to_pylist()]


def bare(sql: str) -> EngineQuery:
    return raw_query(sql)


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> Sequence[str]:
    """One entry for each database that is opened."""
    times: list[str] = []
    connect = __import__("duckdb").connect

    def counted(name: str, **options: Any) -> Any:
        times.append(name)
        return connect(name, **options)

    monkeypatch.setattr("duckdb.connect", counted)
    return times


def test_the_next_query_has_the_same_database_and_finds_nothing_in_it(
    engine: DuckdbEngine, opened: Sequence[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    fresh = rows(engine, bare(STATE))
    assert fresh == [(0, 0, 0, "UTC", True)]
    for _ in range(3):
        assert rows(
            engine, lowered("SELECT uid, COUNT(DISTINCT price) FROM pay GROUP BY uid ORDER BY 1")
        ) == [
            (0, 2),
            (1, 2),
            (2, 2),
        ]
        assert rows(engine, bare(STATE)) == fresh
        with pytest.raises(SqlError):
            rows(engine, bare("SELECT * FROM scan_0"))
    assert len(opened) == 3, "one at first, and one after each failure but the last"


def test_what_failed_is_not_used_again(engine: DuckdbEngine, opened: Sequence[str]) -> None:
    for _ in range(2):
        with pytest.raises(NumberOverflow):
            rows(engine, lowered("SELECT SUM(price * 9000000000000000) FROM pay"))
    assert len(opened) == 2


def test_functions_of_ours_go_with_their_database(engine: DuckdbEngine, opened: Sequence[str]) -> None:
    (first,) = rows(engine, lowered("SELECT TD_TIME_FORMAT(time, 'yyyy w') FROM pay LIMIT 1"))
    assert rows(engine, lowered("SELECT TD_TIME_FORMAT(time, 'yyyy w') FROM pay LIMIT 1")) == [first]
    assert len(opened) == 2
    assert rows(engine, bare("SELECT 1")) == [(1,)]
    assert len(opened) == 3


def test_rows_that_are_not_read_to_the_end_leave_nothing(engine: DuckdbEngine, opened: Sequence[str]) -> None:
    with engine.run(bare("SELECT * FROM range(1000000)"), []) as result:
        next(iter(result))
    assert rows(engine, bare(STATE)) == [(0, 0, 0, "UTC", True)]
    assert len(opened) == 2


def test_a_query_that_was_to_end_leaves_nothing(engine: DuckdbEngine, opened: Sequence[str]) -> None:
    stop = Stop()
    with engine.run(bare("SELECT 1"), [], stop) as result:
        assert [batch.num_rows for batch in result] == [1]
        stop.request(LogdrainError("enough"))
    assert rows(engine, bare("SELECT 1")) == [(1,)]
    assert len(opened) == 2


def test_queries_at_once_have_databases_of_their_own(engine: DuckdbEngine, opened: Sequence[str]) -> None:
    with engine.run(bare("SELECT 1"), []) as result:
        assert rows(engine, bare("SELECT 2")) == [(2,)]
        assert [batch.num_rows for batch in result] == [1]
    assert len(opened) == 2
    engine.close_idle()
    assert rows(engine, bare("SELECT 1")) == [(1,)]
    assert len(opened) == 3
