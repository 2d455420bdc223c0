"""What is no query, and where it goes wrong."""

import pytest

from logdrain.errors import SqlError, SqlSyntaxError, UnknownFunction, UnsupportedSql
from logdrain.model.plans import Dialect
from tests.unit.query.event_tables import lowered, plan, select


@pytest.mark.parametrize(
    ("sql", "message"),
    [
        ("", "line 1, column 1: the query is empty"),
        (" ; ", "line 1, column 1: the query is empty"),
        ("SELECT uid FROM", "line 1, column 16: the text ends too early, after 'FROM'"),
        ("SELECT (1", "line 1, column 10: the text ends too early, after '1'"),
        ("SELECT 1\n  WHERE 1 = = 2", "line 2, column 13: this is unexpected, near '='"),
        ("SELECT uid pay extra FROM pay", "line 1, column 16: this is unexpected, near 'extra'"),
        ("SELEC 1", "line 1, column 7: this is unexpected, near '1'"),
        ("SELECT 'abc", "line 1, column 8: ' is opened and never closed"),
        ('SELECT 1,\n "abc', 'line 2, column 2: " is opened and never closed'),
        ("SELECT 1 /* what", "line 1, column 17: the text ends inside a comment or a literal"),
        ("SELECT uid,, price FROM pay", "line 1, column 12: this is unexpected after a comma, near ','"),
        ("SELECT uid, FROM pay", "line 1, column 13: this is unexpected after a comma, near 'FROM'"),
        ("SELECT 1, (SELECT MAX(uid) FROM pay GROUP BY)", "line 1, column 19: GROUP BY without a column"),
        ("x", "line 1, column 1: this is not a query"),
    ],
)
def test_syntax_errors_have_line_and_column(sql: str, message: str) -> None:
    with pytest.raises(SqlSyntaxError) as error:
        plan(sql)
    assert error.value.located == message


@pytest.mark.parametrize(
    ("sql", "word"),
    [
        ("INSERT INTO pay SELECT 1", "INSERT"),
        ("  -- hello\n /* there */ copy pay TO 'x'", "COPY"),
        ("ATTACH 'x.db'", "ATTACH"),
        ("PRAGMA version", "PRAGMA"),
        ("SET threads = 1", "SET"),
        ("CREATE TABLE x AS SELECT 1", "CREATE"),
        ("CALL pragma_version()", "CALL"),
        ("INSTALL httpfs", "INSTALL"),
        ("LOAD httpfs", "LOAD"),
        ("DROP TABLE pay", "DROP"),
        ("EXPORT DATABASE 'x'", "EXPORT"),
        ("EXPLAIN SELECT 1", "EXPLAIN"),
        ("SHOW TABLES", "SHOW"),
    ],
)
def test_other_statements_are_refused_by_name(sql: str, word: str) -> None:
    with pytest.raises(UnsupportedSql, match=f"^line [0-9]+, column [0-9]+: {word} is not run here"):
        plan(sql)


@pytest.mark.parametrize(
    ("sql", "part"),
    [
        ("SELECT 1; SELECT 2", "a second statement"),
        ("WITH x AS (INSERT INTO pay SELECT 1) SELECT 1", "changing data"),
        ("SELECT uid INTO x FROM pay", "SELECT INTO"),
        ("SELECT uid FROM pay FOR UPDATE", "row locks"),
        ("SELECT :uid", "a parameter"),
        ("SELECT COLUMNS('u.*') FROM pay", "COLUMNS"),
        ("SELECT * FROM pay PIVOT (SUM(price) FOR uid IN (1))", "PIVOT"),
        ("SELECT * FROM pay NATURAL JOIN login", "NATURAL JOIN"),
        ("SELECT * EXCLUDE (uid) FROM pay", "EXCEPT"),
    ],
)
def test_parts_of_sql_that_are_not_run(sql: str, part: str) -> None:
    with pytest.raises(UnsupportedSql, match=part):
        plan(sql)


