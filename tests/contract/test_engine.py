"""What every engine does: inside this process, and in one of its own."""

import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pyarrow as pa
import pytest

from logdrain.errors import (
    LogdrainError,
    Place,
    QueryMemoryExceeded,
    SqlError,
    SqlTypeError,
    StoreUnavailable,
    UnknownFunction,
)
from logdrain.model.stops import Stop
from logdrain.ports.queries import Engine
from logdrain.query.duckdb.child_engine import ChildEngine
from logdrain.query.duckdb.engine import DuckdbEngine
from tests.contract.engine_scans import SCHEMA, Numbers, count, raw, run, values
from tests.unit.query.event_tables import TABLES, MemoryScan, lowered, select

MIB = 1024 * 1024
ENDLESS = "WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM t) SELECT COUNT(*) FROM t"
KILLED = LogdrainError("killed")


@pytest.fixture(scope="module", params=["inside", "child"])
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def engine(kind: str) -> Iterator[Engine]:
    """One for all tests: it is as good as new after each."""
    with opened(kind, 256 * MIB) as made:
        yield made


@contextmanager
def opened(
    kind: str, memory_bytes: int, spill: Path | None = None, spill_max_bytes: int | None = None
) -> Iterator[Engine]:
    folder = str(spill) if spill else None
    if kind == "inside":
        yield DuckdbEngine(memory_bytes, 1, folder, spill_max_bytes=spill_max_bytes)
        return
    with closing(ChildEngine(memory_bytes, 1, folder, spill_max_bytes=spill_max_bytes)) as engine:
        yield engine


@pytest.mark.parametrize(
    ("sql", "rows"),
    [
        ("WITH c AS (SELECT uid, userId FROM pay) SELECT 1 FROM c a JOIN c b ON a.userId = b.userId", 6),
        ("SELECT 1 FROM pay a JOIN pay b ON a.userId = b.userId", 6),
        ("SELECT 1 FROM pay a WHERE price = (SELECT MAX(price) FROM pay b WHERE a.uid = b.uid)", 3),
        ("SELECT 1 FROM pay WHERE uid IN (SELECT uid FROM pay) OR uid IN (SELECT uid FROM login)", 6),
    ],
)
def test_a_table_read_several_times_is_read_whole_each_time(engine: Engine, sql: str, rows: int) -> None:
    query = lowered(sql)
    scans = [MemoryScan(scan, TABLES[scan.table.name]) for scan in query.plan.scans]
    assert count(engine, query, scans) == rows
    assert all(scan.passes >= 1 for scan in scans)


@pytest.mark.parametrize(("where", "rows"), [("n >= 0", 3000), ("n < 0", 0)])
def test_the_schema_is_known_before_the_rows(engine: Engine, where: str, rows: int) -> None:
    with engine.run(raw(select("n", f"scan_0 WHERE {where}")), [Numbers(3)]) as result:
        assert result.schema == SCHEMA
        assert sum(batch.num_rows for batch in result) == result.rows_read == rows


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("[n, NULL]", [0, None]),
        ("{'a': n, 'b': [{'c': 'é'}]}", {"a": 0, "b": [{"c": "é"}]}),
        ("MAP(['k'], [n])", [("k", 0)]),
        ("NULL", None),
        ("'a'::ENUM('a', 'b')", "a"),
        ("1.50::DECIMAL(10, 2)::VARCHAR", "1.50"),
        ("SUM(n) OVER ()", 2999 * 3000 // 2),
        ("td_url_encode('a b', 'UTF-8')", "a+b"),
    ],
)
def test_values_of_all_kinds_come_out(engine: Engine, value: str, expected: object) -> None:
    assert values(engine, select(value, "scan_0 ORDER BY n LIMIT 1")) == [(expected,)]


def test_rows_flow_while_they_are_read(engine: Engine) -> None:
    numbers = Numbers(10_000)
    with engine.run(raw("SELECT n FROM scan_0"), [numbers]) as result:
        next(iter(result))
        assert 0 < numbers.rows_read < 5_000_000


def test_rows_are_gone_with_the_query(engine: Engine) -> None:
    with engine.run(raw("SELECT n FROM scan_0"), [Numbers(3)]) as result:
        pass
    with pytest.raises(SqlError, match="its rows are gone"):
        list(result)


def test_rows_that_are_not_read_to_the_end_leave_nothing(engine: Engine) -> None:
    with engine.run(raw("SELECT * FROM range(1000000)"), [Numbers(1)]) as result:
        next(iter(result))
    assert run(engine, "SELECT n FROM scan_0") == 3000


def test_a_limit_ends_the_scan_early(engine: Engine) -> None:
    numbers = Numbers(10_000)
    assert run(engine, "SELECT n FROM scan_0 LIMIT 5", numbers) == 5
    assert numbers.rows_read < 5_000_000


@pytest.mark.parametrize("error", [StoreUnavailable("gone"), KeyError("any other")])
@pytest.mark.parametrize(
    "sql", ["SELECT n FROM scan_0", "SELECT SUM(n) FROM scan_0", "SELECT n FROM scan_0 ORDER BY n"]
)
@pytest.mark.parametrize("fail_at", [0, 2])
def test_what_a_scan_raises_comes_out_unchanged(
    engine: Engine, error: Exception, sql: str, fail_at: int
) -> None:
    with pytest.raises(type(error)) as raised:
        run(engine, sql, Numbers(5, fail_at=fail_at, error=error))
    assert raised.value is error


