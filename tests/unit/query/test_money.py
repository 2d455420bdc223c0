"""Prices and counts of real tables: text, decimals and doubles, lists and maps by number, percentiles."""

from decimal import Decimal
from typing import Any

import pytest

from logdrain.model.plans import Dialect
from tests.unit.query.event_tables import Tables, answer, one, select

PRICES = (("2.55", 2), ("1.10", -1), ("0.001", 3), ("x", 1))
SALES: Tables = {
    "production.sale": [
        {"time": n, "price": price, "quantity": quantity, "code": n}
        for n, (price, quantity) in enumerate(PRICES)
    ]
}


def of_sales(expression: str, dialect: Dialect = Dialect.TRINO) -> Any:
    ((value,),) = answer(select(expression, "sale"), SALES, dialect=dialect).rows
    return value


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("ROUND(SUM(quantity * price), 3)", 4.003),
        ("ROUND(SUM(price * quantity + 1), 3)", 7.003),
        ("ROUND(SUM(IF(quantity > 0, quantity * price, 0)), 3)", 5.103),
        ("ROUND(SUM(price - quantity), 3)", -0.349),
        ("SUM(quantity % '1.5')", 0.5),
        ("ROUND(SUM(price * price), 4)", 7.7125),
        ("SUM(quantity)", 5),
    ],
)
def test_text_beside_a_number_is_a_double_in_sums_too(expression: str, value: Any) -> None:
    assert of_sales(expression, Dialect.HIVE) == value


@pytest.mark.parametrize(
    ("expression", "trino", "hive"),
    [
        ("CAST('2.55' AS DECIMAL)", "3", "3"),
        ("CAST(2.4 AS DECIMAL)", "2", "2"),
        ("CAST('12345678901' AS DECIMAL)", "12345678901", None),
        ("CAST('2.555' AS DECIMAL(10, 2))", "2.56", "2.56"),
        ("DECIMAL '1.2345'", "1.2345", None),
        ("DECIMAL '-0.50' * DECIMAL '2.0'", "-1.000", None),
        ("DECIMAL '12345678901234567890.12345678'", "12345678901234567890.12345678", None),
    ],
)
def test_decimals_have_the_digits_of_the_dialect(expression: str, trino: str, hive: str | None) -> None:
    assert str(one(select(expression))) == trino
    if not expression.startswith("DECIMAL"):
        expected = None if hive is None else Decimal(hive)
        assert one(select(expression), dialect=Dialect.HIVE) == expected


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("ARRAY[7, 8, 9][n]", 8),
        ("ARRAY[7, 8, 9][n + 1]", 9),
        ("ARRAY[7, 8, 9][2]", 8),
        ("SPLIT('a,b,c', ',')[n]", "b"),
        ("ELEMENT_AT(ARRAY[7, 8, 9], n)", 8),
        ("l[n]", 6),
        ("m[2]", "b"),
        ("m[n]", "b"),
        ("made[2]", "x"),
        ("made[n]", "x"),
        ("MAP(ARRAY[1, 2], ARRAY['a', 'b'])[2]", "b"),
        ("lists[2][1]", "x"),
    ],
)
def test_lists_count_from_1_and_maps_by_their_keys_in_trino(expression: str, value: Any) -> None:
    maps = "MAP(ARRAY[1, 2, 3], ARRAY['a', 'b', 'c']) AS m, MAP_AGG(2, 'x') AS made"
    made = f"2 AS n, ARRAY[5, 6] AS l, {maps}, MULTIMAP_AGG(2, 'x') AS lists"
    assert one(select(expression, f"({select(made)}) t")) == value


@pytest.mark.parametrize(
    ("expression", "value"),
    [("ARRAY(7, 8, 9)[n]", 9), ("ARRAY(7, 8, 9)[1]", 8), ("l[n - 1]", 6), ("m[2]", "b"), ("m[n]", "b")],
)
def test_lists_count_from_0_in_hive(expression: str, value: Any) -> None:
    made = "2 AS n, ARRAY(5, 6) AS l, MAP(1, 'a', 2, 'b') AS m"
    assert one(select(expression, f"({select(made)}) t"), dialect=Dialect.HIVE) == value