@pytest.mark.parametrize(
    "source",
    [
        "read_csv('/etc/passwd')",
        "read_parquet('x')",
        "duckdb_settings()",
        "'/etc/passwd'",
        '"x.csv"',
        "information_schema.schemata",
        "pg_catalog.pg_class",
        "TABLE(query('SELECT 1'))",
    ],
)
def test_only_event_tables_are_read(source: str) -> None:
    with pytest.raises(UnsupportedSql, match=r"line 1, column 15: .* cannot be read"):
        plan(select("*", source))


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        ("getenv('HOME')", "line 1, column 8: there is no function getenv"),
        ("current_setting('threads')", "line 1, column 8: there is no function current_setting"),
        ("1,\n  Nextval('s')", "line 2, column 3: there is no function Nextval"),
        ("VERSION()", "line 1, column 8: there is no function VERSION"),
        ("current_schemas(true)", "line 1, column 8: there is no function current_schemas"),
        ("pg_sleep(1)", "line 1, column 8: there is no function pg_sleep"),
        ("read_text('x')", "line 1, column 8: there is no function read_text"),
        ("lower(lowr('x'))", "line 1, column 14: there is no function lowr"),
        ("xpath('x')", "line 1, column 8: there is no function xpath"),
        ("TD_NOSUCH('x')", "line 1, column 8: there is no function TD_NOSUCH"),
    ],
)
@pytest.mark.parametrize("dialect", list(Dialect))
def test_functions_that_are_not_there_have_a_place(expression: str, message: str, dialect: Dialect) -> None:
    with pytest.raises(UnknownFunction) as error:
        plan(select(expression), dialect=dialect)
    assert error.value.located == message


def test_a_misspelt_function_has_a_hint() -> None:
    with pytest.raises(UnknownFunction) as error:
        plan("SELECT td_time_ad(1, '1d')")
    assert error.value.hint == "did you mean 'td_time_add'?"


def test_messages_have_no_escapes_for_terminals() -> None:
    with pytest.raises(SqlSyntaxError) as error:
        plan("SELECT uid FROM pay WHERE price = = 3")
    assert "\x1b" not in str(error.value)


def test_a_query_nested_beyond_reason_is_an_error_of_ours() -> None:
    with pytest.raises(SqlError, match="nested too deeply"):
        plan("SELECT " + "(" * 5000 + "1" + ")" * 5000)


@pytest.mark.parametrize(
    "condition",
    [
        " AND ".join(f"uid <> {number}" for number in range(1000)),
        " OR ".join(f"time = {number}" for number in range(1000)),
        f"uid IN ({', '.join(map(str, range(5000)))})",
    ],
)
def test_long_conditions_are_no_problem(condition: str) -> None:
    assert lowered(select("1", f"pay WHERE {condition}")).sql


@pytest.mark.parametrize(
    ("sql", "message"),
    [
        (select(" + ".join(["1"] * 20_000)), "1,000 terms in a row"),
        (select(" || ".join(["'a'"] * 1_100)), "1,000 terms in a row"),
        (select("1", f"pay WHERE uid IN ({', '.join(map(str, range(50_000)))})"), "50,000 parts"),
        (select(f"'{'x' * 2**20}'"), "1,048,576 characters"),
    ],
)
def test_what_would_take_too_long_to_plan_is_refused_with_its_place(sql: str, message: str) -> None:
    with pytest.raises(UnsupportedSql, match=message) as error:
        plan(sql)
    assert error.value.place is not None
    assert error.value.place.line == 1
    assert error.value.hint


def test_many_terms_are_no_problem() -> None:
    assert lowered(select(" + ".join(["1"] * 900))).sql


def test_a_call_of_long_constants_is_left_to_the_engine() -> None:
    assert "TD_URL_ENCODE(" not in lowered("SELECT TD_URL_ENCODE('a b')").sql.upper()
    assert "TD_URL_ENCODE(" in lowered(f"SELECT TD_URL_ENCODE('{'a b' * 4000}')").sql.upper()


@pytest.mark.parametrize("function", ["current_catalog", "INITCAP('ann')"])
def test_functions_that_the_parser_knows_and_trino_lacks(function: str) -> None:
    with pytest.raises(
        UnknownFunction, match=f"column 14: there is no function {function.partition('(')[0]}"
    ):
        plan(f"SELECT UPPER({function})")
