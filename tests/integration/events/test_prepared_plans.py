"""A slice that is planned from memory has the rows, or the error, that planning it anew would have."""

import threading
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pymongo
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from logdrain.answer.queries import Queries
from logdrain.errors import LogdrainError, ScanTypeChanged, SqlError, UnknownTable
from logdrain.events.read.aggregate import RAW_CODEC, MongoGroups
from logdrain.events.read.scan import MongoScanSource
from logdrain.model.catalog import TableCatalog
from logdrain.model.events import Record, Table
from logdrain.model.plans import Dialect, Scan
from logdrain.model.queries import QueryRequest
from logdrain.model.stops import Stop
from logdrain.ports.streams import ScanStream
from tests.integration.events.aggregated import (
    ENGINE,
    SCHEDULED_TIME_S,
    AggregatedTables,
    Row,
    aggregated_tables,
)
from tests.integration.events.slow_collection import SlowCollection

HOUR_S = 3600
FIRST_S, SECOND_S, THIRD_S = (SCHEDULED_TIME_S + hours * HOUR_S for hours in range(3))
HOURLY = (
    "SELECT TD_SCHEDULED_TIME() AS time, k AS kind, SUM(i) AS total FROM {} "
    "WHERE TD_TIME_RANGE(time, TD_TIME_ADD(TD_SCHEDULED_TIME(), '-1h'), TD_SCHEDULED_TIME()) GROUP BY 1, kind"
)
OF_PAY = HOURLY.format("pay")
ON_A_SERVER = settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


class CountingSource(MongoScanSource):
    """Counts the questions before an aggregation."""

    def __init__(self, uri: str) -> None:
        super().__init__(uri)
        self.asked = Counter[str]()

    def tables(self) -> list[Table]:
        self.asked["tables"] += 1
        return super().tables()

    def catalog(self, table: Table) -> TableCatalog:
        self.asked["catalog"] += 1
        return super().catalog(table)

    def scan(self, scan: Scan) -> ScanStream:
        self.asked["scan"] += 1
        return super().scan(scan)


@pytest.fixture
def tables(mongodb_uri: str) -> Iterator[AggregatedTables]:
    with aggregated_tables(mongodb_uri) as opened:
        yield opened


@pytest.fixture
def source(mongodb_uri: str) -> Iterator[CountingSource]:
    source = CountingSource(mongodb_uri)
    yield source
    source.close()


@pytest.fixture
def queries(source: CountingSource) -> Queries:
    return Queries(source, ENGINE)


def stored(tables: AggregatedTables, at_s: int, *records: Record) -> None:
    """Store records of the hour before a scheduled time."""
    tables.store([(at_s * 1000 - 1, record) for record in records])


def test_the_next_slice_asks_once(tables: AggregatedTables, queries: Queries, source: CountingSource) -> None:
    stored(tables, FIRST_S, {"k": "a", "i": 1})
    stored(tables, SECOND_S, {"k": "a", "i": 2})
    assert tables.ask(OF_PAY, queries, at_s=FIRST_S).rows == [(FIRST_S, "a", 1)]
    assert source.asked == {"tables": 1, "catalog": 1}
    assert tables.ask(OF_PAY, queries, at_s=SECOND_S).rows == [(SECOND_S, "a", 2)]
    assert source.asked == {"tables": 1, "catalog": 1}


def test_a_field_that_is_new_but_not_asked_for_costs_planning_once(
    tables: AggregatedTables, queries: Queries, source: CountingSource
) -> None:
    stored(tables, FIRST_S, {"k": "a", "i": 1})
    tables.ask(OF_PAY, queries, at_s=FIRST_S)
    stored(tables, FIRST_S, {"k": "a", "i": 4, "other": 1})
    for _ in range(2):
        assert tables.ask(OF_PAY, queries, at_s=FIRST_S).rows == [(FIRST_S, "a", 5)]
    assert source.asked == {"tables": 2, "catalog": 2}


