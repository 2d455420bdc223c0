"""Mode update: each row takes the place of the one with its key."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pyarrow as pa
import pytest

from logdrain.errors import LeaseLost, ResultColumnConflict, ResultRefused
from logdrain.model.jobs import Mode
from logdrain.ports.transactions import Transaction
from tests.integration.results.result_table import (
    CLAIM,
    HOUR,
    SLICE,
    SLICE_S,
    ResultTable,
    WatchedStream,
    as_poor_role,
    as_stream,
    next_claim,
)


@pytest.fixture(autouse=True)
def updated(table: ResultTable) -> None:
    table.mode, table.unique = Mode.UPDATE, ("uid",)


def unique_indexes(table: ResultTable) -> list[str]:
    found = table.execute(
        "SELECT indexdef FROM pg_indexes WHERE tablename = 'payment_history' AND indexdef LIKE '%UNIQUE%'"
    )
    return [definition for (definition,) in found]


def test_rows_come_and_are_updated_and_stay(table: ResultTable) -> None:
    assert table.add(0, uid=[1, 2], sum=[10, 20]) == 2
    assert table.add(1, uid=[2, 3], sum=[21, 31]) == 2
    assert table.rows() == [(1, 10), (2, 21), (3, 31)]
    assert table.add(2, uid=pa.array([], pa.int64()), sum=pa.array([], pa.int64())) == 0
    assert len(table.rows()) == 3


def test_a_slice_may_run_again_without_a_slice_column(table: ResultTable) -> None:
    table.write({"uid": [1], "sum": [1]}, slice_column=None)
    rerun = next_claim(CLAIM, attempt=1, ran_before=True)
    assert table.write({"uid": [1], "sum": [2]}, rerun, slice_column=None) == 1
    assert table.rows() == [(1, 2)]


def test_a_key_of_several_columns_gets_one_unique_index(table: ResultTable) -> None:
    table.unique = ("time", "category")
    columns = {"category": ["a", "b"], "time": [SLICE_S] * 2, "sum": [1, 2]}
    table.write(columns)
    table.write({**columns, "sum": [3, 4]}, next_claim(CLAIM))
    assert table.rows() == [("a", SLICE, 3), ("b", SLICE, 4)]
    [index] = unique_indexes(table)
    assert index.endswith('("time", category)')


@pytest.mark.parametrize(
    "ddl",
    [
        "CREATE UNIQUE INDEX own ON payment_history (day, uid)",
        "CREATE UNIQUE INDEX own ON payment_history (uid, day) INCLUDE (sum)",
        "ALTER TABLE payment_history ADD CONSTRAINT own PRIMARY KEY (day, uid)",
    ],
)
def test_a_unique_index_that_is_there_is_used(table: ResultTable, ddl: str) -> None:
    table.unique = ("uid", "day")
    table.execute("CREATE TABLE payment_history (uid bigint, day bigint, sum bigint)")
    table.execute(ddl)
    table.add(0, uid=[1], day=[1], sum=[1])
    table.add(1, uid=[1], day=[1], sum=[2])
    assert table.rows() == [(1, 1, 2)]
    assert len(unique_indexes(table)) == 1


@pytest.mark.parametrize(
    "ddl",
    [
        "CREATE UNIQUE INDEX own ON payment_history (uid) WHERE uid > 0",
        "CREATE UNIQUE INDEX own ON payment_history ((uid + 0))",
        "CREATE UNIQUE INDEX own ON payment_history (uid, sum)",
    ],
)
def test_a_unique_index_that_does_not_serve_is_left_alone(table: ResultTable, ddl: str) -> None:
    table.execute("CREATE TABLE payment_history (uid bigint, sum bigint)")
    table.execute(ddl)
    table.add(0, uid=[1], sum=[1])
    table.add(1, uid=[1], sum=[2])
    assert table.rows() == [(1, 2)]
    assert len(unique_indexes(table)) == 2


def test_a_key_that_is_checked_at_the_commit_only_is_refused(table: ResultTable) -> None:
    table.execute("CREATE TABLE payment_history (uid bigint UNIQUE DEFERRABLE)")
    with pytest.raises(ResultRefused, match="deferrable") as raised:
        table.add(0, uid=[1])
    assert "DEFERRABLE: drop it" in raised.value.hint


def test_a_table_whose_rows_repeat_the_key_is_refused(table: ResultTable) -> None:
    table.execute("CREATE TABLE payment_history AS SELECT 1::bigint AS uid FROM generate_series(1, 2)")
    with pytest.raises(ResultRefused, match=r"repeat the key \(uid\) already") as raised:
        table.add(0, uid=[2], new=[1])
    [(uid, count)] = table.execute(raised.value.hint.removeprefix("find them: "))
    assert (uid, count) == (1, 2)
    assert list(table.types()) == ["uid"]


def test_a_key_that_comes_twice_is_refused(table: ResultTable) -> None:
    table.add(0, uid=[1], sum=[1])
    with pytest.raises(ResultRefused, match=r"3 rows .* repeat the key \(uid\)"):
        table.add(1, uid=[1, 2, 2, 3, 3, 3], sum=[9] * 6, new=[1] * 6)
    assert table.types() == {"uid": "bigint", "sum": "bigint"}
    assert table.rows() == [(1, 1)]


def test_keys_that_only_the_tables_type_makes_equal_are_refused(table: ResultTable) -> None:
    table.add(0, uid=[0.5])
    with pytest.raises(ResultRefused, match="a second time") as raised:
        table.add(1, uid=[2**53, 2**53 + 1], sum=[1, 1])
    assert "unique=" in raised.value.hint
    assert table.rows() == [(0.5,)]


@pytest.mark.parametrize("uids", [pa.array([1, None], pa.int64()), pa.nulls(2)], ids=["bigint", "untyped"])
def test_null_in_a_key_is_refused(table: ResultTable, uids: object) -> None:
    with pytest.raises(ResultRefused, match=r"rows .* have NULL in a column of the key \(uid\)") as raised:
        table.add(0, uid=uids, sum=[1, 2])
    assert "COALESCE(uid" in raised.value.hint
    assert table.types() == {}


def test_a_key_that_the_query_does_not_yield_is_refused(table: ResultTable) -> None:
    table.unique = ("user",)
    with pytest.raises(ResultColumnConflict, match='no column "user", which unique= names'):
        table.add(0, uid=[1])


def test_columns_that_the_query_has_not_keep_their_values(table: ResultTable) -> None:
    table.add(0, uid=[1], coupon=["a"])
    table.add(1, uid=[1, 2], sum=[5, 6])
    assert table.rows() == [(1, "a", 5), (2, None, 6)]


def test_columns_widen_the_key_too(table: ResultTable) -> None:
    table.add(0, uid=[1], sum=[1], coupon=pa.nulls(1))
    table.add(1, uid=["1", "x"], sum=[0.5, 1.5], coupon=[7, 8])
    assert table.types() == {"uid": "text", "sum": "double precision", "coupon": "bigint"}
    assert table.rows() == [("1", 0.5, 7), ("x", 1.5, 8)]


def test_a_query_of_nothing_but_its_key(table: ResultTable) -> None:
    table.add(0, uid=[1])
    table.add(1, uid=[1, 2])
    assert table.rows() == [(1,), (2,)]


def test_an_older_slice_leaves_rows_of_a_newer_one_alone(table: ResultTable) -> None:
    newer = replace(CLAIM, scheduled_at=SLICE + HOUR, run_id=2)
    table.write({"time": [SLICE_S + 3600], "uid": [1], "sum": [2]}, newer)
    table.write({"time": [SLICE_S] * 2, "uid": [1, 2], "sum": [1, 1]}, replace(CLAIM, run_id=3))
    assert table.rows() == [(SLICE, 2, 1), (SLICE + HOUR, 1, 2)]


@pytest.mark.parametrize(
    "name", ['quote"d', "per%cent %s {braces}", "Große Straße 日本語", "é" * 30, "é" * 40]
)
def test_a_key_of_any_name(table: ResultTable, name: str) -> None:
    table.unique = (name,)
    table.add(0, **{name: [1], "sum " + name: [1]})
    table.add(1, **{name: [1], "sum " + name: [2]})
    assert table.rows() == [(1, 2)]


def test_grants_and_views_survive(table: ResultTable) -> None:
    table.add(0, uid=[1], sum=[1])
    table.execute("CREATE VIEW report AS SELECT sum FROM payment_history")
    with as_poor_role(table) as (role, poor):
        table.execute(f"GRANT USAGE, CREATE ON SCHEMA public TO {role}")
        table.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON payment_history, logdrain_marks TO {role}")
        poor.add(1, uid=[1], sum=[2])
    assert table.execute("SELECT * FROM report") == [(2,)]


def test_many_rows(table: ResultTable) -> None:
    row_count = 50_000
    uids = pa.array(range(row_count))
    table.add(0, uid=uids, sum=uids)
    more = pa.array(range(row_count // 2, row_count // 2 + row_count))
    assert table.add(1, uid=more, sum=pa.array([-1] * row_count)) == row_count
    assert table.execute("SELECT count(*), count(*) FILTER (WHERE sum = -1) FROM payment_history") == [
        (row_count // 2 + row_count, row_count)
    ]


def test_writers_at_once(table: ResultTable) -> None:
    """All of them find no table, and half of each one's rows are another's."""
    hours = range(8)

    def write(hour: int) -> int:
        return table.add(hour, uid=list(range(hour, hour + 2)), sum=[hour] * 2)

    with ThreadPoolExecutor(len(hours)) as pool:
        assert list(pool.map(write, hours)) == [2] * len(hours)
    assert [row[0] for row in table.rows()] == list(range(9))
    assert len(unique_indexes(table)) == 1


def test_a_worker_that_was_overtaken_writes_nothing(table: ResultTable) -> None:
    def overtake() -> None:
        table.write({"uid": [1], "sum": [2]}, next_claim(CLAIM), slice_column=None)

    with pytest.raises(LeaseLost):
        table.write(WatchedStream(as_stream({"uid": [1], "sum": [1]}), on_read=overtake), slice_column=None)
    assert table.rows() == [(1, 2)]


def test_a_lost_lease_rolls_everything_back(ledger_table: ResultTable) -> None:
    def lose_lease(_: Transaction) -> None:
        raise LeaseLost("another worker has the slice")

    ledger_table.mode, ledger_table.unique = Mode.UPDATE, ("uid",)
    with pytest.raises(LeaseLost):
        ledger_table.write({"uid": [1]}, slice_column=None, commit_note=lose_lease)
    assert ledger_table.types() == {}
