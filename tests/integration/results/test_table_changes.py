from decimal import Decimal

import pyarrow as pa
import pytest

from logdrain.errors import ResultColumnConflict, ResultRefused
from tests.integration.results.result_table import (
    CLAIM,
    SLICE,
    SLICE_S,
    ResultTable,
    as_poor_role,
    next_claim,
)


def test_a_new_column_is_added_and_a_column_that_is_gone_stays(table: ResultTable) -> None:
    table.add(0, sum=[1])
    table.add(1, count=[2])
    assert table.types() == {"sum": "bigint", "count": "bigint"}
    assert table.rows() == [(1, None), (None, 2)]


def test_numbers_widen_step_by_step_and_keep_their_values(table: ResultTable) -> None:
    table.add(0, sum=[2**63 - 1])
    table.add(1, sum=pa.array([Decimal(10**30)], pa.decimal128(38, 0)))
    assert table.types() == {"sum": "numeric"}
    assert table.rows() == [(Decimal(2**63 - 1),), (Decimal(10**30),)]
    table.add(2, sum=[0.5])
    assert table.types() == {"sum": "double precision"}
    assert table.rows() == [(0.5,), (2.0**63,), (1e30,)]
    table.add(3, sum=[7])
    assert table.types() == {"sum": "double precision"}


def test_text_takes_any_value_and_any_column_may_become_text(table: ResultTable) -> None:
    table.add(0, value=[1.5])
    table.add(1, value=["x"])
    table.add(2, value=[7])
    table.add(3, value=[True])
    table.add(4, value=pa.array([SLICE], pa.timestamp("us", "UTC")))
    assert table.types() == {"value": "text"}
    assert {value for (value,) in table.rows()} == {"1.5", "x", "7", "true", "2012-03-01 00:00:00+00"}


def test_a_conflict_names_both_types_and_changes_nothing(table: ResultTable) -> None:
    table.add(0, bought=[True])
    with pytest.raises(ResultColumnConflict) as raised:
        table.add(1, bought=[1], extra=[1])
    assert raised.value.located == (
        'column "bought" of table "public"."payment_history" is boolean, the query yields bigint'
    )
    assert 'DROP COLUMN "bought"' in raised.value.hint
    assert table.types() == {"bought": "boolean"}
    assert table.rows() == [(True,)]


def test_a_conflict_about_time_says_how_to_keep_unix_seconds(table: ResultTable) -> None:
    table.execute("CREATE TABLE payment_history (time bigint)")
    table.execute("INSERT INTO payment_history VALUES (1)")
    with pytest.raises(ResultColumnConflict, match=r"\?time=unix"):
        table.write({"time": [SLICE_S]})


def test_a_column_with_no_value_takes_any_type(table: ResultTable) -> None:
    table.add(0, value=pa.array([None], pa.bool_()), sum=[1])
    table.add(1, value=[7], sum=[2])
    assert table.types() == {"value": "bigint", "sum": "bigint"}
    assert table.rows() == [(7, 2), (None, 1)]


def test_a_column_that_nobody_used_yet_gets_its_type_with_the_first_value(table: ResultTable) -> None:
    table.add(0, coupon=pa.nulls(1))
    assert table.types() == {"coupon": "text"}
    table.add(1, coupon=pa.nulls(1))
    table.add(2, coupon=[5])
    assert table.types() == {"coupon": "bigint"}
    assert table.execute("SELECT col_description('payment_history'::regclass, 1)") == [(None,)]
    table.add(3, coupon=pa.nulls(1))
    assert table.rows() == [(5,), (None,), (None,), (None,)]


def test_an_added_column_may_be_untyped_too(table: ResultTable) -> None:
    table.add(0, sum=[1])
    table.add(1, sum=[1], coupon=pa.nulls(1))
    table.add(2, sum=[1], coupon=[True])
    assert table.types()["coupon"] == "boolean"


def test_a_text_column_made_by_hand_stays_text_though_it_is_empty(table: ResultTable) -> None:
    table.execute("CREATE TABLE payment_history (price text)")
    table.add(0, price=[7])
    assert table.types() == {"price": "text"}
    assert table.rows() == [("7",)]


def test_a_table_made_by_hand_keeps_its_wider_types_and_its_constraints(table: ResultTable) -> None:
    table.execute("CREATE TABLE payment_history (id serial, name varchar(3), price numeric(30,2), n integer)")
    table.add(0, name=["abc"], price=[5], n=[2**40])
    assert table.types() == {
        "id": "integer",
        "name": "character varying(3)",
        "price": "numeric(30,2)",
        "n": "bigint",
    }
    with pytest.raises(ResultRefused, match=r"value too long for type character varying\(3\)"):
        table.add(1, name=["abcd"], price=[5], n=[1])
    assert len(table.rows()) == 1


def test_what_is_not_needed_is_not_done(table: ResultTable) -> None:
    """A view on the table would stand in the way of a change of type."""
    table.add(0, sum=[1])
    table.execute("CREATE VIEW report AS SELECT sum FROM payment_history")
    table.add(1, sum=[2])
    with pytest.raises(ResultRefused, match="used by a view") as raised:
        table.add(2, sum=[0.5])
    assert "drop it" in raised.value.hint
    assert table.rows() == [(1,), (2,)]


def test_a_view_or_a_missing_schema_is_refused(table: ResultTable) -> None:
    table.execute("CREATE VIEW payment_history AS SELECT 1 AS sum")
    with pytest.raises(ResultRefused, match="is no table"):
        table.add(0, sum=[1])
    table.schema = "analytics"
    with pytest.raises(ResultRefused, match='has not schema "analytics"') as raised:
        table.add(0, sum=[1])
    assert raised.value.hint == 'CREATE SCHEMA "analytics"'


def test_what_a_constraint_refuses_names_the_constraint_and_no_row(table: ResultTable) -> None:
    table.execute("CREATE TABLE payment_history (uid bigint CONSTRAINT one_each UNIQUE)")
    table.add(0, uid=[123454321])
    with pytest.raises(ResultRefused, match="one_each") as raised:
        table.add(1, uid=[123454321])
    assert "123454321" not in str(raised.value)


def test_a_missing_privilege_says_what_to_grant(table: ResultTable) -> None:
    table.execute("CREATE TABLE payment_history (sum bigint)")
    with as_poor_role(table) as (role, poor):
        with pytest.raises(ResultRefused, match="permission denied for table payment_history") as raised:
            poor.add(0, sum=[1])
        assert (
            f'GRANT SELECT, INSERT, UPDATE, DELETE ON "public"."payment_history" TO "{role}"'
            in raised.value.hint
        )
        assert "poor:" not in str(raised.value)


def test_the_slice_column_may_come_later(table: ResultTable) -> None:
    table.add(0, sum=[1])
    table.write({"time": [SLICE_S], "sum": [2]}, next_claim(CLAIM))
    table.write({"time": [SLICE_S], "sum": [3]}, next_claim(next_claim(CLAIM)))
    assert table.rows() == [(1, None), (3, SLICE)]
