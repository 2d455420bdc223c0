"""An error that the engine or Trino would raise has the line and column of the user's text, and his words."""

import pytest

from logdrain.errors import SqlError, SqlTypeError
from logdrain.model.plans import Dialect
from tests.unit.query.event_tables import rows


def message(sql: str, dialect: Dialect = Dialect.TRINO) -> str:
    """What a query is refused with."""
    with pytest.raises(SqlError) as error:
        rows(sql, dialect=dialect)
    return error.value.located


@pytest.mark.parametrize(
    ("sql", "place", "words"),
    [
        ("SELECT uid,\n  price\nFROM pay GROUP BY uid", "line 2, column 3", '"price" must appear in'),
        ("SELECT uid, price + 1 AS x FROM pay GROUP BY 1", "line 1, column 13", "GROUP BY"),
        ("SELECT 'é', uid, price AS \"ö\" FROM pay GROUP BY uid", "line 1, column 18", "GROUP BY"),
        ("SELECT uid FROM pay WHERE SUM(price) > 1", "line 1, column 27", "cannot contain aggregates"),
        ("SELECT SUM(SUM(price)) FROM pay", "line 1, column 12", "cannot be nested"),
        ("SELECT uid FROM pay HAVING uid > 1", "line 1, column 28", "GROUP BY"),
        ("SELECT", "line 1, column 7", "SELECT without a column"),
        ("SELECT uid FROM pay ORDER BY 5", "line 1, column 30", "ORDER takes columns between 1 and"),
        ("SELECT uid FROM pay LIMIT -1", "line 1, column 28", "cannot be negative"),
        ("SELECT uid FROM pay LIMIT 'a'", "line 1, column 27", "'a'"),
        ("SELECT uid FROM pay\nUNION SELECT uid, price FROM pay", "line 2, column 14", "1 and 2 columns"),
        ("SELECT (SELECT uid, price FROM pay)", "line 1, column 16", "returns 2 columns"),
        ("SELECT ROW_NUMBER() FROM pay", "line 1, column 8", "ROW_NUMBER needs OVER"),
        ("SELECT LAG(uid) FROM pay", "line 1, column 8", "LAG needs OVER"),
        ("SELECT SUM(code) FROM pay", "line 1, column 8", "SUM does not take (VARCHAR)"),
        ("SELECT code + 1 FROM pay", "line 1, column 8", "+ does not take (VARCHAR"),
        ("SELECT TO_UNIXTIME(1)", "line 1, column 8", "TO_UNIXTIME does not take (INTEGER)"),
        ("SELECT DATE_FORMAT(1, '%Y')", "line 1, column 8", "DATE_FORMAT does not take (INTEGER"),
        ("SELECT SUBSTR(1, 2)", "line 1, column 8", "SUBSTR does not take"),
        ("SELECT ABS('a')", "line 1, column 8", "ABS does not take (VARCHAR)"),
        ("SELECT FROM_HEX('zz')", "line 1, column 8", "hex digit"),
        ("SELECT DATE_PARSE('x', '%Q')", "line 1, column 8", "%Q"),
        ("SELECT MAP(ARRAY[1, 2], ARRAY[1])", "line 1, column 8", "map key list"),
        ("SELECT * FROM UNNEST(1)", "line 1, column 22", "UNNEST"),
        ("SELECT INTERVAL '1' FOO", "line 1, column 17", "'foo' is no unit of time"),
        ("SELECT DATE_TRUNC('foo', DATE '2020-01-01')", "line 1, column 8", "'foo' is no unit of time"),
        ("SELECT TIMESTAMP 'x'", "line 1, column 18", "invalid timestamp"),
        ("SELECT 1;  SELECT 2", "line 1, column 12", "a second statement"),
        ("SELECT uid, ? FROM pay", "line 1, column 13", "a parameter"),
        ("SELECT uid, @a FROM pay", "line 1, column 13", "a parameter"),
        ("SELECT uid, :x FROM pay", "line 1, column 13", "a parameter"),
        (" INSERT INTO x SELECT 1", "line 1, column 2", "INSERT is not run here"),
        ("SELECT JSON_EXTRACT_SCALAR('{}', 'bad path[')", "line 1, column 34", "'bad path[' is no JSON path"),
        ("SELECT JSON_EXTRACT(device, '$[') FROM login", "line 1, column 29", "is no JSON path"),
        ("SELECT FORMAT_DATETIME()", "line 1, column 8", "FORMAT_DATETIME takes 2 arguments, not 0"),
        ("SELECT FORMAT_DATETIME(NOW(), 'y', 1)", "line 1, column 8", "takes 2 arguments, not 3"),
        ("SELECT PARSE_DATETIME('x')", "line 1, column 8", "PARSE_DATETIME takes 2 arguments, not 1"),
        ("SELECT ANY_MATCH(ARRAY[1])", "line 1, column 8", "ANY_MATCH takes 2 arguments, not 1"),
        ("SELECT 1, DATE_DIFF('day'), 3", "line 1, column 26", "too few arguments"),
        ("SELECT uid, COUNT(*) FROM pay GROUP BY 3", "line 1, column 40", "GROUP BY takes columns"),
        ("SELECT 1, TD_ARRAY_INDEX(uid, 0) FROM pay", "line 1, column 11", "TD_ARRAY_INDEX does not take"),
        ("SELECT TD_APPROX_MOST_FREQUENT('a', uid) FROM pay", "line 1, column 32", "string 'a'"),
        ("SELECT MAX_BY(uid) FROM pay", "line 1, column 8", "MAX_BY needs more arguments"),
        ("SELECT APPROX_PERCENTILE(uid, 2) FROM pay", "line 1, column 8", "not from 0 to 1"),
        ("SELECT APPROX_PERCENTILE(uid, 'x') FROM pay", "line 1, column 8", "APPROX_PERCENTILE does not"),
        ("SELECT DATE_DIFF('day', 1, 2)", "line 1, column 8", "DATE_DIFF does not take"),
        ("SELECT EXTRACT(nope FROM NOW())", "line 1, column 8", "NOPE is no part of a time"),
        ("SELECT TD_SESSIONIZE(time, 'a', uid) FROM pay", "line 1, column 28", "string 'a'"),
        ("SELECT tags['a'] FROM pay", "line 1, column 13", "string 'a'"),
        ("SELECT INTERVAL 'x' DAY", "line 1, column 17", "string 'x'"),
        ("SELECT NTILE(0) OVER (ORDER BY uid) FROM pay", "line 1, column 8", "ntile"),
        ("SELECT SUM(uid) OVER w FROM pay", "line 1, column 22", 'window "w"'),
        ("SELECT 1, (SELECT uid FROM pay)", "line 1, column 19", "has several rows"),
        ("SELECT 1, COUNT(DISTINCT) FROM pay", "line 1, column 11", "DISTINCT without a column"),
        ("SELECT uid FROM pay LIMIT uid", "line 1, column 27", "LIMIT takes a number"),
        ("WITH a AS (SELECT 1), A AS (SELECT 2) SELECT 1", "line 1, column 23", "WITH names A twice"),
        ("SELECT uid, REPEAT('a', 10001) FROM pay", "line 1, column 13", "more than 10000 entries"),
        ("SELECT SEQUENCE(0, 10000)", "line 1, column 8", "more than 10000 entries"),
        ("SELECT ${day} FROM pay", "line 1, column 8", "a parameter"),
        ("SELECT {{ day }} FROM pay", "line 1, column 8", "a parameter"),
        ("SELECT HASH(uid) FROM pay", "line 1, column 8", "there is no function HASH"),
        ("SELECT WORD_STEM('a')", "line 1, column 8", "there is no function WORD_STEM"),
    ],
)  # fmt: skip
def test_an_error_has_its_place(sql: str, place: str, words: str) -> None:
    said = message(sql)
    assert place in said
    assert words in said


