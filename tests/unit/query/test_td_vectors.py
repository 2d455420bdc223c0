"""Calls of TD functions and what they come to: values worked out by the calendar and by Java's rules.

All calls of a function stand in one query, which is planned and run in both dialects.
"""

from typing import Any

import pytest

from logdrain.errors import UnsupportedSql
from logdrain.model.plans import Dialect
from tests.unit.query.event_tables import rows, select

LOS_ANGELES = "America/Los_Angeles"
LEAP_NIGHT_S = 1456790399  # 2016-02-29 23:59:59 UTC, a Monday
SECOND_HOUR_S = 1446370205  # 2015-11-01 01:30:05 in Los Angeles, the second time
CHROME = "Mozilla/5.0 (Windows NT 6.1) AppleWebKit/535.7 (KHTML, like Gecko) Chrome/16.0.912.77 Safari/535.7"

VECTORS: dict[str, list[tuple[str, Any]]] = {
    "TD_TIME_RANGE": [
        ("1356998400, '2013-01-01', '2013-01-02'", True),
        ("1357084799, '2013-01-01', '2013-01-02'", True),
        ("1357084800, '2013-01-01', '2013-01-02'", False),
        ("1356998400, '2013-01-02', '2013-01-01'", False),
        ("1356998400, NULL, 1356998400", False),
        ("1356998400, 1356998400, '2013-01-01 00:00:01'", True),
        ("-1, NULL, '1970-01-01'", True),
        ("-1, NULL, NULL", True),
        ("1356998400, '2013-01-01 00:00:00 UTC', NULL, 'JST'", True),
        ("1356998399, '2013-01-01 00:00:00 UTC', NULL, 'JST'", False),
        ("1356998400, '2013-01-01 05:45:00+05:45'", True),
        ("1356998399, '2013-01-01 05:45:00+05:45'", False),
        (f"1425884399, '2015-03-08', '2015-03-09', '{LOS_ANGELES}'", True),  # a day of 23 hours
        (f"1425884400, '2015-03-08', '2015-03-09', '{LOS_ANGELES}'", False),
        (f"1446451199, '2015-11-01', '2015-11-02', '{LOS_ANGELES}'", True),  # and one of 25
        (f"1446451200, '2015-11-01', '2015-11-02', '{LOS_ANGELES}'", False),
        ("0, TD_TIME_FORMAT(TD_TIME_ADD(86400, '-1d'), 'yyyy-MM-dd 00:00:00', 'UTC'), NULL, 'UTC'", True),
    ],
    "TD_TIME_ADD": [
        ("0, '1w2d3h4m5s'", 788645),
        ("0, '-1w2d3h4m5s'", -788645),
        ("0, '90m', 'jst'", 5400),
        ("2147483647, '1s'", 2147483648),
        ("'2016-02-28', '1d'", 1456704000),
        ("'2015-02-28', '1d'", 1425168000),
        ("'2013-01-01 PDT', '1d'", 1357110000),
        (f"'2015-03-08', '1d', '{LOS_ANGELES}'", 1425888000),  # 86,400 seconds: 01:00 of the next day
        ("TD_TIME_ADD(0, '1d'), '-1d'", 0),
    ],
    "TD_TIME_FORMAT": [
        ("1466409507, 'yyyy-MM-dd''T''HH:mm:ssXXX', 'JST'", "2016-06-20T16:58:27+09:00"),
        ("1466409507, 'h ''o''''clock'' a', 'JST'", "4 o'clock PM"),
        ("1466409507, 'EEEEE MMMMM DDDD sss', 'JST'", "Monday June 0172 027"),
        ("1466409507, 'F W w u', 'JST'", "3 4 26 1"),
        ("1466409507, 'yyyyMMddHHmmss.SSS', 'JST'", "20160620165827.000"),
        ("1466409507, 'yyyy年MM月dd日', 'JST'", "2016年06月20日"),
        ("1466409507, '', 'JST'", ""),
        ("1451606400, 'k kk K h hh a'", "24 24 0 12 12 AM"),
        ("1451649600, 'k K h a'", "12 0 12 PM"),
        ("1546128000, 'YYYY w'", "2019 1"),  # 2018-12-30, a Sunday
        ("1546041600, 'YYYY w'", "2018 52"),
        ("1483142400, 'D YYYY'", "366 2016"),
        ("1464652800, 'W'", "5"),
        ("1464480000, 'F u'", "5 7"),
        ("-1, 'yyyy-MM-dd HH:mm:ss'", "1969-12-31 23:59:59"),
        ("-59042995200, 'yyyy y yy'", "0099 99 99"),
        ("253402300799, 'yyyy-MM-dd'", "9999-12-31"),
        ("1451606400, 'HH:mm Z', 'Asia/Kathmandu'", "05:45 +0545"),
        ("1341100800, 'Z', 'America/St_Johns'", "-0230"),
        ("1341100800, 'Z', 'Australia/Lord_Howe'", "+1030"),
        ("1325376000, 'X Z XXX'", "Z +0000 Z"),
        ("1425797999, 'HH:mm:ss', 'America/New_York'", "01:59:59"),
        ("1425798000, 'HH:mm:ss', 'America/New_York'", "03:00:00"),
        ("1541300400, 'dd HH', 'America/Sao_Paulo'", "04 01"),  # no midnight
        ("1325239200, 'dd HH', 'Pacific/Apia'", "31 00"),  # no December 30
        ("1459614600, 'HH:mm', 'Australia/Sydney'", "02:30"),
        ("1557021600, 'HH:mm', 'Africa/Casablanca'", "02:00"),
        ("'1325376000', 'yyyy'", "2012"),
        ("1325376000.9, 'ss'", "00"),
    ],
    "TD_TIME_PARSE": [
        ("'2015-03-08 02:30:00', 'America/Los_Angeles'", 1425810600),
        ("'2015-11-01 01:30:00', 'America/Los_Angeles'", 1446366600),
        ("'2016-10-02 02:15:00', 'Australia/Lord_Howe'", 1475336700),
        ("'2016-04-03 01:45:00', 'Australia/Lord_Howe'", 1459608300),
        ("'2018-11-04', 'America/Sao_Paulo'", 1541300400),
        ("'2011-12-30 12:00:00', 'Pacific/Apia'", 1325282400),
        ("'2016-07-01', 'America/St_Johns'", 1467340200),
        ("'2016-01-01', '+05:45'", 1451585700),
        ("'2016-01-01', 'UTC-5'", 1451624400),
        ("'2016-01-01', 'Etc/GMT+3'", 1451617200),
        ("'2016-07-01', 'PST'", 1467356400),
        ("'2016-07-01', 'EST'", 1467349200),
        ("'2016-07-01', 'CET'", 1467324000),
        ("'2022-08-24', 'jst'", 1661266800),
        ("'2013-07-01 EDT'", 1372651200),
        ("'2013-01-01 00:00:00 -03:30'", 1357011000),
        ("'2016-02-29', NULL", 1456704000),
        ("'9999-12-31 23:59:59'", 253402300799),
    ],
    "TD_TIME_STRING": [
        (f"{LEAP_NIGHT_S}, 'q!', 'JST'", "2016-01"),
        (f"{LEAP_NIGHT_S}, 'd', 'JST'", "2016-03-01 00:00:00+0900"),
        (f"{LEAP_NIGHT_S}, 'w!'", "2016-02-29"),
        (f"{LEAP_NIGHT_S}, 's!'", "2016-02-29 23:59:59"),
        (f"{SECOND_HOUR_S}, 'h', '{LOS_ANGELES}'", "2015-11-01 01:00:00-0800"),
        (f"1446366600, 'h', '{LOS_ANGELES}'", "2015-11-01 01:00:00-0700"),
        (f"{SECOND_HOUR_S}, 'd', '{LOS_ANGELES}'", "2015-11-01 00:00:00-0700"),
        ("1451607000, 'h', 'Asia/Kathmandu'", "2016-01-01 05:00:00+0545"),
        ("1467504000, 'w', 'America/St_Johns'", "2016-06-27 00:00:00-0230"),
        ("-1, 'w'", "1969-12-29 00:00:00+0000"),
        ("-1, 'y!'", "1969"),
    ],
    "TD_DATE_TRUNC": [
        (f"'hour', {LEAP_NIGHT_S}", 1456786800),
        (f"'MONTH', {LEAP_NIGHT_S}", 1454284800),
        (f"'quarter', {LEAP_NIGHT_S}", 1451606400),
        (f"'hour', {SECOND_HOUR_S}, '{LOS_ANGELES}'", 1446368400),
        (f"'day', {SECOND_HOUR_S}, '{LOS_ANGELES}'", 1446361200),
        (f"'week', {SECOND_HOUR_S}, '{LOS_ANGELES}'", 1445842800),
        (f"'quarter', {SECOND_HOUR_S}, '{LOS_ANGELES}'", 1443682800),
        ("'hour', 1467310800, 'Asia/Kathmandu'", 1467310500),
        ("'year', 1467310800, 'Asia/Kathmandu'", 1451585700),
        ("'hour', 1451606400, 'America/St_Johns'", 1451604600),
        ("'hour', 1475336700, 'Australia/Lord_Howe'", 1475335800),  # 02:45, and the hour began at 02:30
        ("'minute', -1", -60),
        ("'week', -1", -259200),
        ("'day', 100000, NULL", 86400),
    ],
    "TD_DIVIDE": [("0, 0", 0.0), ("-3, 2", -1.5), ("7.5, 2.5", 3.0), ("1, 0.0", 0.0)],
    "TD_MD5": [
        ("''", "d41d8cd98f00b204e9800998ecf8427e"),
        ("'日本語'", "00110af8b4393ef3f72c50be5b332bec"),
        ("'😀'", "2a02eac39d716a70ecf37579185927b6"),
    ],
    "TD_URL_ENCODE": [
        ("'~!()*-._'", "%7E%21%28%29*-._"),
        ("'a&b=c'", "a%26b%3Dc"),
        ("'😀'", "%F0%9F%98%80"),
        ("'日本', 'Shift_JIS'", "%93%FA%96%7B"),
        ("'가', 'EUC-KR'", "%B0%A1"),
    ],
    "TD_URL_DECODE": [
        ("'%E6%97%a5+a%2Bb'", "日 a+b"),
        ("'%BA%ED%B7%E7%C5%F5%BD%BA', 'ko'", "블루투스"),
        ("'%82%A0', 'Shift_JIS'", "あ"),
        ("'%zz'", None),
    ],
    "TD_SUBSTRING_INENCODING": [
        ("'あいう', 2, 'UTF-8'", ""),
        ("'aあ', 3, 'UTF-8'", "a"),
        ("'あいう', 4, 'Shift_JIS'", "あい"),
        ("'あいう', 5, 'EUC-JP'", "あい"),
        ("'😀a', 4, 'UTF-8'", "😀"),
        ("'é', 1, 'ISO-8859-1'", "é"),
    ],
    "TD_PARSE_USER_AGENT": [
        (f"'{CHROME}', '{option}'", value)
        for option, value in (("os_family", "Windows"), ("os_major", "7"), ("ua_major", "16"))
    ],
}


