"""What each scan is asked to filter, and what is left to the engine."""

import pytest

from logdrain.model.plans import Comparator, Dialect, Predicate, TimeRange
from tests.unit.query.event_tables import lowered, plan, select

ALL = (None, None)


def ranges(sql: str) -> list[tuple[int | None, int | None]]:
    """The time range of each scan."""
    return [(scan.time_range.start, scan.time_range.end) for scan in plan(sql).scans]


def predicates(condition: str) -> list[Predicate]:
    """What the one scan of pay is asked to filter."""
    (scan,) = plan(select("1", f"pay WHERE {condition}")).scans
    return list(scan.predicates)


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ("time >= 5", (5, None)),
        ("time > 5", (6, None)),
        ("5 < time AND 9 >= time", (6, 10)),
        ("time = 5", (5, 6)),
        ("time BETWEEN 5 AND 9", (5, 10)),
        ("time IN (7, 5, 9)", (5, 10)),
        ("TD_TIME_RANGE(time, 5, 9)", (5, 9)),
        ("TD_TIME_RANGE(time, 5, 9) AND TD_TIME_RANGE(time, 7, NULL)", (7, 9)),
        ("time >= TD_SCHEDULED_TIME() - 60 * 60", (1330556400, None)),
        ("time < TD_TIME_ADD('2013-01-01', '-1h', 'JST')", (None, 1356962400)),
        ("(time >= 5 AND (time < 9))", (5, 9)),
        ("time < 5 OR time BETWEEN 8 AND 9", (None, 10)),
        ("(time = 5 AND uid = 1) OR (time = 8 AND uid = 2)", (5, 9)),
        ("time < 5 OR uid = 1", ALL),
        ("NOT time < 5", ALL),
        ("time <> 5", ALL),
        ("time > 5.5", ALL),
        ("time > uid", ALL),
        ("time + 1 > 5", ALL),
        ("time > 99999999999999999999", ALL),
        ("time > NULL", ALL),
        ("time BETWEEN 5 AND uid", ALL),
        ("time > 9 AND time < 5", (10, 5)),  # nothing
    ],
)
def test_time_ranges(condition: str, expected: tuple[int | None, int | None]) -> None:
    assert ranges(select("1", f"pay WHERE {condition}")) == [expected]


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("SELECT 1 FROM (SELECT time AS t FROM pay WHERE time > 4) AS x WHERE t < 9", [(5, 9)]),
        ("WITH c AS (SELECT time FROM pay) SELECT 1 FROM c WHERE time < 9", [(None, 9)]),
        ("WITH c AS (SELECT time FROM pay) SELECT 1 FROM c AS a, c AS b WHERE a.time < 9", [ALL]),
        ("WITH c(x) AS (SELECT time FROM pay) SELECT 1 FROM c WHERE x < 9", [(None, 9)]),
        ("SELECT 1 FROM (SELECT time FROM pay LIMIT 3) AS x WHERE time < 9", [ALL]),
        ("SELECT 1 FROM (SELECT DISTINCT time FROM pay) AS x WHERE time < 9", [ALL]),
        ("SELECT 1 FROM (SELECT time, RANK() OVER (ORDER BY uid) FROM pay) AS x WHERE time < 9", [ALL]),
        ("SELECT 1 FROM (SELECT MAX(time) AS time FROM pay) AS x WHERE time < 9", [ALL]),
        ("SELECT 1 FROM (SELECT time + 1 AS time FROM pay) AS x WHERE time < 9", [ALL]),
        ("SELECT 1 FROM (SELECT time FROM pay UNION SELECT time FROM login) x WHERE time < 9",
         [(None, 9)] * 2),
        ("SELECT 1 FROM ((SELECT time FROM pay LIMIT 1) UNION SELECT time FROM login) x WHERE time < 9",
         [ALL, (None, 9)]),
        ("SELECT 1 FROM pay WHERE uid IN (SELECT uid FROM login WHERE time < 9)", [ALL, (None, 9)]),
        ("SELECT 1 FROM pay p WHERE EXISTS (SELECT 1 FROM login l WHERE p.time < 9 AND l.time < 8)",
         [ALL, (None, 8)]),
        ("SELECT 1 FROM pay p JOIN login l ON p.uid = l.uid AND l.time < 9 WHERE p.time > 4",
         [(5, None), (None, 9)]),
        ("SELECT 1 FROM pay p, login l WHERE l.time < 9 AND p.time = l.time", [ALL, (None, 9)]),
        ("SELECT 1 FROM pay p LEFT JOIN login l ON l.time < 9 AND p.time < 8 WHERE p.time > 4 AND l.uid > 5",
         [(5, None), (None, 9)]),
        ("SELECT 1 FROM pay p RIGHT JOIN login l ON p.time < 8 AND l.time < 9 WHERE p.uid > 4 AND l.time > 5",
         [ALL, (6, None)]),
        ("SELECT 1 FROM pay p FULL JOIN login l ON p.time < 8 WHERE p.time > 4 AND l.time > 5", [ALL, ALL]),
        ("SELECT 1 FROM pay p JOIN login l ON p.time < 8 FULL JOIN pay q ON q.time < 3", [ALL] * 3),
        ("SELECT 1 FROM pay TABLESAMPLE BERNOULLI (50) WHERE time < 9", [ALL]),
        ("SELECT 1 FROM pay WHERE uid = 1 HAVING MAX(time) < 9", [ALL]),
        ("SELECT COUNT(*) FILTER (WHERE time < 9) FROM pay", [ALL]),
    ],
)  # fmt: skip
def test_time_ranges_in_nested_queries(sql: str, expected: list[tuple[int | None, int | None]]) -> None:
    found = ranges(sql)
    if (
        "FULL JOIN pay q" in sql
    ):  # the inner join is made before: its own condition may still be pushed or not
        assert found[1:] == expected[1:]
    else:
        assert found == expected


