"""Which queries the store can answer alone, and why others cannot."""

import pytest

from logdrain.model.plans import Aggregation, Dialect, FixedValue, GroupKey, Measure
from tests.unit.query.event_tables import plan, select


def aggregation(sql: str, dialect: Dialect = Dialect.TRINO) -> Aggregation:
    planned = plan(sql, dialect=dialect)
    assert planned.aggregation is not None, planned.not_aggregated
    assert planned.not_aggregated == ""
    assert planned.aggregation.scan == planned.scans[0]
    return planned.aggregation


def words(source: GroupKey | Measure | FixedValue) -> str:
    if isinstance(source, FixedValue):
        return f"{source.value!r} {source.kind}"
    path = ".".join(source.path)
    return (
        f"{path} {source.kind}"
        if isinstance(source, GroupKey)
        else f"{source.function}({path}) {source.kind}"
    )


@pytest.mark.parametrize("dialect", list(Dialect))
@pytest.mark.parametrize(
    ("sql", "outputs"),
    [
        ("SELECT COUNT(*) FROM pay", ["COUNT() BIGINT"]),
        ("SELECT COUNT(1), COUNT('x') FROM pay", ["COUNT() BIGINT"] * 2),
        ("SELECT uid, SUM(price) FROM pay GROUP BY uid", ["uid BIGINT", "SUM(price) BIGINT"]),
        ("SELECT uid FROM pay GROUP BY 1", ["uid BIGINT"]),
        ("SELECT COUNT(*) FROM pay GROUP BY paid", ["COUNT() BIGINT"]),
        ("SELECT SUM(rate), AVG(price) FROM pay", ["SUM(rate) DOUBLE", "AVG(price) DOUBLE"]),
        ("SELECT SUM(CAST(price AS BIGINT)) FROM pay", ["SUM(price) BIGINT"]),
        ("SELECT COUNT(tags), COUNT(code) FROM pay", ["COUNT(tags) BIGINT", "COUNT(code) BIGINT"]),
        ("SELECT MIN(time), MAX(paid) FROM pay", ["MIN(time) BIGINT", "MAX(paid) BOOLEAN"]),
        (
            "SELECT item.maker.name AS m, COUNT(*) FROM pay p GROUP BY m",
            ["item.maker.name VARCHAR", "COUNT() BIGINT"],
        ),
        (
            "SELECT TD_SCHEDULED_TIME(), 'x', COUNT(*) FROM pay",
            ["1330560000 BIGINT", "'x' VARCHAR", "COUNT() BIGINT"],
        ),
        ("SELECT COUNT(*) FROM pay WHERE uid > 1 AND price IN (1, 2) AND paid = TRUE", ["COUNT() BIGINT"]),
        ("SELECT COUNT(*) FROM pay WHERE time = 5 AND time BETWEEN 3 AND 9", ["COUNT() BIGINT"]),
        ("SELECT _origin.app, COUNT(*) FROM pay GROUP BY 1", ["_origin.app VARCHAR", "COUNT() BIGINT"]),
    ],
)
def test_the_store_can(sql: str, outputs: list[str], dialect: Dialect) -> None:
    assert [words(output.source) for output in aggregation(sql, dialect).outputs] == outputs