@pytest.mark.parametrize("dialect", list(Dialect))
@pytest.mark.parametrize("name", VECTORS)
def test_calls_come_to_their_values(name: str, dialect: Dialect) -> None:
    calls = [f"{name}({arguments})" for arguments, _ in VECTORS[name]]
    (found,) = rows(select(", ".join(calls)), dialect=dialect)
    assert dict(zip(calls, found, strict=True)) == {
        f"{name}({arguments})": value for arguments, value in VECTORS[name]
    }


@pytest.mark.parametrize("dialect", list(Dialect))
def test_parts_of_an_agent(dialect: Dialect) -> None:
    parts = {
        "os": "Windows 7",
        "vendor": "Google",
        "os_version": "NT 6.1",
        "name": "Chrome",
        "category": "pc",
        "version": "16.0.912.77",
    }
    agent = f"TD_PARSE_AGENT('{CHROME}')"
    calls = [f"{agent}['{part}'], element_at({agent}, '{part}')" for part in parts]
    (found,) = rows(select(", ".join(calls)), dialect=dialect)
    assert found == tuple(value for value in parts.values() for _ in range(2))


ROWS = "SELECT 'x' AS v, 1 AS a, 2 AS b UNION ALL SELECT 'y', 1, 1 UNION ALL SELECT 'z', NULL, 9"


