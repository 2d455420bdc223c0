"""Times with a zone: the instant stays the same, the local time is what is read."""

from datetime import UTC, date, datetime
from typing import Any

import pytest

from logdrain.errors import UnsupportedSql
from tests.unit.query.event_tables import Tables, one, rows, select

TOKYO, YORK = "'Asia/Tokyo'", "'America/New_York'"
NEW_YEAR_S = 1577840400  # 2020-01-01 01:00 UTC, 10:00 in Tokyo
NIGHT_S = 1604206800  # 2020-11-01 05:00 UTC, 01:00 in New York, where 01:00 comes again an hour later
DAY_S = 86_400
TABLES: Tables = {
    "production.pay": [
        {"time": NEW_YEAR_S, "t": NEW_YEAR_S, "n": 1, "z": "Asia/Tokyo"},
        {"time": NIGHT_S, "t": NIGHT_S, "n": 2, "z": "America/New_York"},
        {"time": 1, "n": 3},
    ]
}


def local(hour: int) -> datetime:
    """That day, where the clock is."""
    return datetime(2020, 1, 1, hour)  # noqa: DTZ001  a local time


def read(expression: str, row: int = 1) -> Any:
    """What an expression over a column comes to."""
    ((value,),) = rows(select(expression, f"pay WHERE n = {row}"), TABLES)
    return value


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        (f"TO_UNIXTIME(DATE_TRUNC('day', FROM_UNIXTIME(t) AT TIME ZONE {TOKYO}))", 1577804400),
        (f"TO_UNIXTIME(DATE_TRUNC('day', FROM_UNIXTIME(t, {TOKYO})))", 1577804400),
        (f"TO_UNIXTIME(DATE_TRUNC('day', AT_TIMEZONE(FROM_UNIXTIME(t), {TOKYO})))", 1577804400),
        (
            f"TO_UNIXTIME(DATE_TRUNC('day', DATE_ADD('day', -1, FROM_UNIXTIME(t, {TOKYO}))))",
            1577804400 - DAY_S,
        ),
        (f"TO_UNIXTIME(DATE_TRUNC('hour', FROM_UNIXTIME(t + 61, {TOKYO})))", NEW_YEAR_S),
        (f"TO_UNIXTIME(FROM_UNIXTIME(t, {TOKYO}))", NEW_YEAR_S),
        ("TO_UNIXTIME(FROM_UNIXTIME(t, '+09:00'))", NEW_YEAR_S),
        ("TO_UNIXTIME(DATE_TRUNC('day', FROM_UNIXTIME(t, '+09:00')))", 1577804400),
        (f"TO_UNIXTIME(FROM_UNIXTIME(t, {TOKYO}) + INTERVAL '1' DAY)", NEW_YEAR_S + DAY_S),
        (f"TO_UNIXTIME(CAST(FROM_UNIXTIME(t, {TOKYO}) AS TIMESTAMP WITH TIME ZONE))", NEW_YEAR_S),
        (f"TO_UNIXTIME(MAX(FROM_UNIXTIME(t, {TOKYO})))", NEW_YEAR_S),
        (f"TO_UNIXTIME(WITH_TIMEZONE(CAST(FROM_UNIXTIME(t) AS TIMESTAMP), {TOKYO}))", NEW_YEAR_S - 9 * 3600),
        (f"DATE_DIFF('hour', FROM_UNIXTIME(t), FROM_UNIXTIME(t, {TOKYO}))", 0),
        (f"DATE_DIFF('day', FROM_UNIXTIME(t - 14 * 3600, {TOKYO}), FROM_UNIXTIME(t, {TOKYO}))", 0),
        (f"FROM_UNIXTIME(t, {TOKYO}) = FROM_UNIXTIME(t)", True),
        (f"FROM_UNIXTIME(t, {TOKYO}) BETWEEN FROM_UNIXTIME(t - 1) AND FROM_UNIXTIME(t + 1)", True),
        (f"FROM_UNIXTIME(t, {TOKYO}) > TIMESTAMP '2020-01-01 00:59:59'", True),
        (f"HOUR(FROM_UNIXTIME(t, {TOKYO}))", 10),
        (f"EXTRACT(HOUR FROM FROM_UNIXTIME(t, {TOKYO}))", 10),
        (f"DATE_FORMAT(FROM_UNIXTIME(t, {TOKYO}), '%H:%i')", "10:00"),
        (f"FORMAT_DATETIME(FROM_UNIXTIME(t, {TOKYO}), 'HH:mm')", "10:00"),
        (f"CAST(FROM_UNIXTIME(t + 15 * 3600, {TOKYO}) AS DATE)", date(2020, 1, 2)),
        (f"CAST(FROM_UNIXTIME(t, {TOKYO}) AS VARCHAR)", "2020-01-01 10:00:00.000 Asia/Tokyo"),
        (f"TO_ISO8601(FROM_UNIXTIME(t, {TOKYO}))", "2020-01-01T10:00:00.000+09:00"),
        (f"TO_ISO8601(FROM_UNIXTIME(t, {YORK}))", "2019-12-31T20:00:00.000-05:00"),
        ("TO_ISO8601(FROM_UNIXTIME(t, 'UTC'))", "2020-01-01T01:00:00.000Z"),
        ("FROM_UNIXTIME(t, 'Asia/Tokyo')", local(10)),
        ("FROM_UNIXTIME(t, z)", local(10)),
        ("TO_UNIXTIME(DATE_TRUNC('day', FROM_UNIXTIME(t, z)))", 1577804400),
        (f"HOUR(IF(n = 1, FROM_UNIXTIME(t, {TOKYO})))", 10),
        ("HOUR(TIMESTAMP '2020-01-01 00:00:00 Asia/Tokyo')", 0),
        ("TO_UNIXTIME(TIMESTAMP '2020-01-01 10:00:00 +09:00')", NEW_YEAR_S),
        ("DATE_TRUNC('day', TIMESTAMP '2020-01-01 23:00:00 Asia/Tokyo') = FROM_UNIXTIME(1577804400)", True),
        ("FROM_UNIXTIME(t)", datetime(2020, 1, 1, 1, tzinfo=UTC)),
        (f"FROM_UNIXTIME(t, {TOKYO}) - FROM_UNIXTIME(t) = INTERVAL '0' SECOND", True),
        (f"COALESCE(NULLIF(FROM_UNIXTIME(t, {TOKYO}), FROM_UNIXTIME(0)), NULL)", local(10)),
        (f"HOUR(MAX_BY(FROM_UNIXTIME(t, {TOKYO}), n))", 10),
        (f"HOUR(ARRAY_AGG(FROM_UNIXTIME(t, {TOKYO}))[1])", 10),
    ],
)
def test_a_zone_changes_the_local_time_and_not_the_instant(expression: str, expected: Any) -> None:
    assert read(expression) == expected
    if "(t" in expression:
        assert read(expression, row=3) is None


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        (f"TO_UNIXTIME(DATE_TRUNC('hour', FROM_UNIXTIME(t + 3660, {YORK})))", NIGHT_S + 3600),
        (f"TO_UNIXTIME(DATE_TRUNC('day', FROM_UNIXTIME(t, {YORK})))", NIGHT_S - 3600),
        (f"TO_UNIXTIME(DATE_ADD('hour', 2, FROM_UNIXTIME(t, {YORK})))", NIGHT_S + 7200),
        (f"TO_UNIXTIME(DATE_ADD('day', 1, FROM_UNIXTIME(t, {YORK})))", NIGHT_S + DAY_S + 3600),
        (f"TO_UNIXTIME(FROM_UNIXTIME(t, {YORK}) + INTERVAL '1' DAY)", NIGHT_S + DAY_S),
        (f"TO_UNIXTIME(DATE_ADD('day', -1, FROM_UNIXTIME(t + {DAY_S + 3600}, {YORK})))", NIGHT_S),
        (f"DATE_DIFF('day', FROM_UNIXTIME(t, {YORK}), FROM_UNIXTIME(t + {DAY_S}, {YORK}))", 0),
        (f"HOUR(FROM_UNIXTIME(t + 3600, {YORK}))", 1),
    ],
)
def test_an_hour_that_a_clock_change_repeats(expression: str, expected: Any) -> None:
    assert read(expression, row=2) == expected