@pytest.mark.parametrize(
    ("sql", "reason"),
    [
        ("SELECT COUNT(*) FROM pay HAVING COUNT(*) + 1 > 1", "COUNT(*) + 1 is more than a column"),
        ("SELECT COUNT(*) FROM pay HAVING COUNT(*) > 1 OR MIN(uid) > 1", "HAVING has more than comparisons"),
        ("SELECT COUNT(*) FROM pay HAVING COUNT(*) > 1.5", "HAVING compares two types"),
        ("SELECT COUNT(*) FROM pay HAVING COUNT(*) IN (1, NULL)", "HAVING compares two types"),
        ("SELECT COUNT(*) FROM pay HAVING SUM(rate) > 1", "HAVING compares a sum of doubles"),
        ("SELECT COUNT(*) FROM pay HAVING AVG(rate) IS NULL AND AVG(rate) < 1", "a sum of doubles"),
        ("SELECT uid FROM pay GROUP BY uid ORDER BY -uid", "more than a column"),
        ("SELECT uid FROM pay GROUP BY uid ORDER BY AVG(rate) LIMIT 1", "ORDER BY with LIMIT compares a sum"),
        ("SELECT COUNT(*) FROM pay LIMIT ALL", "LIMIT is more than a number"),
        ("SELECT DISTINCT uid, COUNT(*) FROM pay GROUP BY uid", "SELECT DISTINCT compares whole rows"),
        ("SELECT COUNT(*) FROM pay p JOIN login l ON p.uid = l.uid", "it is not one SELECT over one table"),
        (
            "SELECT COUNT(*) FROM pay UNION ALL SELECT COUNT(*) FROM pay",
            "it is not one SELECT over one table",
        ),
        ("SELECT COUNT(*) FROM (SELECT uid FROM pay)", "its table stands in a subquery"),
        ("SELECT COUNT(*) FROM pay TABLESAMPLE BERNOULLI (10)", "its table stands in a subquery"),
        ("SELECT COUNT(*) FROM pay CROSS JOIN UNNEST(tags) AS t(tag)", "it has a JOIN"),
        ("SELECT uid, COUNT(*) FROM pay GROUP BY ROLLUP (uid)", "it groups by ROLLUP (pay.uid)"),
        ("SELECT SUM(price) + 1 FROM pay", "pay.price) + 1 is more than a column"),
        ("SELECT SUM(price * 2) FROM pay", "SUM(pay.price * 2) is not of a column alone"),
        ("SELECT SUM(price) FILTER (WHERE paid) FROM pay", "is more than a column"),
        ("SELECT SUM(price) OVER () FROM pay", "is more than a column"),
        ("SELECT COUNT(DISTINCT uid) FROM pay", "COUNT(DISTINCT pay.uid) is not of a column alone"),
        ("SELECT COUNT(NULL) FROM pay", "COUNT(NULL) is not of a column alone"),
        ("SELECT APPROX_DISTINCT(uid) FROM pay", "is more than a column"),
        ("SELECT 5, COUNT(*) FROM pay", "5 is more than a column or a plain aggregate"),
        ("SELECT code, COUNT(*) FROM pay GROUP BY code", "it groups by code, which has held int and string"),
        ("SELECT rate, COUNT(*) FROM pay GROUP BY rate", "it groups by rate, which has held double and int"),
        ("SELECT time, COUNT(*) FROM pay GROUP BY time", "it groups by time, which has held date"),
        ("SELECT time / 3600, COUNT(*) FROM pay GROUP BY 1", "which is more than a column"),
        ("SELECT SUM(time) FROM pay", "SUM of time, which has held date"),
        ("SELECT MAX(tags) FROM pay", "MAX of tags, which has held array"),
        ("SELECT SUM(coupon) FROM pay", "SUM of coupon, which no event has had"),
        ("SELECT COUNT(coupon) FROM pay", "COUNT of coupon, which no event has had"),
        ("SELECT COUNT(_time) FROM pay", "COUNT of _time, which no event has had"),
        ("SELECT COUNT(*) FROM pay WHERE uid + 1 = 2", "a filter is left to the engine"),
        ("SELECT COUNT(*) FROM pay WHERE time IN (3, 5)", "a filter is left to the engine"),
        ("SELECT COUNT(*) FROM pay WHERE time < 3 OR time > 5", "a filter is left to the engine"),
        ("SELECT COUNT(*) FROM pay WHERE time <> 3", "a filter is left to the engine"),
        ("SELECT COUNT(*) FROM pay WHERE 1 = 1", "a filter is left to the engine"),
        (
            "SELECT COUNT(*) FROM pay WHERE uid IN (SELECT uid FROM pay)",
            "it is not one SELECT over one table",
        ),
    ],
)
def test_the_engine_has_to(sql: str, reason: str) -> None:
    planned = plan(sql)
    assert planned.aggregation is None
    assert reason in planned.not_aggregated


def test_nothing_is_said_where_nothing_is_aggregated() -> None:
    planned = plan("SELECT uid FROM pay")
    assert planned.aggregation is None
    assert planned.not_aggregated == ""


@pytest.mark.parametrize("name", ["a.b", "$a", ""])
def test_names_that_the_store_takes_for_something_else(name: str) -> None:
    tables = {"production.odd": [{"time": 1, name: 1}]}
    planned = plan(select(f'SUM("{name}")', "odd"), tables)
    assert planned.aggregation is None
    assert "whose name the store reads as a path" in planned.not_aggregated


def test_what_lies_inside_a_list() -> None:
    tables = {"production.odd": [{"time": 1, "o": {"k": 1}}, {"time": 1, "o": [{"k": 1}]}]}
    assert plan("SELECT COUNT(o.k) FROM odd", tables).aggregation is None


def test_it_names_the_types_it_relies_on_of_the_objects_around_too() -> None:
    asked = aggregation("SELECT item.maker.name, SUM(price) FROM pay WHERE uid = 1 GROUP BY 1")
    assert [(path, sorted(types)) for path, types in asked.types] == [
        (("item",), ["object"]),
        (("item", "maker"), ["object"]),
        (("item", "maker", "name"), ["string"]),
        (("price",), ["int"]),
        (("uid",), ["int"]),
    ]


def test_groups_are_groups_even_of_a_constant_alone() -> None:
    assert aggregation("SELECT COUNT(*) FROM pay GROUP BY TD_SCHEDULED_TIME()").is_grouped
    assert not aggregation("SELECT COUNT(*) FROM pay").is_grouped
