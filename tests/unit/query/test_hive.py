"""Hive's functions yield what Hive's manual says, of constants, of columns and of NULL.

(https://cwiki.apache.org/confluence/display/Hive/LanguageManual+UDF)
"""

from datetime import date, datetime
from typing import Any

import pytest

from logdrain.errors import LogdrainError, SqlTypeError, UnknownFunction, UnsupportedSql
from logdrain.model.plans import Dialect
from tests.unit.query.event_tables import Tables, rows, select

TABLES: Tables = {
    "production.h": [
        {
            "time": 0,
            "day": "2009-08-31",
            "at": "2015-04-08 13:14:15.678",
            "bad": "bad",
            "n": 5,
            "zero": 0,
            "f": 1.5,
            "word": "1e3",
            "list": [1, None],
            "object": {"a": 1, "b": 2},
            "json": '{"a":[{"b":1},{"b":2}]}',
        },
        {"time": 1},
    ]
}


def of_column(expression: str) -> tuple[Any, Any]:
    """Of the row with values, and of the one that is NULL but for its time."""
    sql = select(f"{expression}, time", "h ORDER BY time")
    (first, _), (second, _) = rows(sql, TABLES, dialect=Dialect.HIVE)
    return first, second


def of_constants(expression: str) -> Any:
    ((value,),) = rows(select(expression), TABLES, dialect=Dialect.HIVE)
    return value


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("STDDEV(x)", 1.0),
        ("STD(x)", 1.0),
        ("STDDEV_POP(x)", 1.0),
        ("STDDEV_SAMP(x)", 2**0.5),
        ("VARIANCE(x)", 1.0),
        ("VAR_POP(x)", 1.0),
        ("VAR_SAMP(x)", 2.0),
        ("PERCENTILE(x, 0.5)", 2.0),
        ("PERCENTILE(x, ARRAY(0.25, 0.5))", [1.5, 2.0]),
        ("PERCENTILE(CAST(x AS STRING), 0.5)", 2.0),
        ("CAST(PERCENTILE(x + 1, 0.75) AS BIGINT)", 3),
        ("SUM(CAST(x AS STRING))", 4.0),
        ("SUM(DISTINCT CAST(x AS STRING))", 4.0),
        ("AVG(CONCAT(x, 'x'))", None),
        ("STDDEV(CAST(x AS STRING))", 1.0),
        ("SORT_ARRAY(COLLECT_LIST(x))", [1, 3]),
        ("SIZE(COLLECT_SET(NULLIF(x, x)))", 0),
        ("COLLECT_LIST(NULLIF(x, x))", []),
    ],
)
def test_aggregates(expression: str, value: Any) -> None:
    source = "(SELECT 1 x UNION ALL SELECT 3 x UNION ALL SELECT CAST(NULL AS INT) x) values_of_x"
    assert of_constants(f"{expression} FROM {source}") == value


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("ADD_MONTHS(day, 1)", "2009-09-30"),
        ("CONCAT(ADD_MONTHS(day, n), 'x')", "2010-01-31x"),
        ("MONTHS_BETWEEN(day, '2009-07-31 11:00:00')", 1.0),
        ("MONTHS_BETWEEN(at, day)", 67.27585685),
        ("CAST(CAST(at AS TIMESTAMP) AS BIGINT)", 1428498855),
        ("CAST(CAST(at AS TIMESTAMP) AS DOUBLE)", 1428498855.678),
        ("DATE_FORMAT(at, 'u')", "3"),
        ("DATE_FORMAT(at, 'k Z S')", "13 +0000 678"),
        ("DATE_FORMAT(day, 'w W F D E G Y K')", "36 6 5 243 Mon AD 2009 0"),
        (
            "DATE_FORMAT(at, \"yyyy-MM-dd'T'HH:mm:ss.SSS EEEE MMM a\")",
            "2015-04-08T13:14:15.678 Wednesday Apr PM",
        ),
        ("DATE_FORMAT(day, day)", "2009-08-31"),
        ("FROM_UNIXTIME(n)", "1970-01-01 00:00:05"),
        ("FROM_UNIXTIME(n, 'u k s')", "4 24 5"),
        ("FROM_UNIXTIME(n * 1000000000000000)", None),
        ("FROM_UNIXTIME(n * 1000000000000, 'u')", None),
        ("UNIX_TIMESTAMP(at)", 1428498855),
        ("UNIX_TIMESTAMP(day, 'yyyy-MM-dd')", 1251676800),
        ("TO_UNIX_TIMESTAMP(day, 'yyyy-MM')", 1249084800),
        ("UNIX_TIMESTAMP(day)", None),
        ("UNIX_TIMESTAMP(CAST(day AS DATE))", 1251676800),
        ("UNIX_TIMESTAMP(bad)", None),
        ("DATEDIFF(day, '2009-07-31')", 31),
        ("DATE_ADD(day, n)", date(2009, 9, 5)),
        ("DATE_SUB(day, n)", date(2009, 8, 26)),
        ("TO_DATE(at)", date(2015, 4, 8)),
        ("YEAR(day)", 2009),
        ("DAYOFYEAR(day)", 243),
        ("EXTRACT(YEAR FROM day)", 2009),
        ("HOUR(at)", 13),
        ("GREATEST(n, zero, 3)", 5),
        ("LEAST(n, 1)", 1),
        ("n % 3", 2),
        ("word % 3", 1.0),
        ("n DIV 2", 2),
        ("word DIV 3", 333),
        ("f DIV 1", 1),
        ("n % zero", None),
        ("n DIV zero", None),
        ("f % zero", None),
        ("PMOD(n, zero)", None),
        ("PMOD(-n, 3)", 1),
        ("ABS(word)", 1000.0),
        ("CONV(n, 10, 2)", "101"),
        ("CONV(bad, 16, 10)", "2989"),
        ("CRC32(day)", 2737276868),
        ("ELT(n - 4, day, at)", "2009-08-31"),
        ("ELT(n, day, at)", None),
        ("SOUNDEX(bad)", "B300"),
        ("GET_JSON_OBJECT(json, '$.a[1].b')", "2"),
        ("CAST(word AS INT)", None),
        *((f"{function}(bad)", None) for function in ("YEAR", "MONTH", "DAY", "HOUR", "LAST_DAY", "TO_DATE")),
        *((call, None) for call in ("DATEDIFF(bad, day)", "DATE_ADD(bad, 1)", "DATE_FORMAT(bad, 'u')")),
        *((call, None) for call in ("ADD_MONTHS(bad, 1)", "MONTHS_BETWEEN(day, bad)", "TRUNC(bad, 'MM')")),
    ],
)
def test_columns(expression: str, value: Any) -> None:
    assert of_column(expression) == (value, None)