@pytest.mark.parametrize(
    ("sql", "place", "words"),
    [
        ("SELECT 1 FROM pay WHERE code = 123", "line 1, column 25", "pay.code is text beside the number 123"),
        ("SELECT uid = '10' FROM pay", "line 1, column 8", "'10' is text beside the number"),
        ("SELECT '10' = 10", "line 1, column 8", "text beside the number"),
        ("SELECT 1 WHERE 1 IN (2, 'a')", "line 1, column 16", "text beside the number"),
        ("SELECT 1 FROM pay WHERE code BETWEEN 1 AND 2", "line 1, column 25", "text beside the number"),
        ("SELECT uid FROM pay UNION SELECT 'a'", "line 1, column 34", "text beside the number"),
        ("SELECT 1 FROM pay WHERE uid", "line 1, column 25", "pay.uid is no condition"),
        ("SELECT CASE uid WHEN 1 THEN 2 ELSE 'a' END FROM pay", "line 1, column 36", "'a' is text beside"),
        ("SELECT CASE WHEN uid = 1 THEN 'a' WHEN uid = 2 THEN uid END FROM pay", "line 1, column 53", "'a'"),
        ("SELECT IF(uid = 1, 'a', 0) FROM pay", "line 1, column 25", "text beside the number 0"),
        ("SELECT ARRAY[1, NULL, 'a']", "line 1, column 23", "text beside the number 1"),
        ("SELECT NOT uid FROM pay", "line 1, column 12", "pay.uid is no condition"),
        ("SELECT 1 FROM pay JOIN login", "line 1, column 24", "JOIN without ON"),
        ("SELECT 1 FROM pay LEFT JOIN login", "line 1, column 29", "JOIN without ON"),
    ],
)
def test_what_trino_refuses_is_refused(sql: str, place: str, words: str) -> None:
    said = message(sql)
    assert place in said
    assert words in said


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT 1 FROM pay, login",
        "SELECT 1 FROM pay CROSS JOIN login",
        "SELECT 1 FROM pay JOIN login USING (uid)",
        "SELECT 1 FROM pay CROSS JOIN UNNEST(tags) AS t(tag)",
        "SELECT 1 FROM pay WHERE coupon = 1 OR coupon = 'a' OR NOT coupon",
        "SELECT 1 FROM pay WHERE paid AND uid IN (1, NULL) AND code IN ('a', NULL)",
        "SELECT CASE WHEN paid THEN uid WHEN uid = 1 THEN coupon ELSE NULL END, IF(paid, 'a', NULL) FROM pay",
        "SELECT CASE WHEN paid THEN 'a' WHEN CASE uid WHEN 1 THEN 2 END = 2 THEN 'b' END, ARRAY[] FROM pay",
        "SELECT CARDINALITY(SEQUENCE(10000, 1)), CARDINALITY(REPEAT('a', 10000))",
        "SELECT uid FROM pay UNION ALL SELECT NULL UNION ALL SELECT coupon FROM pay",
        "SELECT INTERVAL '2' DAY, DATE_ADD('week', 1, NOW()), DATE_DIFF('millisecond', NOW(), NOW())",
    ],
)
def test_what_trino_runs_is_run(sql: str) -> None:
    assert rows(sql) is not None