IN_TOKYO = f"FROM_UNIXTIME(t, {TOKYO})"
DAY = f"DATE_TRUNC('day', {IN_TOKYO})"
ONE = "pay WHERE n = 1"


@pytest.mark.parametrize(
    ("expression", "source", "expected"),
    [
        ("TO_UNIXTIME(d)", f"({select(DAY + ' AS d', ONE)})", 1577804400),
        ("HOUR(b.d)", f"({select(IN_TOKYO, ONE)}) AS b(d)", 10),
        ("MAX(d)", f"({select(DAY + ' AS d', ONE)} UNION ALL {select(IN_TOKYO, ONE)})", local(10)),
        (DAY, f"{ONE} GROUP BY 1", local(0)),
        ("HOUR(x)", f"({select(IN_TOKYO + ' AS d', ONE)}) CROSS JOIN UNNEST(ARRAY[d]) AS u(x)", 10),
        (f"{DAY} AS d", f"{ONE} GROUP BY {DAY} ORDER BY d", local(0)),
        (f"DISTINCT {IN_TOKYO}", f"{ONE} ORDER BY {IN_TOKYO}", local(10)),
    ],
)
def test_a_zone_goes_through_subqueries(expression: str, source: str, expected: Any) -> None:
    assert rows(select(expression, source), TABLES) == [(expected,)]


def test_a_zone_goes_through_with() -> None:
    sql = "WITH a(d) AS (SELECT FROM_UNIXTIME(t, 'Asia/Tokyo') FROM pay WHERE n = 1) SELECT HOUR(d) FROM a"
    assert rows(sql, TABLES) == [(10,)]


@pytest.mark.parametrize(
    ("sql", "message"),
    [
        ("SELECT FROM_UNIXTIME(0, 'Asia/Nowhere')", "line 1, column 8: 'Asia/Nowhere' is no time zone"),
        ("SELECT HOUR(d) FROM (SELECT FROM_UNIXTIME(t, z) d FROM pay)", "line 1, column 13: the zone"),
        (
            "SELECT HOUR(IF(n = 1, FROM_UNIXTIME(t, 'Asia/Tokyo'), FROM_UNIXTIME(t, 'UTC'))) FROM pay",
            "times of several zones",
        ),
    ],
)
def test_a_zone_that_is_not_known_is_refused(sql: str, message: str) -> None:
    with pytest.raises(UnsupportedSql) as error:
        rows(sql, TABLES)
    assert message in error.value.located


def test_an_instant_without_a_zone_stays_one() -> None:
    assert one("SELECT TO_UNIXTIME(NOW()) = TO_UNIXTIME(CURRENT_TIMESTAMP)") is True