@pytest.mark.parametrize(
    ("expression", "value", "of_null"),
    [
        ("SIZE(list)", 2, -1),
        ("COLLECT_SET(n) OVER (PARTITION BY YEAR(day))", [5], []),
        ("SIZE(unseen)", -1, -1),
        ("SIZE(MAP('a', n))", 1, 1),
        ("SIZE(STR_TO_MAP(day))", 1, -1),
        ("FIELD(n, 1, 5)", 2, 0),
        ("FIELD(bad, 'bad')", 1, 0),
        ("COALESCE(n % zero, 7)", 7, 7),
    ],
)
def test_columns_whose_null_counts(expression: str, value: Any, of_null: Any) -> None:
    assert of_column(expression) == (value, of_null)


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("ADD_MONTHS('2009-08-31', 1)", "2009-09-30"),
        ("ADD_MONTHS('2009-02-28', 1)", "2009-03-31"),
        ("ADD_MONTHS('2009-01-31 10:11:12', -2)", "2008-11-30"),
        ("MONTHS_BETWEEN('1997-02-28 10:30:00', '1996-10-30')", 3.94959677),
        ("ROUND(MONTHS_BETWEEN('1997-02-28 10:30:00', '1996-10-30', FALSE), 11)", 3.94959677419),
        ("MONTHS_BETWEEN('2009-02-28', '2009-01-31')", 1.0),
        ("MONTHS_BETWEEN(NULL, '2009-01-31')", None),
        ("CAST(CAST('2015-01-01 00:00:00' AS TIMESTAMP) AS BIGINT)", 1420070400),
        ("CAST(CAST('1969-12-31 23:59:59.5' AS TIMESTAMP) AS INT)", -1),
        ("CAST(FROM_UNIXTIME(5) AS TIMESTAMP)", datetime(1970, 1, 1, 0, 0, 5)),  # noqa: DTZ001  a TIMESTAMP
        ("DATE_FORMAT('2015-04-08', 'y')", "2015"),
        ("DATE_FORMAT(NULL, 'u')", None),
        ("DATE_FORMAT('2015-04-08', NULL)", None),
        ("UNIX_TIMESTAMP('2009-03-20 11:30:01')", 1237548601),
        ("UNIX_TIMESTAMP('2009-03-20 13', 'yyyy-MM-dd kk')", 1237554000),
        ("UNIX_TIMESTAMP('20/mar/2009:11:30:01 +0900', 'dd/MMM/yyyy:HH:mm:ss Z')", 1237516201),
        ("UNIX_TIMESTAMP('20090320 12 PM JST', 'yyyyMMdd hh a z')", 1237518000),
        ("UNIX_TIMESTAMP('Friday 2009-3-20', 'EEEE yyyy-MM-dd')", 1237507200),
        ("UNIX_TIMESTAMP('2009-13-20', 'yyyy-MM-dd')", None),
        ("UNIX_TIMESTAMP('2009-03-20 11:30:01', 'yyyy-MM-dd')", 1237507200),
        ("UNIX_TIMESTAMP('20090320', 'yyyyMMdd')", 1237507200),
        ("UNIX_TIMESTAMP('1969-12-31 23:59:59')", -1),
        ("UNIX_TIMESTAMP('infinity')", None),
        ("UNIX_TIMESTAMP('01:02', 'HH:mm')", 3720),
        ("UNIX_TIMESTAMP('epoch', 'yyyy')", None),
        ("UNIX_TIMESTAMP('2009-03-20 24', 'yyyy-MM-dd HH')", None),
        ("UNIX_TIMESTAMP('2009-03-20', NULL)", None),
        ("UNIX_TIMESTAMP()", 1330560600),
        ("HOUR('12:58:59')", 12),
        ("GREATEST(1, NULL, 3)", None),
        ("LEAST('b', 'a')", "a"),
        ("SIZE(NULL)", -1),
        ("5 % 0", None),
        ("-7 % 3", -1),
        ("'-7' DIV 2", -3),
        ("CONV('100', 2, 10)", "4"),
        ("CONV(-10, 16, -10)", "-16"),
        ("CONV('-1', 10, 16)", "FFFFFFFFFFFFFFFF"),
        ("CONV('99999999999999999999', 10, 16)", "FFFFFFFFFFFFFFFF"),
        ("CONV('FFFFFFFFFFFFFFFF', 16, -10)", "-1"),
        ("CONV('zz', 10, 16)", "0"),
        ("CONV('', 10, 16)", None),
        ("CONV('1', 1, 10)", None),
        ("CRC32('ABC')", 2743272264),
        ("ELT(1, 'face', 'book')", "face"),
        ("ELT(3, 'face', 'book')", None),
        ("ELT(NULL, 'face')", None),
        ("FIELD('world', 'say', 'hello', 'world')", 3),
        ("FIELD(NULL, 'x')", 0),
        ("SOUNDEX('Miller')", "M460"),
        ("SOUNDEX('Ashcraft')", "A261"),
        ("SOUNDEX('Tymczak')", "T522"),
        ("SOUNDEX('Pfister')", "P236"),
        ("SOUNDEX('1')", ""),
        ("SOUNDEX('é')", None),
        ("CAST('1e3' AS INT)", None),
        ("CAST('0x1F' AS INT)", None),
        ("CAST('1_000' AS INT)", None),
        ("CAST('-5.9' AS INT)", -5),
        ("CAST(' 12 ' AS INT)", 12),
    ],
)
def test_constants(expression: str, value: Any) -> None:
    assert of_constants(expression) == value


