"""Reading result tables: every type as SQL has it, filters that only save work, nothing of ours."""

from collections.abc import Sequence
from datetime import UTC, date, datetime
from decimal import Decimal

import psycopg
import pytest

from logdrain.errors import ResultRefused, ResultUnavailable, UnknownResult, UnknownTable
from logdrain.model.plans import Comparator, Predicate, ResultScan, ResultTable, TimeRange
from logdrain.results.read.result_reader import PostgresResultReader

ALL_TIME = TimeRange(None, None)


def reader(url: str) -> PostgresResultReader:
    def result_url(name: str) -> str:
        if name != "heroku_db":
            raise UnknownResult(f"no result is called {name!r}")
        return url

    return PostgresResultReader(result_url, lambda _: None)


def execute(url: str, *statements: str) -> None:
    with psycopg.connect(url) as connection:
        for statement in statements:
            connection.execute(statement.encode())


def read(
    url: str,
    table: str,
    *,
    schema: str = "",
    time_range: TimeRange = ALL_TIME,
    predicates: tuple[Predicate, ...] = (),
    names: Sequence[str] = (),
) -> list[dict[str, object]]:
    found = reader(url)
    named = ResultTable("heroku_db", schema, table)
    columns = [column for column in found.columns(named) if not names or column.name in names]
    stream = found.scan(ResultScan("scan", named, tuple(columns), time_range, predicates))
    rows = [row for batch in stream for row in batch.to_pylist()]
    assert stream.rows_read == len(rows)
    assert (stream.bytes_read > 0) == bool(rows)
    return rows


def types(url: str, table: str) -> dict[str, str]:
    return {column.name: column.type for column in reader(url).columns(ResultTable("heroku_db", "", table))}


def test_every_type_reads_as_sql_has_it(postgres_url: str) -> None:
    execute(
        postgres_url,
        "CREATE TYPE mood AS ENUM ('glad')",
        "CREATE TABLE t (time timestamptz, at timestamptz, local timestamp, day date, small smallint, "
        "big bigint, rate double precision, cents numeric(12,2), whole numeric, is_new boolean, word text, "
        "about jsonb, feels mood, list integer[], raw bytea)",
        "INSERT INTO t VALUES ('2012-03-01 00:00:00.75+00', '2012-03-01 00:00:00.123456+00', "
        "'1890-01-01 12:00', '0044-03-15 BC', 7, 9223372036854775807, 'NaN', 1234567890.12, "
        "12345678901234567890123456789, true, E'a,\"b\"\\n', '{\"a\": 1}', 'glad', '{1,2}', '\\x00ff'), "
        "(NULL, NULL, NULL, '2012-02-29', NULL, NULL, 'Infinity', NULL, 0.5, false, '', NULL, NULL, NULL, "
        "NULL)",
    )
    first, second = read(
        postgres_url, "t", names=[name for name in types(postgres_url, "t") if name != "day"]
    )
    assert repr(first.pop("rate")) == "nan"
    assert first == {
        "time": 1330560000,
        "at": datetime(2012, 3, 1, 0, 0, 0, 123456, tzinfo=UTC),
        "local": datetime(1890, 1, 1, 12),  # noqa: DTZ001  # a timestamp without a zone
        "small": 7,
        "big": 2**63 - 1,
        "cents": Decimal("1234567890.12"),
        "whole": Decimal("12345678901234567890123456789.000000000"),
        "is_new": True,
        "word": 'a,"b"\n',
        "about": '{"a": 1}',
        "feels": "glad",
        "list": "{1,2}",
        "raw": "\\x00ff",
    }
    assert second["word"] == ""
    assert second["rate"] == float("inf")
    assert [second[name] for name in ("time", "cents", "about", "big")] == [None] * 4
    assert types(postgres_url, "t")["cents"] == "DECIMAL(12,2)"
    assert types(postgres_url, "t")["time"] == "BIGINT"


def test_a_date_before_christ_is_no_text(postgres_url: str) -> None:
    execute(postgres_url, "CREATE TABLE t (day date)", "INSERT INTO t VALUES ('2012-02-29'), (NULL)")
    assert read(postgres_url, "t") == [{"day": date(2012, 2, 29)}, {"day": None}]


def test_a_null_alone_in_its_row_is_a_row(postgres_url: str) -> None:
    execute(postgres_url, "CREATE TABLE t (word text)", "INSERT INTO t VALUES (NULL), (''), ('x'), (NULL)")
    assert [row["word"] for row in read(postgres_url, "t")] == [None, "", "x", None]


def test_an_empty_table_has_no_rows(postgres_url: str) -> None:
    execute(postgres_url, "CREATE TABLE t (word text)")
    assert read(postgres_url, "t") == []


