"""Functions of Trino and Hive yield on the engine what they yield at home."""

from datetime import UTC, date, datetime
from typing import Any

import duckdb
import pytest

from logdrain.errors import UnknownFunction, UnsupportedSql
from logdrain.model.plans import Dialect
from logdrain.query.duckdb.allowed_functions import ENGINE_FUNCTIONS
from tests.unit.query.event_tables import one, plan, rows, select

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("COALESCE(NULL, 1)", 1),
        ("CONCAT('a', NULL)", None),
        ("IF(TRUE, 1, 2)", 1),
        ("IF(FALSE, 1)", None),
        ("SUBSTR('abcd', 2, 2)", "bc"),
        ("SUBSTR('abcd', -2)", "cd"),
        ("SPLIT('a,b', ',')", ["a", "b"]),
        ("SPLIT_PART('a,b', ',', 2)", "b"),
        ("STRPOS('abc', 'c')", 3),
        ("REGEXP_LIKE('abc', 'b')", True),
        ("REGEXP_EXTRACT('abc', 'b(c)', 1)", "c"),
        ("REGEXP_EXTRACT('abc', 'x')", None),
        ("REGEXP_REPLACE('aab', 'a')", "b"),
        ("JSON_EXTRACT_SCALAR('{\"a\":{\"b\":1}}', '$.a.b')", "1"),
        ("JSON_EXTRACT_SCALAR('no json', '$.a')", None),
        ("CARDINALITY(ARRAY[1, 2])", 2),
        ("CONTAINS(ARRAY[1, 2], 2)", True),
        ("ELEMENT_AT(ARRAY[1], 5)", None),
        ("ARRAY_JOIN(ARRAY['a', 'b'], '-')", "a-b"),
        ("TRANSFORM(ARRAY[1, 2], x -> x + 1)", [2, 3]),
        ("FILTER(ARRAY[1, 2], x -> x > 1)", [2]),
        ("REDUCE(ARRAY[1, 2, 3], 0, (s, x) -> s + x, s -> s * 10)", 60),
        ("ANY_MATCH(ARRAY[1, 2], x -> x = 2)", True),
        ("ALL_MATCH(ARRAY[1, 2], x -> x = 2)", False),
        ("NONE_MATCH(ARRAY[1, 2], x -> x = 3)", True),
        ("ARRAY_MAX(ARRAY[1, 3, 2])", 3),
        ("GREATEST(1, NULL)", None),
        ("CODEPOINT('A')", 65),
        ("TO_HEX(MD5(TO_UTF8('a')))", "0CC175B9C0F1B6A831C399E269772661"),
        ("URL_EXTRACT_HOST('http://u@h.com:80/p/a?q=1#f')", "h.com"),
        ("URL_EXTRACT_PATH('http://h.com/p/a?q=1#f')", "/p/a"),
        ("URL_EXTRACT_QUERY('http://h.com/p/a?q=1#f')", "q=1"),
        ("URL_EXTRACT_PORT('http://h.com:80/p')", 80),
        ("URL_EXTRACT_PROTOCOL('http://h')", "http"),
        ("FROM_UNIXTIME(0)", EPOCH),
        ("TO_UNIXTIME(FROM_UNIXTIME(0))", 0.0),
        ("DATE_TRUNC('hour', FROM_UNIXTIME(3700))", datetime(1970, 1, 1, 1, tzinfo=UTC)),
        ("DATE_FORMAT(FROM_UNIXTIME(0), '%Y-%m-%d %H:%i')", "1970-01-01 00:00"),
        ("FORMAT_DATETIME(FROM_UNIXTIME(0), 'yyyy-MM-dd HH:mm')", "1970-01-01 00:00"),
        ("DATE_PARSE('1970-01-02', '%Y-%m-%d')", datetime(1970, 1, 2)),  # noqa: DTZ001  a TIMESTAMP
        ("DATE_DIFF('day', TIMESTAMP '2020-01-01 23:00:00', TIMESTAMP '2020-01-02 01:00:00')", 0),
        ("DATE_DIFF('month', DATE '2020-01-31', DATE '2020-03-31')", 2),
        ("DATE_ADD('day', 1, DATE '2020-01-01')", date(2020, 1, 2)),
        ("DATE '2020-01-02' - INTERVAL '1' DAY", date(2020, 1, 1)),
        ("EXTRACT(HOUR FROM FROM_UNIXTIME(3600))", 1),
        ("DAY_OF_WEEK(DATE '2020-01-01')", 3),
        ("NOW()", datetime(2012, 3, 1, 0, 10, tzinfo=UTC)),
        ("CURRENT_DATE", date(2012, 3, 1)),
        ("FROM_UNIXTIME(0) AT TIME ZONE 'Asia/Tokyo'", datetime(1970, 1, 1, 9)),  # noqa: DTZ001  a TIMESTAMP
        ("TRY(1 / 0)", None),
        ("ROUND(2.5)", 3),
        ("TRUNCATE(1.7)", 1),
        ("MOD(5, 3)", 2),
        ("POWER(2, 3)", 8.0),
        ("MAP_AGG(1, 2)", [(1, 2)]),
        ("MAP_FILTER(MAP(ARRAY['a', 'b'], ARRAY[1, 2]), (k, v) -> v > 1)", [("b", 2)]),
        ("TRANSFORM_KEYS(MAP(ARRAY['a'], ARRAY[1]), (k, v) -> k || 'x')", [("ax", 1)]),
        ("TRANSFORM_VALUES(MAP(ARRAY['a'], ARRAY[1]), (k, v) -> v + 1)", [("a", 2)]),
        ("MULTIMAP_AGG(1, 2)", [(1, [2])]),
        ("MAP_UNION(MAP(ARRAY['a'], ARRAY[1]))", [("a", 1)]),
        ("SPLIT_TO_MAP('a=1,b=2', ',', '=')", [("a", "1"), ("b", "2")]),
        ("SPLIT_TO_MULTIMAP('a=1,a=2', ',', '=')", [("a", ["1", "2"])]),
        ("CARDINALITY(MAP(ARRAY['a'], ARRAY[1]))", 1),
        ("SPLIT('a,b,c', ',', 2)", ["a", "b,c"]),
        ("SPLIT_PART('a,b', ',', 3)", None),
        ("REGEXP_REPLACE('1a 2b', '(\\d+)([ab])', '3c$2')", "3ca 3cb"),
        ("REGEXP_REPLACE('1a', 'a', '\\$')", "1$"),
        ("REGEXP_POSITION('1a', 'a')", 2),
        ("REGEXP_POSITION('1a', 'b')", -1),
        ("FORMAT('%s-%d', 'a', 3)", "a-3"),
        ("REVERSE(ARRAY[1, 2])", [2, 1]),
        ("REVERSE('ab')", "ba"),
        ("SLICE(ARRAY[1, 2, 3], 2, 2)", [2, 3]),
        ("SLICE(ARRAY[1, 2, 3], -2, 2)", [2, 3]),
        ("ARRAY_POSITION(ARRAY[1, 2], 3)", 0),
        ("REPEAT(1, 3)", [1, 1, 1]),
        ("ZIP_WITH(ARRAY[1, 2], ARRAY[3, 4], (x, y) -> x + y)", [4, 6]),
        ("NGRAMS(ARRAY['a', 'b', 'c'], 2)", [["a", "b"], ["b", "c"]]),
        ("JSON_EXTRACT_SCALAR('{\"a\":{\"b\":1}}', '$.a')", None),
        ("JSON_EXTRACT_SCALAR('{\"a\":\"{\"}', '$.a')", "{"),
        ("JSON_EXTRACT('no json', '$.a')", None),
        ("JSON_ARRAY_CONTAINS('[1,2]', 2)", True),
        ('JSON_SIZE(\'{"a":{"b":1,"c":2}}\', \'$.a\')', 2),
        ("URL_ENCODE('a b')", "a+b"),
        ("URL_DECODE('a+b%20')", "a b "),
        ("URL_EXTRACT_PARAMETER('http://h/p?a=1&b=x%20y#f', 'b')", "x y"),
        ("URL_EXTRACT_PARAMETER('http://h/p?a=1', 'c')", None),
        ("TO_HEX(SHA1(TO_UTF8('a')))", "86F7E437FAA5A7FCE15D1DDCB9EAEAEA377667B8"),
        ("TO_BASE(255, 16)", "ff"),
        ("WIDTH_BUCKET(5.3, 0.2, 10.6, 5)", 3),
        ("BITWISE_LEFT_SHIFT(1, 3)", 8),
        ("BIT_COUNT(7, 64)", 3),
        ("IS_NAN(NAN())", True),
        ("MILLISECOND(TIMESTAMP '2020-01-01 00:00:01.234')", 234),
        ("EXTRACT(DOW FROM DATE '2020-01-05')", 7),
        ("YOW(DATE '2021-01-01')", 2020),
        ("DATE_TRUNC('month', DATE '2020-02-05')", date(2020, 2, 1)),
        ("FROM_UNIXTIME(0, 'Asia/Tokyo')", datetime(1970, 1, 1, 9)),  # noqa: DTZ001  a TIMESTAMP
        ("TO_UNIXTIME(FROM_UNIXTIME(0) AT TIME ZONE 'Asia/Tokyo')", 0.0),
        ("TO_ISO8601(FROM_UNIXTIME(0))", "1970-01-01T00:00:00.000Z"),
        ("TO_ISO8601(DATE '2020-01-02')", "2020-01-02"),
        ("CAST(FROM_UNIXTIME(0) AS VARCHAR)", "1970-01-01 00:00:00.000 UTC"),
        ("FORMAT_DATETIME(FROM_UNIXTIME(0), 'yyyy-MM-dd''T''HH:mm:ssZ')", "1970-01-01T00:00:00+0000"),
        ("FORMAT_DATETIME(TIMESTAMP '2020-01-05 13:04:05', 'EEE MMM d h:mm a')", "Sun Jan 5 1:04 PM"),
        ("DATE_FORMAT(FROM_UNIXTIME(0), '%x-%v')", "1970-01"),
        ("APPROX_MOST_FREQUENT(1, 'a', 10)", [("a", 1)]),
    ],
)
def test_trino(expression: str, value: Any) -> None:
    assert one(select(expression)) == value


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("MAX_BY(userid, price)", "u5"),
        ("MIN_BY(coupon, price)", None),
        ("ARRAY_AGG(userId ORDER BY userId DESC)", [5, 4, 3, 2, 1, 0]),
        ("APPROX_DISTINCT(uid)", 3),
        ("APPROX_PERCENTILE(7, 0.5)", 7),
        ("APPROX_PERCENTILE(userId, ARRAY[0.0, 1.0])", [0, 5]),
        ("COUNT_IF(paid)", 5),
        ("BOOL_OR(paid)", True),
        ("EVERY(paid)", False),
        ("SUM(userId) FILTER (WHERE paid)", 12),
        ("LISTAGG(userid, '') WITHIN GROUP (ORDER BY userId)", "u0u1u2u3u4u5"),
        ("COUNT(DISTINCT uid)", 3),
        ("JSON_EXTRACT_SCALAR(MAX(code), '$')", None),
    ],
)
def test_trino_aggregates(expression: str, value: Any) -> None:
    assert one(select(expression, "pay")) == value


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("NVL(NULL, 2)", 2),
        ("SIZE(ARRAY(1, 2))", 2),
        ("ARRAY(1, 2)[0]", 1),
        ("IF(1 = 1, 'a', 'b')", "a"),
        ("REGEXP_EXTRACT('abc', 'b(c)', 1)", "c"),
        ("GET_JSON_OBJECT('{\"a\":1}', '$.a')", "1"),
        ("GET_JSON_OBJECT('no json', '$.a')", None),
        ("INSTR('abc', 'c')", 3),
        ("SPLIT('a,b', ',')[0]", "a"),
        ('"text"', "text"),
        ("FROM_UNIXTIME(0, 'yyyy-MM-dd')", "1970-01-01"),
        ("UNIX_TIMESTAMP()", 1330560600),
        ("DATE_ADD('2020-01-01', 1)", date(2020, 1, 2)),
        ("DATEDIFF('2020-01-05', '2020-01-01')", 4),
        ("7 DIV 2", 3),
        ("PARSE_URL('http://u@h.com:80/p/a?q=1&r=2#f', 'HOST')", "h.com"),
        ("PARSE_URL('http://u@h.com:80/p/a?q=1&r=2#f', 'AUTHORITY')", "u@h.com:80"),
        ("PARSE_URL('http://u@h.com:80/p/a?q=1&r=2#f', 'USERINFO')", "u"),
        ("PARSE_URL('http://h.com/p/a?q=1&r=2#f', 'FILE')", "/p/a?q=1&r=2"),
        ("PARSE_URL('http://h.com/p/a?q=1&r=2#f', 'REF')", "f"),
        ("PARSE_URL('http://h.com/p/a?q=1&r=2#f', 'QUERY', 'r')", "2"),
        ("PARSE_URL('http://h.com/p', 'QUERY')", None),
        ("UNIX_TIMESTAMP('2020-01-02 03:04:05')", 1577934245),
        ("UNIX_TIMESTAMP('2020-01-02', 'yyyy-MM-dd')", 1577923200),
        ("UNIX_TIMESTAMP('bad')", None),
        ("HOUR('2020-01-02 03:04:05')", 3),
        ("DAYOFWEEK('2020-01-05')", 1),
        ("LAST_DAY('2020-02-05')", date(2020, 2, 29)),
        ("TRUNC('2020-02-05', 'MM')", "2020-02-01"),
        ("FROM_UTC_TIMESTAMP('1970-01-01 00:00:00', 'JST')", datetime(1970, 1, 1, 9)),  # noqa: DTZ001  a TIMESTAMP
        ("CAST('1.7' AS INT)", 1),
        ("CAST('abc' AS INT)", None),
        ("'a' = 1", None),
        ("'5' + 3", 8.0),
        ("SIZE(MAP('a', 1))", 1),
        ("SUBSTR('abcd', 0, 2)", "ab"),
        ("SUBSTRING_INDEX('a.b.c', '.', 2)", "a.b"),
        ("SUBSTRING_INDEX('a.b.c', '.', -2)", "b.c"),
        ("FIND_IN_SET('b', 'a,b,c')", 2),
        ("FORMAT_NUMBER(12345.678, 2)", "12,345.68"),
        ("STR_TO_MAP('a:1,b:2')", [("a", "1"), ("b", "2")]),
        ("ISNULL(NULL)", True),
        ("BROUND(2.5)", 2),
        ("PMOD(-7, 3)", 2),
        ("SHIFTLEFT(1, 3)", 8),
        ("REGEXP_REPLACE('100-200', '(\\\\d+)-(\\\\d+)', '$2')", "200"),
        ("'a' RLIKE 'A|a'", True),
    ],
)
def test_hive(expression: str, value: Any) -> None:
    assert one(select(expression), dialect=Dialect.HIVE) == value


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        ("FORMAT_DATETIME(NOW(), LOWER('Y'))", "the pattern must be a string"),
        ("REDUCE(ARRAY[1], 0, (s, x) -> s, 5)", "REDUCE whose last argument"),
        ("MAP_ZIP_WITH(MAP(), MAP(), x -> x)", r"MAP_ZIP_WITH whose last argument is not \(a, b, c\)"),
        ("REGEXP_REPLACE('a', '(a)', x -> x[1])", "REGEXP_REPLACE with a function"),
        ("APPROX_PERCENTILE(1, 2, 0.5)", "APPROX_PERCENTILE with weights"),
        ("FORMAT_DATETIME(NOW(), 'Q')", "the pattern has 'Q'"),
        ("FROM_UNIXTIME(0, 9, 0)", "FROM_UNIXTIME with an offset"),
    ],
)
def test_forms_without_a_counterpart(expression: str, message: str) -> None:
    with pytest.raises(UnsupportedSql, match=f"line 1, column 8: {message}"):
        plan(select(expression))


