import threading
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, closing
from typing import Any

import bson
import pymongo
import pytest

from logdrain.answer.queries import Queries
from logdrain.errors import NumberOverflow, QueryTimeout, ScanTypeChanged
from logdrain.events.read.aggregate import RAW_CODEC, MongoGroups
from logdrain.events.read.scan import MongoScanSource
from logdrain.model.catalog import TypeKind
from logdrain.model.plans import Aggregation, Dialect
from logdrain.model.queries import EngineQuery, Plan, QueryRequest
from logdrain.model.stops import Stop
from logdrain.ports.streams import ArrowStream, ScanStream
from tests.integration.events.aggregated import ENGINE, SCHEDULED_TIME_S, AggregatedTables, aggregated_tables
from tests.integration.events.slow_collection import SlowCollection

NOW_MS = SCHEDULED_TIME_S * 1000
HOURLY = (
    "SELECT TD_SCHEDULED_TIME() AS time, category, SUM(CAST(price AS BIGINT)) AS total, COUNT(*) AS n "
    "FROM pay WHERE TD_TIME_RANGE(time, TD_TIME_ADD(TD_SCHEDULED_TIME(), '-1h'), TD_SCHEDULED_TIME()) "
    "GROUP BY 1, 2"
)


class NoEngine:
    """Lowers, and fails who wants to run."""

    def lower(self, plan: Plan) -> EngineQuery:
        """As the engine does."""
        return ENGINE.lower(plan)

    def run(
        self, query: EngineQuery, _scans: Sequence[ScanStream], _stop: Stop | None = None
    ) -> AbstractContextManager[ArrowStream]:
        raise AssertionError(query.sql)

    def close_idle(self) -> None:
        """Keeps nothing."""


@pytest.fixture
def tables(mongodb_uri: str) -> Iterator[AggregatedTables]:
    with aggregated_tables(mongodb_uri) as opened:
        yield opened


def aggregation(tables: AggregatedTables, sql: str) -> Aggregation:
    request = QueryRequest(sql, "production", Dialect.TRINO, SCHEDULED_TIME_S, 0)
    found = tables.in_store.plan(request).aggregation
    assert found is not None
    return found


def test_the_hourly_job(tables: AggregatedTables) -> None:
    tables.store(
        [
            (NOW_MS - 3_600_001, {"category": "books", "price": 1}),
            (NOW_MS - 3_600_000, {"category": "books", "price": 2}),
            (NOW_MS - 1, {"category": "books", "price": 4}),
            (NOW_MS - 1, {"price": 8}),
            (NOW_MS, {"category": None, "price": 16}),
        ]
    )
    assert aggregation(tables, HOURLY).outputs[2].source.kind is TypeKind.BIGINT
    found = tables.ask(HOURLY, Queries(tables.source, NoEngine()))
    assert sorted(found.rows, key=str) == [
        (SCHEDULED_TIME_S, "books", 6, 2),
        (SCHEDULED_TIME_S, None, 8, 1),
    ]
    assert found.answer.rows_read == 3
    assert found.answer.rows.rows_read == 2


def test_nothing_is_one_row_without_groups_and_none_with(tables: AggregatedTables) -> None:
    tables.store([(NOW_MS, {"i": 1})])
    nothing = "SELECT SUM(i), COUNT(i), AVG(i), 'x' FROM pay WHERE i > 1"
    assert tables.ask(nothing, tables.in_store).rows == [(None, 0, None, "x")]
    assert tables.ask(f"{nothing} GROUP BY TD_SCHEDULED_TIME()", tables.in_store).rows == []


def test_a_sum_of_zeros_is_not_a_sum_of_nothing(tables: AggregatedTables) -> None:
    tables.store([(NOW_MS, {"k": 1, "i": 0}), (NOW_MS, {"k": 2, "i": None}), (NOW_MS, {"k": 3})])
    rows = tables.ask("SELECT k, SUM(i) FROM pay GROUP BY k", tables.in_store).rows
    assert sorted(rows) == [(1, 0), (2, None), (3, None)]


def test_missing_and_null_are_one_group_among_several_keys(tables: AggregatedTables) -> None:
    tables.store([(NOW_MS, {"a": 1, "b": "x"}), (NOW_MS, {"a": 1, "b": None}), (NOW_MS, {"a": 1})])
    rows = tables.ask("SELECT a, b, COUNT(*) FROM pay GROUP BY a, b", tables.in_store).rows
    assert sorted(rows, key=str) == [(1, "x", 1), (1, None, 2)]


def test_a_sum_beyond_64_bits_is_the_engines_error(tables: AggregatedTables) -> None:
    tables.store([(NOW_MS, {"i": 2**62}), (NOW_MS, {"i": 2**62})])
    with pytest.raises(NumberOverflow):
        tables.ask("SELECT SUM(i) FROM pay", tables.in_store)
    tables.store([(NOW_MS, {"i": -(2**62)})])
    assert tables.ask("SELECT SUM(i) FROM pay", tables.in_store).rows == [(2**62,)]


def test_sums_that_are_no_number_are_the_engines(tables: AggregatedTables) -> None:
    tables.store([(NOW_MS, {"d": 1.7e308}), (NOW_MS, {"d": 1.7e308})])
    sql = "SELECT SUM(d) FROM pay"
    with pytest.raises(ScanTypeChanged, match="SUM of d is not finite"):
        tables.source.aggregate(aggregation(tables, sql), Stop())
    assert tables.ask(sql, tables.in_store).rows == [(float("inf"),)]