@pytest.mark.parametrize(
    ("sql", "hint"),
    [
        ("SELEC 1", "did you mean 'SELECT'?"),
        ("SELEC price FROM pay", "did you mean 'SELECT'?"),
        ("-- all of them\nselec * FROM pay", "did you mean 'SELECT'?"),
        ("PRICE OF pay", "a query starts with SELECT, WITH or VALUES"),
        ("SELECT * FORM pay", "did you mean 'FROM'?"),
        ("SELECT * FROM pay WERE uid > 1", "did you mean 'WHERE'?"),
        ("SELECT * FROM pay ODER BY 1", "did you mean 'ORDER'?"),
        ("SELECT * FROM pay GROUP uid", "write GROUP BY"),
        ("SELECT * FROM orders x y", ""),
        ("SELECT `uid` FROM pay", 'names are quoted as in "price"; `price` is Hive\'s: -T hive'),
        ("SELECT uid, price FROM pay GROUP BY 1", "add it to GROUP BY, or take one: MIN(…)"),
        ("SELECT uid FROM pay WHERE SUM(price) > 1", "filter what is aggregated with HAVING"),
        ("SELECT uid FROM pay WHERE RANK() OVER () = 1", "filter in a query around this one"),
        ("SELECT DATE_TRUNC('hour', time) FROM pay", "FROM_UNIXTIME(…) makes a timestamp of unix seconds"),
        ("SELECT HOUR(time) FROM pay", "FROM_UNIXTIME(…) makes a timestamp of unix seconds"),
        ("SELECT DATE_ADD('day', 1, time) FROM pay", "FROM_UNIXTIME(…) makes a timestamp of unix seconds"),
        ("SELECT * FROM UNNEST(1)", "write CROSS JOIN UNNEST(list) AS t(element)"),
        ("SELECT tags['a'] FROM pay", "write a value of that type"),
        ("SELECT FROM_BASE64('*')", "TRY(…) yields NULL instead"),
        ("SELECT FROM_HEX('zz')", "TRY(…) yields NULL instead"),
    ],
)
def test_a_hint_says_what_to_write(sql: str, hint: str) -> None:
    with pytest.raises(SqlError) as error:
        rows(sql)
    assert error.value.hint.startswith(hint)
    assert bool(error.value.hint) == bool(hint)


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("CROSS JOIN UNNEST(coupons) AS t(coupon)", []),
        ("CROSS JOIN UNNEST(item.coupons) WITH ORDINALITY AS t(coupon, place)", []),
        ("LEFT JOIN UNNEST(coupons) AS t(coupon) ON TRUE", [(None,)] * 6),
    ],
)
def test_a_list_that_no_event_has_had_yet_has_no_element(source: str, expected: list[object]) -> None:
    assert rows(f"SELECT coupon FROM pay {source}") == expected  # noqa: S608  a test's own text


