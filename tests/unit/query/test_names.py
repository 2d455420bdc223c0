"""What table and column names mean."""

from typing import Any

import pytest

from logdrain.errors import SqlError, SqlTypeError, UnknownTable
from logdrain.model.catalog import TableCatalog
from logdrain.model.events import Table
from logdrain.model.plans import Dialect
from logdrain.model.queries import QueryRequest
from logdrain.query.plan import plan_query
from tests.unit.query.event_tables import TABLES, Tables, answer, one, plan, rows


def columns(sql: str) -> list[list[str]]:
    """`name TYPE` of the columns of each scan."""
    return [[f"{column.name} {column.type}" for column in scan.columns] for scan in plan(sql).scans]


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT price FROM pay",
        "SELECT pay.price FROM production.pay",
        "SELECT production.pay.price FROM production.pay",
        "SELECT p.price FROM pay AS p",
        'SELECT P."price" FROM PAY p',
        "SELECT PRICE FROM Production.Pay",
        "SELECT x.price FROM (SELECT price FROM pay) x",
        "WITH pay AS (SELECT price FROM production.pay) SELECT pay.price FROM pay",
        "SELECT scan_0.price FROM pay AS scan_0",
        "WITH scan_0 AS (SELECT price FROM pay) SELECT price FROM scan_0",
    ],
)
def test_ways_to_write_a_column(sql: str) -> None:
    assert columns(sql) == [["price BIGINT"]]
    assert sorted(rows(sql)) == [(n * 100,) for n in range(6)]


def test_every_reference_is_a_scan_of_its_own_in_order() -> None:
    planned = plan("SELECT 1 FROM pay a JOIN login b ON a.uid = b.uid JOIN pay c ON c.uid = a.uid")
    assert [(scan.name, scan.table.table) for scan in planned.scans] == [
        ("scan_0", "pay"),
        ("scan_1", "login"),
        ("scan_2", "pay"),
    ]


@pytest.mark.parametrize(
    ("sql", "message", "hint"),
    [
        ("SELECT 1 FROM payy", "line 1, column 15: there is no table production.payy",
         "did you mean 'production.pay'?"),
        ("SELECT 1\nFROM www_access", "line 2, column 6: there is no table production.www_access",
         "there is testdb.www_access"),
        ("SELECT 1 FROM a.b.c", "line 1, column 15: there is no table a.b.c",
         "`logdrain tables` lists the tables"),
    ],
)  # fmt: skip
def test_unknown_tables(sql: str, message: str, hint: str) -> None:
    with pytest.raises(UnknownTable) as error:
        plan(sql)
    assert (error.value.located, error.value.hint) == (message, hint)


def test_a_table_without_a_database() -> None:
    with pytest.raises(UnknownTable) as error:
        plan("SELECT 1 FROM pay", database="")
    assert error.value.hint == "write production.pay, or name a database"


def test_the_catalog_is_asked_for_named_tables_only() -> None:
    asked: list[Table] = []

    def catalog(table: Table) -> TableCatalog:
        asked.append(table)
        return TableCatalog(table)

    tables = [Table(*name.split(".")) for name in TABLES]
    plan_query(QueryRequest("SELECT 1 FROM login", "production", Dialect.TRINO, 0, 0), catalog, tables)
    assert asked == [Table("production", "login")]


def test_fields_that_differ_in_case_only() -> None:
    sql = "SELECT userId, userid FROM pay WHERE userId = 2"
    assert columns(sql) == [["userId BIGINT", "userid_2 VARCHAR"]]
    assert rows(sql) == [(2, "u2")]
    with pytest.raises(SqlError, match="USERID can be userId or userid"):
        plan("SELECT USERID FROM pay")


def test_a_field_no_event_has_had_yet_is_null_with_a_warning() -> None:
    found = answer(
        "SELECT coupon, SUM(copon), MAX(UPPER(coupon)), COUNT(*) FROM pay WHERE coupon IS NULL GROUP BY 1"
    )
    assert found.rows == [(None, None, None, 6)]
    assert found.plan.warnings[0] == "no event in production.pay has had the field coupon yet: reads as NULL"


