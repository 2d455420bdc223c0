"""The TD functions on the engine: constants are folded, columns come to the same."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from logdrain.errors import LogdrainError, SqlTypeError, UnknownFunction
from logdrain.model.plans import Dialect, TimeRange
from logdrain.query.td.registry import REFUSED_FUNCTIONS, TD_FUNCTIONS
from logdrain.query.values.scalars import DATE_TRUNC, PARSE, STRING, TIME_FORMAT_OF_TRINO
from tests.unit.query.event_tables import NOW_S, SCHEDULED_TIME_S, Tables, lowered, one, plan, rows, select

HOUR_S = 3_600
BASE_S = 1576110613  # 2019-12-12 09:30:13 in Japan

VALUES: list[tuple[str, Any]] = [
    (f"TD_TIME_STRING({BASE_S}, 'w', 'JST')", "2019-12-09 00:00:00+0900"),
    (f"TD_TIME_STRING({BASE_S}, 'h!', 'JST')", "2019-12-12 09"),
    (f"TD_TIME_STRING({BASE_S}, 's', 'JST')", "2019-12-12 09:30:13+0900"),
    (f"TD_TIME_STRING({BASE_S}, 'm!', 'JST')", "2019-12-12 09:30"),
    (f"TD_TIME_STRING({BASE_S}, 'd!')", "2019-12-12"),
    (f"TD_TIME_STRING({BASE_S}, 'M!')", "2019-12"),
    (f"TD_TIME_STRING({BASE_S}, 'q')", "2019-10-01 00:00:00+0000"),
    (f"TD_TIME_STRING({BASE_S}, 'q!')", "2019-10"),
    (f"TD_TIME_STRING({BASE_S}, 'y!')", "2019"),
    ("TD_TIME_FORMAT(1466409507, 'yyyy/M/d', 'JST')", "2016/6/20"),
    ("TD_TIME_FORMAT(1466409507, 'hh:mm:ss a', 'Asia/Tokyo')", "04:58:27 PM"),
    ("TD_TIME_FORMAT(1325376000, 'yyyy-MM-dd HH:mm:ss z')", "2012-01-01 00:00:00 UTC"),
    ("TD_TIME_FORMAT(CAST(NULL AS BIGINT), 'yyyy')", None),
    ("TD_TIME_PARSE('2013-01-01', 'JST')", 1356966000),
    ("TD_TIME_PARSE('2013-01-01 UTC', 'JST')", 1356998400),
    ("TD_TIME_PARSE('2019-12-12 09:30:13+0900')", BASE_S),
    ("TD_TIME_PARSE('yesterday')", None),
    (f"TD_DATE_TRUNC('day', {BASE_S}, 'JST')", 1576076400),
    (f"TD_DATE_TRUNC('Quarter', {BASE_S})", 1569888000),
    ("TD_DATE_TRUNC('hour', 9223372036854775807)", None),
    ("TD_DIVIDE(3, 2)", 1.5),
    ("TD_DIVIDE(3, 0)", 0.0),
    ("TD_DIVIDE(3, NULL)", None),
    ("TD_MD5('a')", "0cc175b9c0f1b6a831c399e269772661"),
    ("TD_URL_ENCODE('a b/é')", "a+b%2F%C3%A9"),
    ("TD_URL_DECODE('%B0%A1+', 'ko')", "가 "),
    ("TD_SUBSTRING_INENCODING('あいう', 4, 'UTF-8')", "あ"),
    ("TD_ARRAY_INDEX(ARRAY(5, 6), 1)", 6),
    ("TD_ARRAY_INDEX(ARRAY(5, 6), 2)", None),
    ("TD_ARRAY_INDEX(ARRAY(5, 6), -1)", None),
    ("LENGTH(SMART_DIGEST('logdrain'))", 10),
    (f"TD_TIME_ADD({BASE_S}, '1d12h30m')", 1576242013),
    (f"TD_TIME_ADD({BASE_S}, '-2d')", BASE_S - 2 * 86_400),
    (f"TD_TIME_ADD({BASE_S}, '-1h30m')", BASE_S - 5_400),
    (f"TD_TIME_ADD({BASE_S}, '1w')", BASE_S + 7 * 86_400),
    ("TD_TIME_ADD('2013-01-01', '1d', 'JST')", 1357052400),
    ("TD_TIME_ADD('2013-01-01 00:00:00', '1s')", 1356998401),
    ("TD_TIME_ADD(CAST(NULL AS BIGINT), '1d')", None),
    ("TD_TIME_RANGE(1356998400, '2013-01-01')", True),
    ("TD_TIME_RANGE(1356998399, '2013-01-01')", False),
    ("TD_TIME_RANGE(1356998400, '2013-01-01', NULL)", True),
    ("TD_TIME_RANGE(1356998400, NULL, '2013-01-01')", False),
    ("TD_TIME_RANGE(1356998399, NULL, '2013-01-01')", True),
    ("TD_TIME_RANGE(1356966000, '2013-01-01', NULL, 'JST')", True),
    ("TD_TIME_RANGE(1356965999, '2013-01-01', NULL, 'JST')", False),
    ("TD_TIME_RANGE(1357023600, '2013-01-01 PDT')", True),
    ("TD_TIME_RANGE(1357023599, '2013-01-01 PDT')", False),
    ("TD_TIME_RANGE(1357027200, '2013-01-01 PST', '2013-01-02 PST')", True),
    ("TD_TIME_RANGE(1356998400, 1356998400, 1356998401)", True),
    ("TD_TIME_RANGE(1356998401, 1356998400, 1356998401)", False),
    ("TD_TIME_RANGE(1356998400, '2013-01-01 00:00:00', '2013-01-01 00:00:01')", True),
    ("TD_TIME_RANGE(CAST(NULL AS BIGINT), '2013-01-01')", None),
    ("TD_TIME_FORMAT(1466409507, 'EEEE, MMMM d', 'JST')", "Monday, June 20"),
    ("TD_TIME_FORMAT(1466409507, 'yy-DDD u', 'JST')", "16-172 1"),
    ("TD_TIME_FORMAT(1466409507, 'kk KK hh HH', 'JST')", "16 04 04 16"),
    ("TD_TIME_FORMAT(1466409507, 'Z', 'JST')", "+0900"),
    ("TD_TIME_FORMAT(1466409507, 'G ww', 'UTC')", "AD 26"),
    ("TD_TIME_FORMAT(1466409507, 'yyyy''年''', 'JST')", "2016年"),
    (f"TD_DATE_TRUNC('minute', {BASE_S})", BASE_S - 13),
    (f"TD_DATE_TRUNC('week', {BASE_S}, 'JST')", 1575817200),
    (f"TD_DATE_TRUNC('year', {BASE_S}, 'JST')", 1546268400),
    ("TD_URL_DECODE('a%')", None),
]


@pytest.mark.parametrize(("expression", "value"), VALUES)
@pytest.mark.parametrize("dialect", list(Dialect))
def test_constants(expression: str, value: Any, dialect: Dialect) -> None:
    if dialect is Dialect.TRINO:
        expression = expression.replace("ARRAY(5, 6)", "ARRAY[5, 6]")
    assert one(select(expression), dialect=dialect) == value


def test_a_constant_that_is_no_time_is_null_with_a_warning() -> None:
    planned = plan("SELECT uid FROM pay WHERE TD_TIME_RANGE(time, TD_TIME_PARSE('soon'))")
    assert planned.warnings == ("line 1, column 47: TD_TIME_PARSE: 'soon' is no time and reads as NULL",)
    assert plan("SELECT TD_TIME_PARSE(NULL)").warnings == ()


def test_constants_are_folded() -> None:
    planned = lowered(f"SELECT TD_TIME_STRING({BASE_S}, 'd!') AS day")
    assert "CAST('2019-12-12' AS TEXT)" in planned.sql


@pytest.mark.parametrize(("dialect", "zone"), [(Dialect.HIVE, "JST"), (Dialect.TRINO, "GMT+09:00")])
def test_z_is_a_name_in_hive_and_an_offset_in_trino(dialect: Dialect, zone: str) -> None:
    assert one("SELECT TD_TIME_FORMAT(0, 'z', 'JST')", dialect=dialect) == zone
    table: Tables = {"production.pay": [{"time": 0}]}
    assert rows("SELECT TD_TIME_FORMAT(time, 'z', 'JST') FROM pay", table, dialect=dialect) == [(zone,)]


def test_columns_as_arguments() -> None:
    table: Tables = {
        "production.pay": [
            {"time": 0, "at": BASE_S, "text": "2013-01-01", "zone": "Asia/Tokyo"},
            {"time": 1, "at": None, "text": "no time", "zone": "Mars"},
        ]
    }
    expressions = (
        "TD_TIME_FORMAT(at, 'u E', zone)",
        "TD_TIME_STRING(at, 'd', zone)",
        "TD_DATE_TRUNC('week', at, 'JST')",
        "TD_TIME_PARSE(text, zone)",
        "TD_URL_ENCODE(text || ' ')",
        "TD_SUBSTRING_INENCODING(text, 4, 'UTF-8')",
        "TD_MD5(at)",
    )
    assert rows(f"{select(', '.join(expressions), 'pay')} ORDER BY time", table) == [
        (
            *("4 Thu", "2019-12-12 00:00:00+0900", 1575817200, 1356966000, "2013-01-01+", "2013"),
            "5167ea0f4b31fd828d08038362d1359f",
        ),
        (None, None, None, None, "no+time+", "no t", None),
    ]


ZONE_NAMES = st.sampled_from(["UTC", "Asia/Tokyo", "America/Los_Angeles", "Asia/Kolkata"])


@given(st.integers(0, 4_000_000_000), ZONE_NAMES, ZONE_NAMES)
def test_parsing_inverts_the_string(seconds: int, zone: str, other: str) -> None:
    assert PARSE(str(STRING(seconds, "s", zone)), other) == seconds


@given(st.integers(0, 4_000_000_000), ZONE_NAMES)
def test_strings_begin_where_truncation_says(seconds: int, zone: str) -> None:
    assert PARSE(str(STRING(seconds, "q", zone)), "UTC") == DATE_TRUNC("quarter", seconds, zone)


@pytest.mark.parametrize(
    ("pattern", "texts"),
    [
        ("HH:mm", ["00:01", "00:01", "00:02"]),
        ("mm:ss", ["01:00", "01:59", "02:00"]),
        ("m.S", ["1.0", "1.0", "2.0"]),
    ],
)
def test_times_within_a_minute(pattern: str, texts: list[str]) -> None:
    day_s = 1_576_108_800
    found = [TIME_FORMAT_OF_TRINO(day_s + seconds, pattern, "UTC") for seconds in (60, 119, 120)]
    assert found == texts


# --- intervals ---


@pytest.mark.parametrize(
    ("sql", "start", "end"),
    [
        ("SELECT uid FROM pay WHERE TD_INTERVAL(time, '-1h/now')", NOW_S - 600 - HOUR_S, NOW_S),
        (
            "SELECT uid FROM pay WHERE TD_INTERVAL(time, '-1h/now') -- td_scheduled_time ( )",
            SCHEDULED_TIME_S - HOUR_S,
            SCHEDULED_TIME_S,
        ),
        ("SELECT uid FROM pay WHERE TD_INTERVAL(time, '-1d', 'JST') AND uid > 0", 1330441200, 1330527600),
    ],
)
def test_an_interval_is_pushed_to_the_scan(sql: str, start: int, end: int) -> None:
    assert plan(sql).scans[0].time_range == TimeRange(start, end)


def test_the_range_of_an_interval() -> None:
    assert one("SELECT TD_INTERVAL_RANGE('-1d', 'JST')") == [1330441200, 1330527600]


# --- aggregates and rows ---


def test_aggregates() -> None:
    expressions = (
        "TD_SUMIF(price, uid > 1), TD_SUMIF(price, uid > 5), TD_AVGIF(price, paid),"
        " TD_FIRST(price, uid, order), TD_LAST(userid, uid, time), TD_APPROX_MOST_FREQUENT(2, uid, 10)"
    )
    expressions = expressions.replace("order", '"order"')
    assert rows(select(expressions, "pay")) == [(700.0, None, 240.0, 300, "u5", [(0, 2), (1, 2)])]


def test_the_first_of_keys_is_never_null() -> None:
    table: Tables = {"production.pay": [{"time": 0, "v": 1}, {"time": 1, "v": None, "k": 2}]}
    assert rows("SELECT TD_FIRST(v, k), TD_LAST(v, k) FROM pay", table) == [(None, None)]


def test_an_aggregate_over_a_window() -> None:
    sql = "SELECT TD_SUMIF(price, uid > 0) OVER (PARTITION BY uid) FROM pay ORDER BY time LIMIT 3"
    assert rows(sql) == [(None,), (500.0,), (700.0,)]


def test_a_numeric_range_makes_rows() -> None:
    assert rows("SELECT TD_NUMERIC_RANGE(0, 10, 4)", dialect=Dialect.HIVE) == [(0,), (4,), (8,)]
    sql = "SELECT uid, n FROM login LATERAL VIEW TD_NUMERIC_RANGE(2) r AS n WHERE uid = 3 ORDER BY n"
    assert rows(sql, dialect=Dialect.HIVE) == [(3, 0), (3, 1)]


# --- errors ---


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        ("TD_TIME_FORMAT(time, 'bb')", "line 1, column 29: TD_TIME_FORMAT: 'bb' is no pattern"),
        ("TD_TIME_FORMAT('x', 'yy')", "line 1, column 23: TD_TIME_FORMAT: 'x' is no unix time"),
        (
            "TD_TIME_FORMAT(_time, 'yy')",
            "line 1, column 23: TD_TIME_FORMAT: pay._time is TIMESTAMPTZ, no unix time",
        ),
        ("TD_TIME_FORMAT(time, 'yy', 'Mars')", "line 1, column 35: TD_TIME_FORMAT: 'Mars' is no time zone"),
        ("TD_TIME_STRING(time, 'x')", "line 1, column 29: TD_TIME_STRING: 'x' is no code"),
        ("TD_DATE_TRUNC('decade', time)", "line 1, column 22: TD_DATE_TRUNC: 'decade' is no unit"),
        ("TD_INTERVAL(time, '1 day')", "line 1, column 26: TD_INTERVAL: '1 day' is no interval"),
        (
            "TD_INTERVAL(time, userid)",
            "line 1, column 26: TD_INTERVAL: the interval is not a constant string",
        ),
        (
            "TD_INTERVAL(TD_SCHEDULED_TIME(), '1d')",
            "line 1, column 8: TD_INTERVAL: TD_SCHEDULED_TIME() cannot be an argument",
        ),
        ("TD_URL_ENCODE('x', 'nosuch')", "line 1, column 27: TD_URL_ENCODE: 'nosuch' is no character set"),
        ("TD_MD5('a', 'b')", "line 1, column 8: TD_MD5 takes 1 argument, not 2"),
        ("TD_FIRST(uid)", "line 1, column 8: TD_FIRST takes at least 2 arguments, not 1"),
        ("TD_NUMERIC_RANGE(0, 2.5)", "line 1, column 28: TD_NUMERIC_RANGE: 2.5 is no whole number"),
        ("TD_NUMERIC_RANGE(0, 'x')", "line 1, column 28: TD_NUMERIC_RANGE: 'x' is no whole number"),
        ("TD_NUMERIC_RANGE(0, 9, 1 - 1)", "line 1, column 31: TD_NUMERIC_RANGE: the step is 0"),
        ("TD_TIME_FORMAT(1e999, 'yy')", "line 1, column 23: TD_TIME_FORMAT: inf is no unix time"),
    ],
)
def test_wrong_arguments_are_named_with_their_place(expression: str, message: str) -> None:
    with pytest.raises(SqlTypeError) as error:
        plan(select(expression, "pay"))
    assert error.value.located == message


@pytest.mark.parametrize("name", REFUSED_FUNCTIONS)
@pytest.mark.parametrize("dialect", list(Dialect))
def test_refused_functions_are_named_with_the_reason(name: str, dialect: Dialect) -> None:
    with pytest.raises(UnknownFunction) as error:
        plan(select(f"uid,\n  {name.lower()}(uid)", "pay"), dialect=dialect)
    assert error.value.located.startswith(f"line 2, column 3: {name} is not run here: ")
    assert error.value.hint


def test_no_function_is_both_run_and_refused() -> None:
    assert not TD_FUNCTIONS.keys() & REFUSED_FUNCTIONS.keys()


@pytest.mark.parametrize("name", TD_FUNCTIONS)
@settings(max_examples=20)
@given(st.lists(st.sampled_from(["NULL", "''", "'x'", "-1", "2.5", "TRUE", "time", "uid"]), max_size=4))
def test_strange_arguments_are_our_errors(name: str, arguments: list[str]) -> None:
    message = "line 1"
    try:
        plan(select(f"{name}({', '.join(arguments)})", "pay"))
    except LogdrainError as error:
        message = error.located
    assert "line 1" in message


def test_a_rank_without_an_order_warns() -> None:
    planned = plan("SELECT TD_X_RANK(uid) FROM pay")
    assert planned.warnings[0].startswith("line 1, column 8: TD_X_RANK numbers rows in any order")