@pytest.mark.parametrize("dialect", list(Dialect))
@pytest.mark.parametrize(
    ("call", "value"),
    [
        ("TD_FIRST(v, a, b)", "y"),
        ("TD_LAST(v, a, b)", "x"),
        ("TD_LAST(v, b)", "z"),
        ("TD_FIRST(a, b)", 1),
        ("TD_LAST(a, b)", None),
        ("TD_SUMIF(a, b < 9)", 2.0),
        ("TD_AVGIF(b, a = 1)", 1.5),
        ("TD_AVGIF(a, a > 1)", None),
        ("TD_APPROX_MOST_FREQUENT(1, a, 10)", [(1, 2)]),
    ],
)
def test_aggregates(call: str, value: Any, dialect: Dialect) -> None:
    assert rows(select(call, f"({ROWS}) t"), dialect=dialect) == [(value,)]


@pytest.mark.parametrize(
    ("arguments", "numbers"),
    [
        ("0, 10, 2", [0, 2, 4, 6, 8]),
        ("0, 10, 3", [0, 3, 6, 9]),
        ("-2, 1", [-2, -1, 0]),
        ("5, 0, -2", [5, 3, 1]),
        ("5, 5", []),
        ("0.0, 2.0, 1.0", [0, 1]),
    ],
)
def test_numeric_ranges(arguments: str, numbers: list[int]) -> None:
    found = rows(select(f"TD_NUMERIC_RANGE({arguments})"), dialect=Dialect.HIVE)
    assert found == [(number,) for number in numbers]