def test_the_warning_has_the_nearest_name_and_says_when_the_list_is_full() -> None:
    assert plan("SELECT pric FROM pay").warnings == (
        "no event in production.pay has had the field pric yet: reads as NULL (did you mean 'price'?)",
    )
    (warning,) = plan("SELECT uid, SUM(price) AS s FROM pay WHERE s > 1 GROUP BY 1").warnings
    assert warning.endswith("reads as NULL (WHERE does not know the alias s: repeat its expression)")
    full = TableCatalog(Table("production", "pay"), is_full=True)
    request = QueryRequest("SELECT x FROM pay", "production", Dialect.TRINO, 0, 0)
    (warning,) = plan_query(request, lambda _: full, [full.table]).warnings
    assert warning == "the list of fields of production.pay is full and x is not in it: reads as NULL"


def test_an_unseen_name_goes_to_the_first_table() -> None:
    assert columns("SELECT coupon FROM pay, login WHERE login.uid = pay.uid") == [
        ["coupon NULL", "uid BIGINT"],
        ["uid BIGINT"],
    ]


def test_pseudo_columns() -> None:
    sql = "SELECT time, _time, _origin.app, _origin.drain FROM pay ORDER BY time LIMIT 1"
    ((time, time_ms, app, drain),) = rows(sql)
    assert (time, time_ms.timestamp(), app, drain) == (1330560000, 1330560000.25, "app", "shop")


@pytest.mark.parametrize(
    ("sql", "names"),
    [
        ("SELECT * FROM login", ["time", "device", "uid"]),
        ("SELECT l.*, 1 FROM login l", ["time", "device", "uid", "_col3"]),
        ("SELECT COUNT(*), Uid, LOWER(device) AS D FROM login GROUP BY uid, device", ["_col0", "Uid", "D"]),
        ("SELECT item.maker.name FROM pay", ["name"]),
        ("SELECT * FROM login a JOIN login b USING (uid)", ["uid", "time", "device", "time_2", "device_2"]),
        ("SELECT 1 AS a, 2 AS A", ["a", "A_2"]),
        ("SELECT 1 AS a UNION ALL SELECT 2", ["a"]),
        ("VALUES (1, 'x')", ["_col0", "_col1"]),
        ("TABLE login", ["time", "device", "uid"]),
        ('SELECT 1 AS "select", 2 AS "a b"', ["select", "a b"]),
    ],
)
def test_names_of_result_columns(sql: str, names: list[str]) -> None:
    assert answer(sql).schema.names == names


def test_hive_counts_unnamed_columns_in_its_own_way() -> None:
    assert answer("SELECT 1, 2", dialect=Dialect.HIVE).schema.names == ["_c0", "_c1"]


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("item.maker.name", "maker 1"),
        ("p.item.maker.name", "maker 1"),
        ("production.pay.item.id", 3),
        ("ITEM.Id", 3),
        ("item", {"id": 3, "maker": {"name": "maker 1"}}),
        ("item.maker", {"name": "maker 1"}),
        ("item.colour", None),
        ("tags[1]", None),
        ("code", "3"),
        ("CAST(code AS BIGINT) + 1", 4),
        ('"order"', 7),
        ("(SELECT q.item FROM pay q WHERE q.userId = p.userId).maker.name", "maker 1"),
    ],
)
def test_nested_fields_mixed_types_and_reserved_words(expression: str, value: Any) -> None:
    alias = "" if expression.startswith("production") else "p"
    assert one(f"SELECT {expression} FROM pay {alias} WHERE userId = 3") == value  # noqa: S608  of this file


def test_a_field_with_a_dot_in_its_name() -> None:
    tables = {"production.pay": [{"time": 1, "a.b": 1, "a": {"b": 2}, "": 3, 'q"': 4}]}
    assert rows('SELECT "a.b", a.b, "q""" FROM pay', tables) == [(1, 2, 4)]