@pytest.mark.parametrize(
    "map_of",
    [
        "HISTOGRAM(code)",
        "MAP_AGG(code, price)",
        "MAP_CONCAT(MAP_AGG(code, 2), MAP_AGG(code, 3))",
        "MAP_FILTER(HISTOGRAM(code), (k, v) -> v = 1)",
        "TRANSFORM_VALUES(HISTOGRAM(code), (k, v) -> v + 1)",
        "MAP_FROM_ENTRIES(MAP_ENTRIES(HISTOGRAM(code)))",
    ],
)
def test_cardinality_of_maps(map_of: str) -> None:
    assert of_sales(f"CARDINALITY({map_of})") == len(PRICES)


@pytest.mark.parametrize(
    ("arguments", "bucket"),
    [
        ("5.3e0, 0.2e0, 10.6e0, 5", 3),
        ("0, 1, 5, 4", 0),
        ("5, 1, 5, 4", 5),
        ("4, 5, 0, 5", 2),
        ("6, 5, 0, 5", 0),
        ("0, 5, 0, 5", 6),
        ("2.5e0, ARRAY[1e0, 2e0, 3e0]", 2),
        ("1e0, ARRAY[1e0, 2e0, 3e0]", 1),
        ("0e0, ARRAY[1e0]", 0),
        ("CAST(NULL AS DOUBLE), ARRAY[1e0]", None),
    ],
)
def test_width_bucket(arguments: str, bucket: int | None) -> None:
    assert one(select(f"WIDTH_BUCKET({arguments})")) == bucket


def test_percentile_approx_is_a_value_that_is_there_in_whatever_order() -> None:
    values = [-8, -5, -5, -2, 191, 911]
    for ordered in (values, values[::-1]):
        tables = {"production.pay": [{"time": n, "x": x} for n, x in enumerate(ordered)]}
        found = answer(
            "SELECT PERCENTILE_APPROX(x, 0.5), PERCENTILE_APPROX(x, ARRAY(0.25, 0.99)), "
            "PERCENTILE_APPROX(x, 0.8, 100) FROM pay",
            tables=tables,
            dialect=Dialect.HIVE,
        )
        assert found.rows == [(-5.0, [-5.0, 911.0], 191.0)]


@pytest.mark.parametrize(
    ("expression", "count"),
    [("code % 2, UPPER(price)", 4), ("code % 2, 1", 2), ("code, NULLIF(price, 'x')", 3)],
)
def test_pairs_are_counted_without_those_that_have_null(expression: str, count: int) -> None:
    assert of_sales(f"COUNT(DISTINCT {expression})", Dialect.HIVE) == count


DOUBLES: Tables = {
    "production.sale": [{"time": n, "x": x, "big": n == 0} for n, x in enumerate([47904.775, *[0.1] * 1000])]
}


@pytest.mark.parametrize("dialect", list(Dialect))
@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("SUM(x)", 48004.775),
        ("ROUND(SUM(x), 2)", 48004.78),
        ("SUM(x) FILTER (WHERE x < 1)", 100.0),
        ("SUM(CASE WHEN x < 1 THEN x END)", 100.0),
        ("SUM(DISTINCT x)", 47904.875),
        ("AVG(x)", 48004.775 / 1001),
        ("SUM(x * 2)", 96009.55),
        ("SUM(CASE WHEN x > 1e300 THEN x END)", None),
        ("SUM(x * 1e308)", float("inf")),
        ("SUM(1.10)", Decimal("1101.10")),
        ("SUM(1.5 * CAST(1 AS DECIMAL(3, 1)))", Decimal("1501.50")),
    ],
)
def test_doubles_are_added_with_their_error(expression: str, value: Any, dialect: Dialect) -> None:
    ((found,),) = answer(select(expression, "sale"), DOUBLES, dialect=dialect).rows
    assert found == (
        pytest.approx(value, rel=3e-16) if isinstance(value, float) else value
    )  # a digit of a double
    assert type(found) is type(value)


def test_sums_of_doubles_in_having_order_by_and_rollup() -> None:
    sql = "SELECT big, SUM(x) AS s FROM sale GROUP BY ROLLUP (big) HAVING SUM(x) > 2 ORDER BY SUM(x), big"
    found = answer(sql, DOUBLES).rows
    assert [big for big, _ in found] == [False, True, None]
    assert [total for _, total in found] == pytest.approx([100.0, 47904.775, 48004.775], rel=3e-16)