@pytest.mark.parametrize("sql", ["SELECT MAP('a')", "SELECT MAP('a', 1, 'b')"])
def test_a_half_pair_of_hive_is_an_error_with_its_place(sql: str) -> None:
    assert "line 1, column" in message(sql, Dialect.HIVE)


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("SUBSTR(s, 0)", ["", "", None]),
        ("SUBSTR(s, 0, 3)", ["", "", None]),
        ("SUBSTR(s, -10)", ["", "", None]),
        ("SUBSTR(s, -2)", ["lo", "", None]),
        ("SUBSTR(s, n)", ["ello", "", None]),
        ("CAST(s AS VARCHAR(3))", ["hel", "x", None]),
        ("NORMALIZE(s)", ["hello", "x", None]),
        ("CONTAINS(ARRAY[s, NULL], 'x')", [None, True, None]),
        ("CONTAINS(ARRAY['a'], s)", [False, False, None]),
        ("ARRAY_MAX(ARRAY[n, NULL])", [None, None, None]),
        ("ARRAY_MAX(ARRAY[n, 1])", [2, 1, None]),
    ],
)
def test_strings_and_lists_as_trino_has_them(expression: str, expected: list[object]) -> None:
    source = "(VALUES ('hello', 2), ('x', -3), (NULL, NULL)) AS t(s, n)"
    found = rows(f"SELECT {expression} FROM {source}")  # noqa: S608  a test's own text
    assert found == [(value,) for value in expected]


def test_a_bad_json_path_prints_nothing_but_the_error(capfd: pytest.CaptureFixture[str]) -> None:
    message("SELECT JSON_EXTRACT_SCALAR('{}', 'bad path[')")
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize("dialect", Dialect)
@pytest.mark.parametrize(
    ("sql", "day"),
    [
        ("SELECT 1 FROM pay WHERE time > '2026-11-28'", "2026-11-28"),
        ("SELECT time BETWEEN '2026-11-27 00:00:00' AND '2026-11-28' FROM pay", "2026-11-27"),
        ("SELECT 1 FROM pay WHERE DATE '2026-11-28' <= time", "2026-11-28"),
        ("SELECT 1 FROM pay WHERE time >= TIMESTAMP '2026-11-28 01:00:00'", "2026-11-28"),
    ],
)
def test_time_beside_a_date_is_refused_with_the_function_to_write(
    sql: str, day: str, dialect: Dialect
) -> None:
    with pytest.raises(SqlTypeError, match="time is unix seconds") as error:
        rows(sql, dialect=dialect)
    assert error.value.hint.startswith(f"write TD_TIME_RANGE(time, '{day}', NULL)")