def test_a_new_type_is_seen(tables: AggregatedTables, queries: Queries) -> None:
    stored(tables, FIRST_S, {"k": "a", "i": 1})
    tables.ask(OF_PAY, queries, at_s=FIRST_S)
    stored(tables, SECOND_S, {"k": "a", "i": 1}, {"k": "a", "i": 0.5})
    for _ in range(3):
        assert tables.ask(OF_PAY, queries, at_s=SECOND_S).rows == [(SECOND_S, "a", 1.5)]


def test_who_answers_does_not_depend_on_what_was_planned_before(
    tables: AggregatedTables, queries: Queries, source: CountingSource
) -> None:
    """The engine and the store may differ in the last digit of doubles."""
    sql = OF_PAY.replace("SUM(i)", "AVG(i)")
    stored(tables, FIRST_S, {"k": "a", "i": 1})
    tables.ask(sql, queries, at_s=FIRST_S)
    stored(tables, SECOND_S, {"k": "a", "i": 0.1}, {"k": "a", "i": 0.2})
    tables.ask(sql, queries, at_s=SECOND_S)
    assert source.asked["scan"] == 0


def test_an_alias_that_is_a_field_by_now_is_seen(tables: AggregatedTables, queries: Queries) -> None:
    stored(tables, FIRST_S, {"k": "a", "i": 1})
    assert tables.ask(OF_PAY, queries, at_s=FIRST_S).rows == [(FIRST_S, "a", 1)]
    stored(tables, FIRST_S, {"k": "a", "i": 1, "kind": "x"})
    with pytest.raises(SqlError, match="k"):  # GROUP BY kind is not GROUP BY k any more
        tables.ask(OF_PAY, queries, at_s=FIRST_S)


def test_a_field_whose_name_is_ambiguous_by_now_is_seen(tables: AggregatedTables, queries: Queries) -> None:
    sql = OF_PAY.replace("SUM(i)", "SUM(Amount)")
    stored(tables, FIRST_S, {"k": "a", "amount": 1})
    assert tables.ask(sql, queries, at_s=FIRST_S).rows == [(FIRST_S, "a", 1)]
    stored(tables, FIRST_S, {"k": "a", "AMOUNT": 1})
    with pytest.raises(SqlError, match="can be AMOUNT or amount"):
        tables.ask(sql, queries, at_s=FIRST_S)


def test_a_table_that_was_dropped_is_seen(
    tables: AggregatedTables, queries: Queries, mongodb_uri: str
) -> None:
    stored(tables, FIRST_S, {"k": "a", "i": 1})
    tables.ask(OF_PAY, queries, at_s=FIRST_S)
    with pymongo.MongoClient[dict[str, Any]](mongodb_uri) as client:
        client.get_default_database().drop_collection("production.pay")
    with pytest.raises(UnknownTable):
        tables.ask(OF_PAY, queries, at_s=SECOND_S)


def test_an_error_has_the_warnings_of_its_own_planning(
    tables: AggregatedTables, queries: Queries, mongodb_uri: str
) -> None:
    sql = OF_PAY.replace("AS total", "AS kind").replace("GROUP BY 1, kind", "GROUP BY 1, 2")
    stored(tables, FIRST_S, {"k": "a", "i": 1})
    warnings = tables.ask(sql, queries, at_s=FIRST_S).answer.plan.warnings
    assert warnings == ("two result columns are called kind: the second becomes kind_2",)
    with pymongo.MongoClient[dict[str, Any]](mongodb_uri) as client:
        client.get_default_database().drop_collection("production.pay")
    with pytest.raises(UnknownTable) as raised:
        tables.ask(sql, queries, at_s=SECOND_S)
    assert raised.value.warnings == ()