def test_the_engine_has_every_function_on_the_list_and_none_is_dangerous() -> None:
    with duckdb.connect() as connection:
        found = connection.sql("SELECT DISTINCT function_name FROM duckdb_functions()").fetchall()
    grammar = {
        "cast",
        "coalesce",
        "extract",
        "grouping",
        "grouping_id",
        "position",
        "try",
        "try_cast",
        "exists",
    }
    assert ENGINE_FUNCTIONS - grammar - {name for (name,) in found} == set()
    dangerous = {
        "getenv",
        "current_setting",
        "read_text",
        "glob",
        "query",
        "nextval",
        "sleep_ms",
        "getvariable",
    }
    assert ENGINE_FUNCTIONS & dangerous == set()


@pytest.mark.parametrize(
    ("expression", "values"),
    [
        ("COUNT_IF(paid) FILTER (WHERE uid > 0)", [4]),
        ("COUNT_IF(uid > 99)", [0]),
        ("COUNT_IF(paid) OVER (PARTITION BY REGEXP_EXTRACT(userid, 'u') ORDER BY price)", [1, 2, 3, 3, 4, 5]),
    ],
)
def test_an_aggregate_that_is_written_otherwise_keeps_its_filter_and_window(
    expression: str, values: list[int]
) -> None:
    assert [value for (value,) in sorted(rows(select(expression, "pay")))] == values


