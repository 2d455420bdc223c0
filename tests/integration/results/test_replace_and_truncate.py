"""Modes replace and truncate: the table holds one run's rows and no others."""

import pyarrow as pa
import pytest

from logdrain.errors import ResultColumnConflict, ResultRefused
from logdrain.model.jobs import Mode
from tests.integration.results.result_table import (
    CLAIM,
    SLICE,
    SLICE_S,
    ResultTable,
    as_poor_role,
    next_claim,
)

BOTH = pytest.mark.parametrize("mode", [Mode.REPLACE, Mode.TRUNCATE])
NO_ROWS = pa.array([], pa.int64())


AGAIN = next_claim(CLAIM, attempt=1, ran_before=True)


@BOTH
def test_nothing_but_the_last_runs_rows_is_there(table: ResultTable, mode: Mode) -> None:
    table.mode = mode
    for hour, uids in enumerate([[1, 2], [2, 3, 4, 5], [6], []]):
        assert table.add(hour, uid=pa.array(uids, pa.int64())) == len(uids)
        assert table.rows() == [(uid,) for uid in uids]


@BOTH
def test_a_slice_may_run_again_without_a_slice_column(table: ResultTable, mode: Mode) -> None:
    table.mode = mode
    table.write({"uid": [1, 2]}, slice_column=None)
    assert table.write({"uid": [1, 3]}, AGAIN, slice_column=None) == 2
    assert table.rows() == [(1,), (3,)]


@BOTH
def test_an_empty_result_creates_the_table(table: ResultTable, mode: Mode) -> None:
    table.mode = mode
    table.schema = "analytics"
    table.execute("CREATE SCHEMA analytics")
    assert table.write({"time": NO_ROWS, "uid": NO_ROWS}) == 0
    assert table.types() == {"time": "timestamp with time zone", "uid": "bigint"}
    assert table.execute("SELECT table_name, schedule, scheduled_at FROM analytics.logdrain_contents") == [
        ("payment_history", "pay_hourly", SLICE)
    ]


@BOTH
def test_rows_may_have_any_time(table: ResultTable, mode: Mode) -> None:
    table.mode, table.unix_time = mode, True
    table.write({"time": pa.array([SLICE_S, None], pa.int64())})
    assert table.write({"time": pa.array([SLICE_S, None], pa.int64())}, AGAIN) == 2
    assert table.rows() == [(SLICE_S,), (None,)]


@BOTH
def test_grants_indexes_and_views_survive(table: ResultTable, mode: Mode) -> None:
    table.mode = mode
    table.add(0, uid=[1], sum=[1])
    with as_poor_role(table) as (role, poor):
        table.execute(f"GRANT SELECT ON payment_history TO {role}")
        table.execute("CREATE VIEW report AS SELECT sum FROM payment_history")
        table.execute("CREATE INDEX by_uid ON payment_history (uid, sum)")
        # In another order, and with a column more.
        table.add(1, coupon=["a"], sum=[2], uid=[2])
        assert poor.rows() == [(2, 2, "a")]
    assert table.execute("SELECT * FROM report") == [(2,)]
    assert table.execute("SELECT indexname FROM pg_indexes WHERE tablename = 'payment_history'") == [
        ("by_uid",)
    ]


@BOTH
def test_columns_widen(table: ResultTable, mode: Mode) -> None:
    table.mode = mode
    table.add(0, sum=[2**60], coupon=pa.nulls(1))
    table.add(1, sum=[0.5], coupon=[True])
    table.add(2, sum=[7], coupon=pa.nulls(1))
    assert table.types() == {"sum": "double precision", "coupon": "boolean"}
    assert table.rows() == [(7.0, None)]


def test_truncate_keeps_columns_that_the_query_has_not(table: ResultTable) -> None:
    table.mode = Mode.TRUNCATE
    table.execute("CREATE TABLE payment_history (note text, uid bigint)")
    table.execute("INSERT INTO payment_history VALUES ('by hand', 1)")
    table.add(0, uid=[2])
    assert table.rows() == [(None, 2)]


def test_truncate_refuses_another_type(table: ResultTable) -> None:
    table.mode = Mode.TRUNCATE
    table.add(0, bought=[True])
    with pytest.raises(ResultColumnConflict, match="is boolean, the query yields bigint"):
        table.add(1, bought=[1])
    assert table.rows() == [(True,)]


def test_replace_lets_the_columns_follow_the_query(table: ResultTable) -> None:
    table.mode = Mode.REPLACE
    table.add(0, old=["x"], bought=[True], sum=[1])
    table.execute("ALTER TABLE payment_history ALTER COLUMN bought SET NOT NULL")
    table.add(1, sum=[2], bought=[7], new=["y"])
    assert table.types() == {"bought": "bigint", "sum": "bigint", "new": "text"}
    assert table.rows() == [(7, 2, "y")]


def test_replace_drops_no_column_that_a_view_uses(table: ResultTable) -> None:
    table.mode = Mode.REPLACE
    table.add(0, uid=[1], sum=[1])
    table.execute("CREATE VIEW report AS SELECT sum FROM payment_history")
    with pytest.raises(ResultRefused, match="cannot drop column sum") as raised:
        table.add(1, uid=[2])
    assert "mode=truncate keeps such columns" in raised.value.hint
    assert table.rows() == [(1, 1)]


@pytest.mark.parametrize(
    ("ddl", "lost"),
    [
        ("CREATE INDEX by_both ON payment_history (uid, sum)", "index by_both"),
        ("CREATE INDEX by_total ON payment_history ((uid + sum))", "index by_total"),
        ("ALTER TABLE payment_history ADD CONSTRAINT one_each UNIQUE (sum, uid)", "constraint one_each"),
        ("ALTER TABLE payment_history ADD CONSTRAINT in_order CHECK (uid < sum)", "constraint in_order"),
    ],
)
def test_replace_takes_along_nothing_that_stands_on_other_columns_too(
    table: ResultTable, ddl: str, lost: str
) -> None:
    table.mode = Mode.REPLACE
    table.add(0, uid=[1], sum=[2])
    table.execute(ddl)
    with pytest.raises(ResultRefused, match=lost) as raised:
        table.add(1, uid=[2])
    assert "drop that yourself" in raised.value.hint
    assert table.rows() == [(1, 2)]


def test_replace_drops_a_column_with_its_own_index(table: ResultTable) -> None:
    table.mode = Mode.REPLACE
    table.add(0, uid=[1], sum=[2])
    table.execute("CREATE INDEX by_sum ON payment_history (sum)")
    table.add(1, uid=[2])
    assert table.types() == {"uid": "bigint"}


@pytest.mark.parametrize(
    "name", ['quote"d', "per%cent %s {braces}", "Große Straße 日本語", "é" * 30, "é" * 40]
)
def test_columns_of_any_name_come_and_go(table: ResultTable, name: str) -> None:
    table.mode = Mode.REPLACE
    table.add(0, **{name: [1], "uid": [1]})
    table.add(1, **{name: [0.5], "uid": [1]})
    assert list(table.types().values()) == ["double precision", "bigint"]
    table.add(2, uid=[2])
    assert table.rows() == [(2,)]