def test_an_hour_without_events_has_no_rows(tables: AggregatedTables, queries: Queries) -> None:
    stored(tables, FIRST_S, {"k": "a", "i": 1})
    tables.ask(OF_PAY, queries, at_s=FIRST_S)
    for _ in range(2):
        assert tables.ask(OF_PAY, queries, at_s=THIRD_S).rows == []


def test_rows_that_the_store_cannot_vouch_for_are_the_engines(
    tables: AggregatedTables, queries: Queries
) -> None:
    sql = OF_PAY.replace("SUM(i)", "SUM(d)")
    stored(tables, FIRST_S, {"k": "a", "d": 1.5})
    tables.ask(sql, queries, at_s=FIRST_S)
    stored(tables, SECOND_S, {"k": "a", "d": 1.7e308}, {"k": "a", "d": 1.7e308})
    for _ in range(2):
        assert tables.ask(sql, queries, at_s=SECOND_S).rows == [(SECOND_S, "a", float("inf"))]


def test_the_catalog_is_read_when_the_events_have_been(tables: AggregatedTables, mongodb_uri: str) -> None:
    """What `$unionWith` reads is not older than what the stages before it have read."""
    tables.store([(FIRST_S * 1000 - 1, {"i": 1})] * 50)
    request = QueryRequest("SELECT SUM(i) FROM pay", "production", Dialect.TRINO, FIRST_S, FIRST_S)
    asked = tables.in_store.plan(request).aggregation
    assert asked is not None
    with pymongo.MongoClient[dict[str, Any]](mongodb_uri) as client:
        database = client.get_default_database()
        slow = SlowCollection(database.get_collection("production.pay", codec_options=RAW_CODEC))
        groups = MongoGroups(client, slow, asked, None)
        failures: list[LogdrainError] = []

        def read() -> None:
            try:
                groups.read(Stop())
            except ScanTypeChanged as error:
                failures.append(error)

        thread = threading.Thread(target=read)
        thread.start()
        while thread.is_alive() and not slow.is_running(client):
            pass
        assert thread.is_alive()
        tables.store([(FIRST_S * 1000, {"i": "1"})])
        assert slow.is_running(client)  # it was in the middle of the events all the time
        thread.join()
    assert [error.located for error in failures] == [
        "production.pay: i got a new type while it was aggregated"
    ]


VALUES = {
    "i": st.none() | st.integers(-3, 3) | st.sampled_from([0.5, "7"]),
    "k": st.none() | st.sampled_from(["a", "b", 1]),
    "K": st.just("a"),
    "kind": st.sampled_from(["x", "y"]),
    "other": st.integers(0, 1),
}
PLAIN = st.fixed_dictionaries({"i": st.integers(-3, 3), "k": st.sampled_from("ab")})
ODD = st.fixed_dictionaries({}, optional=VALUES)
SLICES = st.tuples(
    st.sampled_from([FIRST_S, SECOND_S, THIRD_S]), st.lists(PLAIN, max_size=3) | st.lists(ODD, max_size=1)
)


@ON_A_SERVER
@given(slices=st.lists(SLICES, min_size=2, max_size=6))
def test_slices_while_the_table_changes(
    tables: AggregatedTables, slices: list[tuple[int, list[Record]]]
) -> None:
    table = next(tables.names)
    tables.store([(FIRST_S * 1000 - 1, {"k": "a", "i": 1})], table)
    sql = HOURLY.format(table)
    for at_s, records in slices:
        tables.store([(at_s * 1000 - 1, record) for record in records], table)
        warm = outcome(tables, sql, tables.in_store, at_s)
        assert warm == outcome(tables, sql, tables.in_engine, at_s)


def outcome(tables: AggregatedTables, sql: str, queries: Queries, at_s: int) -> list[Row] | type[Exception]:
    """The rows in some order, or what was raised."""
    try:
        return sorted(tables.ask(sql, queries, at_s=at_s).rows, key=str)
    except SqlError as error:
        return type(error)
