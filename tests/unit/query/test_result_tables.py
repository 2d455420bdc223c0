"""Result tables in SQL: what is read, what is pushed to Postgres, what is said of those that are missing."""

from collections.abc import Sequence

import pyarrow as pa
import pytest

from logdrain.errors import SqlError, UnknownResult, UnknownTable
from logdrain.model.plans import Comparator, Dialect, Predicate, ResultColumn, ResultTable, TimeRange
from logdrain.model.queries import Plan, QueryRequest
from logdrain.ports.streams import ScanStream
from logdrain.query.explain import explain
from logdrain.query.plan import plan_query
from tests.unit.query.event_tables import ENGINE, NOW_S, SCHEDULED_TIME_S

HISTORY = (
    ResultColumn("time", "time", "BIGINT", "timestamp with time zone"),
    ResultColumn("category", "category", "VARCHAR", "text"),
    ResultColumn("sum", "sum", "DECIMAL(12,2)", "numeric(12,2)"),
    ResultColumn("n", "n", "BIGINT", "bigint"),
    ResultColumn("Odd name", "Odd name", "DOUBLE", "double precision"),
)
TABLE = ResultTable("heroku_db", "", "payment_history")


def columns_of(table: ResultTable) -> Sequence[ResultColumn]:
    if table.result != "heroku_db":
        raise UnknownResult(f"no result is called {table.result!r}", hint="did you mean 'heroku_db'?")
    if table._replace(schema="") != TABLE:
        raise UnknownTable(f"result heroku_db has no table {table.table} in schema public")
    return HISTORY


def plan(sql: str, database: str = "production") -> Plan:
    request = QueryRequest(sql, database, Dialect.TRINO, SCHEDULED_TIME_S, NOW_S)
    return plan_query(request, lambda _: pytest.fail("no event table"), [], result_columns=columns_of)


def run(sql: str, **columns: object) -> list[tuple[object, ...]]:
    given = pa.record_batch(columns)
    with ENGINE.run(ENGINE.lower(plan(sql)), [ScanStream(given.schema, [given])]) as stream:
        return [
            row
            for batch in stream
            for row in zip(*(column.to_pylist() for column in batch.columns), strict=True)
        ]


def test_only_the_columns_that_are_named_are_read() -> None:
    [scan] = plan(
        "SELECT category, SUM(sum) AS sum FROM result.heroku_db.payment_history GROUP BY 1"
    ).result_scans
    assert scan.table == TABLE
    assert [column.name for column in scan.columns] == ["category", "sum"]
    [all_of_it] = plan("SELECT * FROM result.heroku_db.payment_history").result_scans
    assert all_of_it.columns == HISTORY
    [counted] = plan("SELECT COUNT(*) AS n FROM result.heroku_db.payment_history").result_scans
    assert len(counted.columns) == 1


def test_names_are_taken_as_they_are_written_and_a_schema_is_part_of_the_quoted_name() -> None:
    [scan] = plan('SELECT "Odd name" FROM RESULT.heroku_db."my schema.payment_history" AS h').result_scans
    assert scan.table == ResultTable("heroku_db", "my schema", "payment_history")
    assert scan.table.name == "result.heroku_db.my schema.payment_history"


def test_time_is_unix_seconds_and_its_range_is_pushed() -> None:
    [scan] = plan(
        "SELECT time, n FROM result.heroku_db.payment_history AS h "
        "WHERE TD_TIME_RANGE(h.time, TD_TIME_ADD(TD_SCHEDULED_TIME(), '-1d'), TD_SCHEDULED_TIME())"
    ).result_scans
    assert scan.time_range == TimeRange(SCHEDULED_TIME_S - 86_400, SCHEDULED_TIME_S)


def test_simple_filters_are_pushed_and_others_say_why_not() -> None:
    found = plan(
        "SELECT n FROM result.heroku_db.payment_history "
        "WHERE category IN ('a', 'b') AND n BETWEEN 1 AND 9 AND sum > 5 AND LENGTH(category) = 1"
    )
    [scan] = found.result_scans
    assert scan.predicates == (
        Predicate(("category",), Comparator.IN, ("a", "b")),
        Predicate(("n",), Comparator.GTE, (1,)),
        Predicate(("n",), Comparator.LTE, (9,)),
    )
    assert [text.rpartition(": ")[2] for text in found.not_pushed] == [
        "its column is converted on its way",
        "not a simple comparison",
    ]


@pytest.mark.parametrize(
    ("table", "error", "said"),
    [
        ("result.heroku.payment_history", UnknownResult, "line 1, column 15: no result is called 'heroku'"),
        (
            "result.heroku_db.payments",
            UnknownTable,
            "line 1, column 15: result heroku_db has no table payments",
        ),
        ("result.heroku_db", UnknownTable, "there is no table result.heroku_db"),
        ("other.heroku_db.payment_history", UnknownTable, "there is no table other.heroku_db"),
    ],
)
def test_what_is_not_there_has_its_place(table: str, error: type[Exception], said: str) -> None:
    with pytest.raises(error) as caught:
        plan(f"SELECT n FROM {table}")  # noqa: S608  # nothing is run here
    assert said in str(caught.value)


def test_a_column_that_is_not_there_is_an_error_with_the_nearest() -> None:
    with pytest.raises(SqlError, match="did you mean 'category'"):
        plan("SELECT h.categori FROM result.heroku_db.payment_history AS h")


def test_without_a_ledger_there_are_no_results() -> None:
    request = QueryRequest("SELECT 1 FROM result.a.b", "", Dialect.TRINO, SCHEDULED_TIME_S, NOW_S)
    with pytest.raises(UnknownResult, match="no ledger") as caught:
        plan_query(request, lambda _: pytest.fail("no event table"), [])
    assert caught.value.hint == "set DATABASE_URL"


def test_explain_shows_the_table_as_another_kind_of_scan() -> None:
    text = explain(ENGINE.lower(plan("SELECT n FROM result.heroku_db.payment_history WHERE n > 3")), [1234])
    assert "scan_0: result.heroku_db.payment_history, about 1,234 rows" in text
    assert "the first row" in text
    assert "columns  n BIGINT" in text
    assert "filters  n > 3" in text


def test_the_store_never_answers_for_a_result_table() -> None:
    assert plan("SELECT SUM(n) AS n FROM result.heroku_db.payment_history").aggregation is None


def test_rows_come_out_typed() -> None:
    rows = run(
        "SELECT TD_TIME_FORMAT(time, 'yyyy-MM-dd', 'UTC') AS day, n / 2 AS half "
        "FROM result.heroku_db.payment_history",
        time=[SCHEDULED_TIME_S],
        n=[5],
    )
    assert rows == [("2012-03-01", 2)]
