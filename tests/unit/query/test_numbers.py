"""Numbers, NULL and casts mean on the engine what they mean in each dialect."""

from typing import Any

import pytest

from logdrain.errors import NumberOverflow, SqlError, SqlTypeError
from logdrain.model.plans import Dialect
from tests.unit.query.event_tables import Tables, answer, one, rows, select

BIG = 2**62
TABLES = {"production.pay": [{"time": n, "big": BIG, "n": n} for n in range(3)]}


@pytest.mark.parametrize(
    ("expression", "trino", "hive"),
    [
        ("7 / 2", 3, 3.5),
        ("-7 / 2", -3, -3.5),
        ("7 % -2", 1, 1),
        ("-7 % 2", -1, -1),
        ("7 / 2.0", 3.5, 3.5),
        ("(9007199254740993 + 0) / 1", 9007199254740993, None),
        ("SUM(price) / 7", 214, 1500 / 7),
        ("SUM(price) FILTER (WHERE price > 300) / 2", 450, None),
        ("COUNT(*) / 4", 1, 1.5),
        ("100 * COUNT_IF(price > 100) / COUNT(*)", 66, None),
        ("CAST(2.5 AS BIGINT)", 3, 2),
        ("CAST(-2.5 AS BIGINT)", -3, -2),
        ("CAST(CAST(0.5 AS DOUBLE) AS BIGINT)", 1, 0),
        ("TRY_CAST('x' AS BIGINT)", None, None),
        ("AVG(price)", 250.0, 250.0),
        ("MAX(NULLIF(uid, 2))", 1, 1),
    ],
)
def test_arithmetic(expression: str, trino: Any, hive: Any) -> None:
    assert one(select(expression, "pay LIMIT 1")) == trino
    if hive is not None:
        assert one(select(expression, "pay LIMIT 1"), dialect=Dialect.HIVE) == hive


def test_a_cast_that_fails_is_an_error_in_trino_and_null_in_hive() -> None:
    with pytest.raises(SqlTypeError) as error:
        one("SELECT CAST('x' AS BIGINT)")
    assert "Could not convert string 'x' to BIGINT" in error.value.located
    assert "TRY_CAST" in error.value.hint
    assert one("SELECT CAST('x' AS BIGINT)", dialect=Dialect.HIVE) is None


def test_division_by_zero_is_an_error_in_trino_and_null_in_hive() -> None:
    with pytest.raises(SqlError, match="Division by zero"):
        one("SELECT MAX(price / uid) FROM pay")
    assert one("SELECT MIN(price / uid) FROM pay WHERE uid = 0", dialect=Dialect.HIVE) is None


@pytest.mark.parametrize(
    "expression",
    [
        "SUM(price)",
        "SUM(DISTINCT price)",
        "SUM(price) FILTER (WHERE uid = 1)",
        "SUM(price) OVER (ORDER BY price)",
        "SUM(CASE WHEN uid = 1 THEN 1 ELSE 0 END)",
        "COUNT_IF(paid)",
        "COUNT(*)",
        "MAX(price)",
        "SUM(coupon)",
        "SUM(LENGTH(REVERSE(userid)))",
        "(SELECT SUM(uid) FROM login)",
    ],
)
def test_whole_numbers_leave_as_bigint(expression: str) -> None:
    assert str(answer(select(expression, "pay")).schema.types[0]) == "int64"


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        ("SUM(big)", "sum(big): 13835058055282163712 does not fit BIGINT"),
        ("SUM(big) OVER ()", "does not fit BIGINT"),
        ("MAX(big * 4)", "Overflow in multiplication of BIGINT"),
        ("99999999999999999999 AS x", "x: 99999999999999999999 does not fit BIGINT"),
    ],
)
def test_overflow_is_an_error_that_names_the_expression(expression: str, message: str) -> None:
    with pytest.raises(NumberOverflow) as error:
        rows(select(expression, "pay"), TABLES)
    assert message in error.value.located


@pytest.mark.parametrize(
    ("field", "read_as"),
    [("n", "BIGINT"), ("x", "BIGINT"), ("d", "DOUBLE"), ("s", "DOUBLE"), ("m", "DOUBLE"), ("b", "BIGINT")],
)
def test_a_cast_without_a_type_is_a_cast_to_a_number(field: str, read_as: str) -> None:
    records = [{"time": n, "n": n, "d": n / 2, "s": "12", "m": 1 if n else "a", "b": True} for n in range(2)]
    found = answer(select(f"CAST({field})", "pay"), {"production.pay": records})
    warning = f"line 1, column 13: CAST(pay.{field}) has no type and is read as a cast to {read_as}"
    assert any(text.startswith(warning) for text in found.plan.warnings)
    assert str(found.schema.types[0]) == {"BIGINT": "int64", "DOUBLE": "double"}[read_as]


def test_the_order_of_nulls() -> None:
    tables: Tables = {"production.pay": [{"time": 1, "n": 1}, {"time": 2, "n": None}]}
    ascending, descending = "SELECT n FROM pay ORDER BY n", "SELECT n FROM pay ORDER BY n DESC"
    assert rows(ascending, tables) == [(1,), (None,)]
    assert rows(descending, tables) == [(1,), (None,)]
    assert rows(ascending, tables, dialect=Dialect.HIVE) == [(None,), (1,)]
    assert rows(descending, tables, dialect=Dialect.HIVE) == [(1,), (None,)]