@pytest.mark.parametrize(
    ("condition", "path", "comparator", "values"),
    [
        ("uid = 1", ("uid",), Comparator.EQ, (1,)),
        ("1 < uid", ("uid",), Comparator.GT, (1,)),
        ("uid <> -1", ("uid",), Comparator.NE, (-1,)),
        ("uid IN (1, 2)", ("uid",), Comparator.IN, (1, 2)),
        ("uid IS NULL", ("uid",), Comparator.IS_NULL, ()),
        ("uid IS NOT NULL", ("uid",), Comparator.NOT_NULL, ()),
        ("NOT uid IS NULL", ("uid",), Comparator.NOT_NULL, ()),
        ("rate > 0.5", ("rate",), Comparator.GT, (0.5,)),
        ("rate <= 1", ("rate",), Comparator.LTE, (1,)),
        ("userid = 'u' || '1'", ("userid",), Comparator.EQ, ("u1",)),
        ("paid = FALSE", ("paid",), Comparator.EQ, (False,)),
        ("item.maker.name >= 'maker 1'", ("item", "maker", "name"), Comparator.GTE, ("maker 1",)),
        ("_origin.app = 'app'", ("_origin", "app"), Comparator.EQ, ("app",)),
    ],
)
def test_simple_filters(
    condition: str, path: tuple[str, ...], comparator: Comparator, values: tuple[object, ...]
) -> None:
    assert predicates(condition) == [(path, comparator, values)]


def test_between_is_two_filters() -> None:
    assert predicates("price BETWEEN 1 AND 5") == [
        Predicate(("price",), Comparator.GTE, (1,)),
        Predicate(("price",), Comparator.LTE, (5,)),
    ]


@pytest.mark.parametrize(
    ("condition", "reason"),
    [
        ("uid + 1 = 2", "not a simple comparison"),
        ("LOWER(userid) = 'x'", "not a simple comparison"),
        ("userid LIKE 'u%'", "not a simple comparison"),
        ("uid NOT IN (1, 2)", "not a simple comparison"),
        ("uid = 1 OR uid = 2", "not a simple comparison"),
        ("uid = userId", "not a simple comparison"),
        ("uid IN (1, userId)", "not a simple comparison"),
        ("uid = 1.5", "the constant has another type than the field"),
        ("uid = 9007199254740993", "the constant has another type than the field"),
        ("rate = TRUE", "the constant has another type than the field"),
        ("uid = NULL", "NULL is compared"),
        ("uid IN (1, NULL)", "NULL is compared"),
        ("code = 'c0'", "the field has mixed types"),
        ("tags IS NULL", "the field is a list"),
        ("item IS NULL", "the field is an object"),
        ("coupon = 'x'", "no event has had the field"),
        ("time IS NULL", "only `time`, compared with whole numbers, gives a time range"),
        ("_time > TIMESTAMP '2012-01-01 00:00:00'", "only `time`, compared with whole numbers"),
        ("uid IN (SELECT 1 FROM (VALUES (1)) AS v(x) WHERE x = 1 AND pay.uid = 1)", "has a subquery"),
    ],
)
def test_filters_left_to_the_engine(condition: str, reason: str) -> None:
    planned = plan(select("1", f"pay WHERE {condition}"))
    assert planned.scans[0].predicates == ()
    assert planned.scans[0].time_range == TimeRange(None, None)
    if "SELECT" not in condition:
        (left,) = planned.not_pushed
        assert f": {reason}" in left


@pytest.mark.parametrize("condition", ["userid = 5", "uid = '5'"])
def test_text_beside_a_number_is_left_to_the_engine_in_hive(condition: str) -> None:
    planned = plan(select("1", f"pay WHERE {condition}"), dialect=Dialect.HIVE)
    assert planned.scans[0].predicates == ()
    assert ": the constant has another type than the field" in planned.not_pushed[0]


def test_a_field_that_may_lie_inside_a_list_is_not_filtered() -> None:
    tables = {"production.pay": [{"time": 1, "a": [{"b": 1}]}, {"time": 2, "a": {"b": 1}}]}
    planned = plan("SELECT 1 FROM pay WHERE a.b = 1", tables)
    assert planned.scans[0].predicates == ()
    (reason,) = planned.not_pushed
    assert reason.endswith("= 1: not a simple comparison")


def test_a_scan_reads_needed_columns_only_and_the_time_for_want_of_others() -> None:
    (scan,) = plan("SELECT uid FROM pay WHERE price > 1").scans
    assert [column.name for column in scan.columns] == ["uid", "price"]
    (scan,) = plan("SELECT COUNT(*) FROM pay").scans
    assert [column.name for column in scan.columns] == ["time"]


def test_the_engine_filters_again() -> None:
    query = lowered("SELECT 1 FROM pay WHERE uid = 1 AND time < 5")
    assert '"pay"."uid" = 1 AND "pay"."time" < 5' in query.sql