TALL = "SELECT 1 AS id, 'a' AS key, 11 AS value UNION ALL SELECT 1, 'b', 12 UNION ALL SELECT 2, 'b', 22"
WIDE = "SELECT 1 AS id, 11 AS a, 12 AS b UNION ALL SELECT 2, NULL, 22"


@pytest.mark.parametrize(
    ("columns", "source", "expected"),
    [
        (
            "id, t.a, b",
            f"({TALL}) v LATERAL VIEW TD_PIVOT(key, value, 'a, b') t",
            [(1, 11, None), (1, None, 12), (2, None, 22)],
        ),
        (
            "id, t.key, t.value",
            f"({WIDE}) v LATERAL VIEW TD_UNPIVOT('a,b', a, b) t",
            [(1, "a", 11), (1, "b", 12), (2, "a", None), (2, "b", 22)],
        ),
        (
            "id, n, x",
            f"({WIDE}) v LATERAL VIEW OUTER td_unpivot('b', b) t AS n, x",
            [(1, "b", 12), (2, "b", 22)],
        ),
    ],
)
def test_columns_to_rows_and_back(columns: str, source: str, expected: list[tuple[Any, ...]]) -> None:
    assert sorted(rows(select(columns, source), dialect=Dialect.HIVE), key=str) == sorted(expected, key=str)


@pytest.mark.parametrize(
    ("call", "problem"),
    [
        ("TD_UNPIVOT('a, b', id)", "TD_UNPIVOT has 2 names for 1 values"),
        ("TD_UNPIVOT(id, id)", "the names are no constant 'a, b'"),
        ("TD_UNPIVOT('a,', id)", "the names are no constant 'a, b'"),
        ("TD_PIVOT(id, 'a')", "TD_PIVOT takes a key, a value and 'key1, key2'"),
    ],
)
def test_what_makes_no_columns(call: str, problem: str) -> None:
    with pytest.raises(UnsupportedSql) as error:
        rows(select("id", f"({WIDE}) v LATERAL VIEW {call} t"), dialect=Dialect.HIVE)
    assert error.value.located.startswith("line 1, column ")
    assert error.value.located.endswith(problem)