def test_what_the_reader_raises_comes_out_unchanged(engine: Engine) -> None:
    error = StoreUnavailable("the result's server is gone")
    with (
        pytest.raises(StoreUnavailable) as raised,
        engine.run(raw("SELECT n FROM scan_0"), [Numbers(3)]),
    ):
        raise error
    assert raised.value is error


def test_what_fails_has_a_place_in_the_text_and_a_hint(engine: Engine) -> None:
    query = lowered("SELECT uid,\n  CAST(userid AS BIGINT) FROM pay")
    scans = [MemoryScan(scan, TABLES[scan.table.name]) for scan in query.plan.scans]
    with pytest.raises(SqlTypeError) as raised:
        count(engine, query, scans)
    assert raised.value.place == Place(2, 3)
    assert "TRY_CAST" in raised.value.hint


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT * FROM read_csv('/etc/passwd')",
        "SELECT * FROM read_text('/etc/passwd')",
        "SELECT * FROM glob('/etc/*')",
        "COPY (SELECT 1) TO '/tmp/logdrain_must_not_exist'",
        "ATTACH '/tmp/logdrain_must_not_exist.db'",
        "INSTALL httpfs",
        "LOAD httpfs",
        "SET enable_external_access = true",
        "SET memory_limit = '1TB'",
        "SELECT * FROM SCHEMA",
        "SELECT getenv('HOME')",
    ],
)
def test_the_engine_itself_is_shut_off_from_files_settings_and_our_variables(
    engine: Engine, sql: str
) -> None:
    with pytest.raises(SqlError):
        run(engine, sql)


def test_an_unknown_function_that_reached_the_engine(engine: Engine) -> None:
    with pytest.raises(UnknownFunction, match="nosuch"):
        run(engine, "SELECT nosuch(n) FROM scan_0")


def test_a_row_has_a_limit(engine: Engine) -> None:
    with pytest.raises(QueryMemoryExceeded, match="16 MiB") as raised:
        run(engine, "SELECT REPEAT('x', 17 * 1024 * 1024)")
    assert "SUBSTR" in raised.value.hint
    assert run(engine, "SELECT REPEAT('x', 1024 * 1024) FROM scan_0 LIMIT 20") == 20


def test_memory_has_a_limit(kind: str) -> None:
    with opened(kind, 32 * MIB) as engine, pytest.raises(QueryMemoryExceeded) as error:
        run(engine, "SELECT LIST(n || 'some more text') FROM scan_0", Numbers(2000))
    assert "read less" in error.value.hint


def test_a_query_larger_than_memory_spills_into_its_folder(kind: str, tmp_path: Path) -> None:
    sql = "SELECT n, MD5(n::VARCHAR) || MD5((n + 1)::VARCHAR) AS text FROM scan_0 ORDER BY text"
    with opened(kind, 80 * MIB, tmp_path) as engine:
        assert run(engine, sql, Numbers(1500)) == 1_500_000


def test_spilling_has_a_limit(kind: str, tmp_path: Path) -> None:
    sql = "SELECT n, MD5(n::VARCHAR) || MD5((n + 1)::VARCHAR) AS text FROM scan_0 ORDER BY text"
    with opened(kind, 80 * MIB, tmp_path, 8 * MIB) as engine, pytest.raises(QueryMemoryExceeded):
        run(engine, sql, Numbers(3000))


@pytest.mark.parametrize("sql", [ENDLESS, "SELECT COUNT(*) FROM range(1000000) a, range(1000000) b"])
def test_another_thread_ends_a_step_that_does_not_end(engine: Engine, sql: str) -> None:
    stop = Stop()
    killer = threading.Timer(0.2, stop.request, [KILLED])
    killer.start()
    with pytest.raises(LogdrainError) as raised:
        run(engine, sql, stop=stop)
    killer.join()
    assert raised.value is KILLED
    assert run(engine, "SELECT n FROM scan_0") == 3000


def test_what_is_stopped_before_it_runs_does_not_run(engine: Engine) -> None:
    stop = Stop()
    stop.request(KILLED)
    with pytest.raises(LogdrainError) as raised:
        run(engine, ENDLESS, stop=stop)
    assert raised.value is KILLED


def test_rows_are_ended_while_they_are_handed_on(engine: Engine) -> None:
    stop = Stop()
    with engine.run(raw("SELECT * FROM range(1000000)"), [Numbers(1)], stop) as result:
        batches = iter(result)
        next(batches)
        stop.request(KILLED)
        with pytest.raises(LogdrainError) as raised:
            next(batches)
    assert raised.value is KILLED


def test_queries_at_once_do_not_meet(engine: Engine) -> None:
    with engine.run(raw("SELECT n FROM scan_0"), [Numbers(1)]) as result:
        assert run(engine, "SELECT n FROM scan_0 LIMIT 2") == 2
        assert pa.Table.from_batches(result).num_rows == 1000