def test_more_groups_than_a_reply_holds(tables: AggregatedTables) -> None:
    tables.store([(NOW_MS, {"k": number, "i": 1}) for number in range(25_000)])
    found = tables.ask("SELECT k, SUM(i) FROM pay GROUP BY k", tables.in_store)
    assert sorted(found.rows) == [(number, 1) for number in range(25_000)]
    assert found.answer.rows_read == 25_000
    a_group = len(bson.encode({"_id": 25_000, "rows": 1, "m0": 1}))
    assert 0 < found.answer.bytes_read - 25_000 * a_group < 1_000  # the rest is the catalog


def test_a_new_type_that_comes_meanwhile_is_seen(tables: AggregatedTables) -> None:
    tables.store([(NOW_MS, {"k": "a", "i": 1})])
    sql = "SELECT k, SUM(i) FROM pay GROUP BY k"
    asked = aggregation(tables, sql)
    tables.store([(NOW_MS, {"k": "a", "i": "2"})])
    with pytest.raises(ScanTypeChanged, match="i got a new type"):
        tables.source.aggregate(asked, Stop())
    tables.store([(NOW_MS, {"k": "a", "i": 0.5})], "other")
    assert tables.ask("SELECT SUM(i) FROM other", tables.in_store).rows == [(0.5,)]


def test_a_pipeline_is_ended_in_its_middle(tables: AggregatedTables, mongodb_uri: str) -> None:
    table = tables.store([(NOW_MS, {"i": 1})] * 100)
    asked = aggregation(tables, "SELECT SUM(i) FROM pay")
    error, stop, is_over = QueryTimeout("enough"), Stop(), threading.Event()
    with pymongo.MongoClient[dict[str, Any]](mongodb_uri) as client:
        database = client.get_default_database()
        slow = SlowCollection(database.get_collection(table.name, codec_options=RAW_CODEC))
        groups = MongoGroups(client, slow, asked, None)

        def end_it() -> None:
            while not (slow.is_running(client) or is_over.is_set()):
                pass
            stop.request(error)

        thread = threading.Thread(target=end_it)
        thread.start()
        with pytest.raises(QueryTimeout) as raised:
            groups.read(stop)
        is_over.set()
        thread.join()
        assert raised.value is error
        assert not slow.is_running(client)


def test_one_that_is_to_end_before_it_begins_asks_nothing(tables: AggregatedTables) -> None:
    tables.store([(NOW_MS, {"i": 1})])
    asked, stop = aggregation(tables, "SELECT SUM(i) FROM pay"), Stop()
    stop.request(QueryTimeout("enough"))
    client: Any = None  # never asked
    groups = MongoGroups(client, client, asked, None)
    with pytest.raises(QueryTimeout):
        groups.read(stop)


def test_groups_that_mongodb_may_not_hold_are_the_engines(tables: AggregatedTables, mongodb_uri: str) -> None:
    tables.store([(NOW_MS, {"k": number}) for number in range(2_000)])
    sql = "SELECT k, COUNT(*) FROM pay GROUP BY k"
    with pymongo.MongoClient[dict[str, Any]](mongodb_uri) as client:
        small = {"allowDiskUseByDefault": False, "internalDocumentSourceGroupMaxMemoryBytes": 1000}
        before = {name: client.admin.command({"getParameter": 1, name: 1})[name] for name in small}
        try:
            for name, value in small.items():
                client.admin.command({"setParameter": 1, name: value})
            with pytest.raises(ScanTypeChanged, match="more than MongoDB may hold"):
                tables.source.aggregate(aggregation(tables, sql), Stop())
            assert len(tables.ask(sql, tables.in_store).rows) == 2_000
        finally:
            for name, value in before.items():
                client.admin.command({"setParameter": 1, name: value})


def test_groups_that_do_not_fit_into_memory_are_the_engines(
    tables: AggregatedTables, mongodb_uri: str
) -> None:
    tables.store([(NOW_MS, {"k": "x" * 100 + str(number)}) for number in range(2_000)])
    sql = "SELECT k, COUNT(*) AS n FROM pay GROUP BY k ORDER BY k LIMIT 1"
    asked = aggregation(tables, sql)
    with closing(MongoScanSource(mongodb_uri, groups_max_bytes=100_000)) as source:
        with pytest.raises(ScanTypeChanged, match="more than this query may hold"):
            source.aggregate(asked, Stop())
        assert tables.ask(sql, Queries(source, ENGINE)).rows == [("x" * 100 + "0", 1)]


@pytest.mark.parametrize(
    ("dialect", "order"),
    [
        (Dialect.TRINO, ["B", "a", "b", "\uffff", "\U0001f600", None]),
        (Dialect.HIVE, [None, "B", "a", "b", "\uffff", "\U0001f600"]),
    ],
)
def test_the_order_is_that_of_the_dialect(
    tables: AggregatedTables, dialect: Dialect, order: list[str | None]
) -> None:
    tables.store([(NOW_MS, {"k": key} if key else {}) for key in order])
    queries = Queries(tables.source, NoEngine())
    found = tables.ask("SELECT k FROM pay GROUP BY k ORDER BY k", queries, dialect=dialect)
    assert [key for (key,) in found.rows] == order
    found = tables.ask("SELECT k FROM pay GROUP BY k ORDER BY 1 DESC LIMIT 2", queries, dialect=dialect)
    assert [key for (key,) in found.rows] == ["\U0001f600", "\uffff"]  # NULL is the last of both


def test_what_having_keeps_is_counted_but_all_that_was_read_is_read(tables: AggregatedTables) -> None:
    tables.store([(NOW_MS, {"k": key, "i": 1}) for key in "aabbbc"])
    sql = "SELECT k FROM pay GROUP BY k HAVING COUNT(*) > 1 ORDER BY SUM(i) DESC"
    found = tables.ask(sql, Queries(tables.source, NoEngine()))
    assert found.rows == [("b",), ("a",)]
    assert (found.answer.rows_read, found.answer.rows.rows_read) == (6, 2)