@pytest.mark.parametrize(
    ("number", "fits"), [("0.123456789", True), ("0.1234567891", False), ("1e30", False), ("NaN", False)]
)
def test_a_number_that_does_not_fit_is_an_error_and_not_another_number(
    postgres_url: str, number: str, *, fits: bool
) -> None:
    execute(postgres_url, f"CREATE TABLE t AS SELECT '{number}'::numeric AS n")
    if fits:
        assert read(postgres_url, "t") == [{"n": Decimal(number)}]
    else:
        with pytest.raises(ResultRefused, match="cannot hold") as caught:
            read(postgres_url, "t")
        assert "numeric(p,s)" in caught.value.hint


def test_an_instant_without_end_is_an_error(postgres_url: str) -> None:
    execute(postgres_url, "CREATE TABLE t (at timestamptz)", "INSERT INTO t VALUES ('infinity')")
    with pytest.raises(ResultRefused, match="infin"):
        read(postgres_url, "t")


def test_filters_are_postgres_own(postgres_url: str) -> None:
    execute(
        postgres_url,
        "CREATE TABLE t (time timestamptz, n bigint, word text)",
        "INSERT INTO t SELECT to_timestamp(s), s, CASE WHEN s % 2 = 0 THEN 'even' END "
        "FROM generate_series(0, 9) AS s",
    )
    rows = read(
        postgres_url,
        "t",
        time_range=TimeRange(2, 8),
        predicates=(
            Predicate(("word",), Comparator.IN, ("even", "x'; DROP TABLE t; --")),
            Predicate(("n",), Comparator.GT, (2,)),
            Predicate(("word",), Comparator.NOT_NULL, ()),
        ),
    )
    assert [row["n"] for row in rows] == [4, 6]


def test_names_are_identifiers(postgres_url: str) -> None:
    execute(
        postgres_url,
        'CREATE SCHEMA "Odd ""schema"""',
        'CREATE TABLE "Odd ""schema"""."a; b" ("x y" bigint, "X Y" bigint, "%s" bigint)',
        'INSERT INTO "Odd ""schema"""."a; b" VALUES (1, 2, 3)',
    )
    assert read(postgres_url, "a; b", schema='Odd "schema"') == [{"x y": 1, "X Y_2": 2, "%s": 3}]


def test_many_rows_come_in_several_batches(postgres_url: str) -> None:
    execute(
        postgres_url,
        "CREATE TABLE t (n bigint, word text)",
        "INSERT INTO t SELECT s, repeat('x', 100) FROM generate_series(1, 50000) AS s",
    )
    found = reader(postgres_url)
    named = ResultTable("heroku_db", "", "t")
    stream = found.scan(ResultScan("scan", named, found.columns(named), ALL_TIME))
    sizes = [batch.num_rows for batch in stream]
    assert sum(sizes) == 50_000
    assert max(sizes) < 25_000
    first = next(batch for batch in stream)  # the rest of it is not wanted: the connection goes
    assert first.num_rows == sizes[0]


def test_a_table_that_is_not_there_has_a_nearest(postgres_url: str) -> None:
    execute(postgres_url, "CREATE TABLE payment_history (n bigint)")
    with pytest.raises(UnknownTable, match="payment_hist in schema public") as caught:
        read(postgres_url, "payment_hist")
    assert caught.value.hint == "did you mean 'payment_history'?"


@pytest.mark.parametrize(
    ("schema", "table"),
    [
        ("logdrain", "results"),
        ("pg_catalog", "pg_authid"),
        ("information_schema", "tables"),
        ("", "logdrain_marks"),
    ],
)
def test_what_is_not_a_result_is_not_read(ledger_url: str, schema: str, table: str) -> None:
    with pytest.raises(UnknownTable, match="cannot be read"):
        read(ledger_url, table, schema=schema)


def test_a_function_of_a_view_cannot_write(postgres_url: str) -> None:
    execute(
        postgres_url,
        "CREATE TABLE log (n bigint)",
        "CREATE FUNCTION note() RETURNS bigint LANGUAGE sql AS 'INSERT INTO log VALUES (1) RETURNING n'",
        "CREATE VIEW v AS SELECT note() AS n",
    )
    with pytest.raises(ResultRefused, match="read-only transaction"):
        read(postgres_url, "v")


def test_a_server_that_is_away_is_worth_a_retry(postgres_url: str) -> None:
    away = psycopg.conninfo.conninfo_to_dict(postgres_url)
    url = f"postgresql://{away['user']}:secret@127.0.0.1:1/{away['dbname']}"
    with pytest.raises(ResultUnavailable) as caught:
        read(url, "t")
    assert "secret" not in str(caught.value)


def test_an_unknown_result_is_the_ledgers_error(postgres_url: str) -> None:
    with pytest.raises(UnknownResult):
        reader(postgres_url).columns(ResultTable("heroku", "", "t"))