@pytest.mark.parametrize(
    ("expression", "values"),
    [
        ("EVERY(paid) FILTER (WHERE uid > 0)", [True]),
        ("ROUND(SKEWNESS(price) OVER (PARTITION BY uid > 9), 6)", [0.0] * 6),
        (
            "ROUND(ENTROPY(uid) FILTER (WHERE uid < 2) OVER (PARTITION BY uid), 6)",
            [0.0, 0.0, 0.0, 0.0, 1.0, 1.0],
        ),
        ("MAP_KEYS(MAP_AGG(userid, price) FILTER (WHERE price > 400))", [["u5"]]),
        (
            "MAP_AGG(userid, price) FILTER (WHERE price > 400) OVER (PARTITION BY price > 300)",
            [None] * 4 + [[("u5", 500)]] * 2,
        ),
    ],
)
def test_a_formula_of_aggregates_takes_them(expression: str, values: list[Any]) -> None:
    assert [value for (value,) in sorted(rows(select(expression, "pay")), key=repr)] == values


@pytest.mark.parametrize(
    ("name", "hint"),
    [("ST_DISTANCE", "points, areas"), ("TDIGEST_AGG", "APPROX_PERCENTILE"), ("CLASSIFY", "job in Python")],
)
def test_what_trino_has_and_is_not_run_says_what_to_do_instead(name: str, hint: str) -> None:
    with pytest.raises(UnknownFunction, match=hint):
        plan(select(f"{name}(1, 2)"))


@pytest.mark.parametrize(
    "expression",
    ["ARRAY_SORT(ARRAY[1], (a, b) -> 1)"],
)
def test_what_the_engine_would_read_differently_is_refused(expression: str) -> None:
    with pytest.raises(UnsupportedSql):
        plan(select(expression))


def test_a_map_keeps_one_value_of_each_key_and_no_null_key() -> None:
    assert one("SELECT MAP_AGG(k, v) FROM (VALUES (1, 'a'), (1, 'a'), (NULL, 'c')) AS t(k, v)") == [(1, "a")]