@pytest.mark.parametrize(
    ("expression", "error", "message", "hint"),
    [
        (
            "CAST(n AS TIMESTAMP)",
            UnsupportedSql,
            "read a number as seconds or as milliseconds",
            "FROM_UNIXTIME(h.n)",
        ),
        ("CAST(n AS DATE)", SqlTypeError, "h.n is a number, no time", "write FROM_UNIXTIME(h.n)"),
        ("YEAR(n)", SqlTypeError, "h.n is a number, no time", "write FROM_UNIXTIME(h.n)"),
        ("DATE_FORMAT(day, 'Q')", UnsupportedSql, "the pattern 'Q' cannot be read", "SimpleDateFormat"),
        ("DATE_FORMAT(day)", SqlTypeError, "DATE_FORMAT takes 2 arguments, not 1", ""),
        ("UNIX_TIMESTAMP(day, 'yy')", UnsupportedSql, "the pattern 'yy' cannot be read", "yyyy"),
        ("UNIX_TIMESTAMP(day, 'w')", UnsupportedSql, "the pattern 'w' cannot be read", "yyyy"),
        ("MONTHS_BETWEEN(day, at, n > 1)", UnsupportedSql, "not TRUE or FALSE", ""),
        ("SIZE(object)", UnsupportedSql, "h.object is an object", "h.object.a, h.object.b"),
        ("MAP_KEYS(object)", UnsupportedSql, "h.object is an object", "h.object.a, h.object.b"),
        ("MAP_VALUES(object)", UnsupportedSql, "h.object is an object", "h.object.a, h.object.b"),
        ("EXPLODE(object)", UnsupportedSql, "h.object is an object", "h.object.a, h.object.b"),
        ("GET_JSON_OBJECT(json, '$.a[*].b')", UnsupportedSql, "with * in its path", "'$.a[0].b'"),
        ("ASSERT_TRUE(n > 1)", UnknownFunction, "there is no function ASSERT_TRUE", "COUNT(IF("),
        ("PMOD(n)", SqlTypeError, "PMOD takes 2 arguments, not 1", ""),
        ("ELT(n)", SqlTypeError, "ELT takes at least 2 arguments, not 1", ""),
        ("FIELD(n)", SqlTypeError, "FIELD takes at least 2 arguments, not 1", ""),
    ],
)
def test_refused(expression: str, error: type[LogdrainError], message: str, hint: str) -> None:
    with pytest.raises(error) as raised:
        of_column(expression)
    assert raised.value.located.startswith("line 1, column ")
    assert message in raised.value.located
    assert hint in raised.value.hint