def test_lists_are_unnested() -> None:
    expected = [(1, "new"), (2, "new"), (2, "sale"), (4, "new"), (5, "new"), (5, "sale")]
    for join in (
        "CROSS JOIN UNNEST(tags) AS t(tag)",
        ", UNNEST(pay.tags) t(tag)",
        "CROSS JOIN UNNEST(tags) AS tag",
    ):
        assert rows(f"SELECT userId, tag FROM pay {join} ORDER BY 1, 2") == expected  # noqa: S608  of this file
    hive = "SELECT userId, tag FROM pay LATERAL VIEW explode(tags) t AS tag ORDER BY userId, tag"
    assert rows(hive, dialect=Dialect.HIVE) == expected


def test_hive_keeps_rows_without_elements_in_an_outer_view() -> None:
    sql = "SELECT COUNT(*), COUNT(tag) FROM pay LATERAL VIEW OUTER explode(tags) t AS tag"
    assert rows(sql, dialect=Dialect.HIVE) == [(8, 6)]


def test_lists_of_objects() -> None:
    tables = {"production.pay": [{"time": 1, "lines": [{"sku": "a", "n": 2}, {"sku": "b"}]}]}
    sql = "SELECT line.sku, line.n, lines[1].sku FROM pay CROSS JOIN UNNEST(lines) AS t(line) ORDER BY 1"
    assert rows(sql, tables) == [("a", 2, "a"), ("b", None, "a")]


@pytest.mark.parametrize(
    ("sql", "error", "message"),
    [
        ("SELECT tags.x FROM pay", SqlTypeError, "line 1, column 13: tags is a list"),
        ("SELECT pay.uid FROM pay p", SqlError, "line 1, column 8: the table pay is called p here"),
        ("SELECT uid FROM pay, login", SqlError, "line 1, column 8: the column uid is in pay and in login"),
        ("SELECT y FROM (SELECT 1 AS x) t", SqlError, "line 1, column 8: there is no column y here"),
        ("SELECT t.y FROM (SELECT 1 AS x) t", SqlError, "line 1, column 10: t has no column y"),
        (
            "SELECT a FROM (SELECT 1 AS a, 2 AS a) t",
            SqlError,
            "line 1, column 8: there are several columns a",
        ),
        ("SELECT z.* FROM pay", SqlError, "line 1, column 8: there is no table for z"),
        ("SELECT *", SqlError, "line 1, column 8: there is no table for"),
        ("WITH c(a, b) AS (SELECT 1) SELECT a FROM c", SqlError, "2 names for 1 columns"),
    ],
)
def test_names_that_cannot_be_understood(sql: str, error: type[SqlError], message: str) -> None:
    with pytest.raises(error) as raised:
        plan(sql)
    assert raised.value.located.startswith(message) or message in raised.value.located


def test_a_column_of_the_table_comes_before_an_alias_in_group_by_with_a_warning() -> None:
    planned = plan("SELECT TD_SCHEDULED_TIME() AS time, COUNT(*) FROM pay GROUP BY time")
    assert planned.warnings == (
        "line 1, column 64: time means the column of the table here, not the alias time",
    )


def test_hive_semi_joins_show_the_left_side_only() -> None:
    sql = "SELECT * FROM login LEFT SEMI JOIN pay ON login.uid = pay.uid ORDER BY uid"
    found = answer(sql, dialect=Dialect.HIVE)
    assert found.schema.names == ["time", "device", "uid"]
    assert [row[2] for row in found.rows] == [1, 2]


def test_a_path_below_a_field_that_is_sometimes_a_list() -> None:
    table: Tables = {
        "production.pay": [
            {"time": 1, "o": {"n": 1, "m": {"x": "a"}}},
            {"time": 2, "o": [{"n": 5}]},
            {"time": 3, "o": 7},
            {"time": 4, "o": "text"},
            {"time": 5},
        ]
    }
    found = answer("SELECT time, o.n, o.m.x FROM pay ORDER BY time", table)
    assert found.rows == [(1, 1, "a"), *((second, None, None) for second in (2, 3, 4, 5))]
    assert "o is a list in some events of production.pay: o.n reads as NULL there" in found.plan.warnings
    assert rows("SELECT time FROM pay WHERE pay.o.n = 1", table) == [(1,)]
