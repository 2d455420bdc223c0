import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import pyarrow as pa
import pytest

from logdrain.errors import QueryMemoryExceeded, SqlError, StoreUnavailable, UnknownFunction
from logdrain.model.catalog import ColumnType, TypeKind
from logdrain.model.events import Table
from logdrain.model.plans import Scan, ScanColumn, TimeRange
from logdrain.model.queries import EngineQuery
from logdrain.ports.streams import ScanStream
from logdrain.query.duckdb.engine import DuckdbEngine
from tests.unit.query.event_tables import ENGINE, TABLES, MemoryScan, lowered, raw_query

MIB = 1024 * 1024
SCAN = Scan(
    "scan_0",
    Table("production", "pay"),
    (ScanColumn("n", ("n",), ColumnType(TypeKind.BIGINT)),),
    TimeRange(None, None),
)
SCHEMA = pa.schema([("n", pa.int64())])


class Numbers(ScanStream):
    """A scan of whole numbers, made while they are read; may fail at a batch."""

    def __init__(self, batches: int, *, fail_at: int | None = None, error: Exception | None = None) -> None:
        super().__init__(SCHEMA)
        self._count = batches
        self._fail_at = fail_at
        self._error = error

    def _batches(self) -> Iterator[pa.RecordBatch]:
        for number in range(self._count):
            if number == self._fail_at and self._error is not None:
                raise self._error
            yield pa.record_batch([pa.array(range(number * 1000, number * 1000 + 1000))], schema=SCHEMA)


def raw(sql: str) -> EngineQuery:
    """What runs this text as it is, over numbers."""
    return raw_query(sql, SCAN)


def run(sql: str, numbers: Numbers | None = None, engine: DuckdbEngine = ENGINE) -> int:
    """Run a text over numbers; returns how many rows it has."""
    return run_query(raw(sql), [numbers or Numbers(3)], engine)


def run_query(query: EngineQuery, scans: Sequence[ScanStream], engine: DuckdbEngine = ENGINE) -> int:
    """Read the rows of a query to the end; returns how many there are."""
    with engine.run(query, scans) as result:
        return sum(batch.num_rows for batch in result)


@pytest.mark.parametrize(
    ("sql", "rows"),
    [
        ("WITH c AS (SELECT uid, userId FROM pay) SELECT 1 FROM c a JOIN c b ON a.userId = b.userId", 6),
        ("SELECT 1 FROM pay a JOIN pay b ON a.userId = b.userId", 6),
        ("SELECT 1 FROM pay a WHERE price = (SELECT MAX(price) FROM pay b WHERE a.uid = b.uid)", 3),
        ("SELECT 1 FROM pay WHERE uid IN (SELECT uid FROM pay) OR uid IN (SELECT uid FROM login)", 6),
    ],
)
def test_a_table_read_several_times_is_read_whole_each_time(sql: str, rows: int) -> None:
    query = lowered(sql)
    scans = [MemoryScan(scan, TABLES[scan.table.name]) for scan in query.plan.scans]
    assert run_query(query, scans) == rows
    assert all(scan.passes >= 1 for scan in scans)


def test_the_schema_is_known_before_the_rows() -> None:
    with ENGINE.run(raw("SELECT n FROM scan_0"), [Numbers(3)]) as result:
        assert result.schema == SCHEMA
        assert sum(batch.num_rows for batch in result) == result.rows_read == 3000


def test_rows_flow_while_they_are_read() -> None:
    numbers = Numbers(10_000)
    with ENGINE.run(raw("SELECT n FROM scan_0"), [numbers]) as result:
        next(iter(result))
        assert 0 < numbers.rows_read < 5_000_000


def test_rows_are_gone_with_the_query() -> None:
    with ENGINE.run(raw("SELECT n FROM scan_0"), [Numbers(3)]) as result:
        pass
    with pytest.raises(SqlError, match="its rows are gone"):
        list(result)


def test_a_limit_ends_the_scan_early() -> None:
    numbers = Numbers(10_000)
    assert run("SELECT n FROM scan_0 LIMIT 5", numbers) == 5
    assert numbers.rows_read < 5_000_000


@pytest.mark.parametrize("error", [StoreUnavailable("gone"), KeyError("any other")])
@pytest.mark.parametrize(
    "sql", ["SELECT n FROM scan_0", "SELECT SUM(n) FROM scan_0", "SELECT n FROM scan_0 ORDER BY n"]
)
@pytest.mark.parametrize("fail_at", [0, 2])
def test_what_a_scan_raises_comes_out_unchanged(error: Exception, sql: str, fail_at: int) -> None:
    with pytest.raises(type(error)) as raised:
        run(sql, Numbers(5, fail_at=fail_at, error=error))
    assert raised.value is error


def test_what_the_reader_raises_comes_out_unchanged() -> None:
    error = StoreUnavailable("the result's server is gone")
    with (
        pytest.raises(StoreUnavailable) as raised,
        ENGINE.run(raw("SELECT n FROM scan_0"), [Numbers(3)]),
    ):
        raise error
    assert raised.value is error


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
def test_the_engine_itself_is_shut_off_from_files_settings_and_our_variables(sql: str) -> None:
    with pytest.raises(SqlError):
        run(sql)


def test_memory_has_a_limit() -> None:
    engine = DuckdbEngine(20 * MIB, threads=2, temp_folder=None)
    with pytest.raises(QueryMemoryExceeded) as error:
        run("SELECT LIST(n || 'some more text') FROM scan_0", Numbers(2000), engine)
    assert "read less" in error.value.hint


def test_a_query_larger_than_memory_spills_into_its_folder(tmp_path: Path) -> None:
    engine = DuckdbEngine(50 * MIB, threads=1, temp_folder=str(tmp_path / "spill"))
    sql = "SELECT n, MD5(n::VARCHAR) || MD5((n + 1)::VARCHAR) AS text FROM scan_0 ORDER BY text"
    assert run(sql, Numbers(1500), engine) == 1_500_000


def test_an_unknown_function_that_reached_the_engine() -> None:
    with pytest.raises(UnknownFunction, match="nosuch"):
        run("SELECT nosuch(n) FROM scan_0")


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT SUM(uid) AS s, TD_TIME_ADD(userid, '1d') FROM pay GROUP BY 2",
        "SELECT CAST(userid AS BIGINT) FROM pay",
        "SELECT price / uid FROM pay",
        "SELECT SUM(userid) FROM pay",
        "SELECT uid FROM pay LIMIT 1",
    ],
)
def test_the_process_ends_without_a_word(sql: str) -> None:
    program = (
        "import sys\n"
        "from logdrain.errors import SqlError\n"
        "from tests.unit.query.event_tables import answer\n"
        "try:\n"
        "    answer(sys.argv[1])\n"
        "except SqlError:\n"
        "    pass\n"
    )
    ended = subprocess.run([sys.executable, "-c", program, sql], capture_output=True, check=False, text=True)
    assert (ended.returncode, ended.stderr) == (0, "")