@pytest.mark.parametrize(
    "view", ["EXPLODE(object) t AS k", "OUTER EXPLODE(object) t AS k", "EXPLODE(object) t AS k, v"]
)
def test_an_object_has_no_rows(view: str) -> None:
    with pytest.raises(UnsupportedSql, match=r"line 1, column \d+: h.object is an object"):
        rows(select("k", f"h LATERAL VIEW {view}"), TABLES, dialect=Dialect.HIVE)


def test_grouping_id_is_refused_and_grouping_is_run() -> None:
    refused = r"line 1, column 11: GROUPING__ID: versions of Hive"
    with pytest.raises(UnsupportedSql, match=refused) as raised:
        rows("SELECT n, GROUPING__ID FROM h GROUP BY n, zero WITH ROLLUP", TABLES, dialect=Dialect.HIVE)
    assert raised.value.hint == "write GROUPING(n, zero)"
    sql = "SELECT n, zero, GROUPING(n, zero) FROM h WHERE n = 5 GROUP BY n, zero WITH ROLLUP ORDER BY 3"
    assert rows(sql, TABLES, dialect=Dialect.HIVE) == [(5, 0, 0), (5, None, 1), (None, None, 3)]


@pytest.mark.parametrize(
    ("written", "text"),
    [
        ("'a''b'", "a'b"),
        ("''''", "'"),
        (r"'a\'b'", "a'b"),
        ("\"a''b\"", "a''b"),
        ('"it\'s"', "it's"),
        ("'a' 'b'", "ab"),
    ],
)
def test_quotes_in_texts(written: str, text: str) -> None:
    assert of_constants(written) == text


def test_a_part_of_a_map_has_both_names() -> None:
    assert of_constants("ELEMENT_AT(MAP('a', 1), 'a') + MAP('a', 1)['a']") == 2
