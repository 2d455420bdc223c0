import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import bson
import pymongo
import pytest

from logdrain.answer.aggregate_rows import use_aggregate
from logdrain.answer.queries import Queries
from logdrain.errors import NumberOverflow, QueryTimeout, ScanTypeChanged, StoreUnavailable
from logdrain.events.read.aggregate import RAW_CODEC, MongoAggregateStream
from logdrain.model.catalog import TypeKind
from logdrain.model.plans import Aggregation, Dialect
from logdrain.model.queries import EngineQuery, Plan, QueryRequest
from logdrain.model.stops import Stop
from logdrain.ports.queries import ArrowStream, ScanStream
from tests.integration.events.aggregated import SCHEDULED_TIME_S, AggregatedTables, aggregated_tables
from tests.integration.events.slow_collection import SlowCollection
from tests.unit.query.event_tables import ENGINE

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
        self,
        query: EngineQuery,
        _scans: Sequence[ScanStream],
        _use: Callable[[ArrowStream], int],
        _stop: Stop | None = None,
    ) -> int:
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
    assert found.answer.rows_out == 2


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
        list(tables.source.aggregate(aggregation(tables, sql)))
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
    stream = tables.source.aggregate(aggregation(tables, sql))
    tables.store([(NOW_MS, {"k": "a", "i": "2"})])
    with pytest.raises(ScanTypeChanged, match="i got a new type"):
        list(stream)
    assert stream.rows_read == 0
    tables.store([(NOW_MS, {"k": "a", "i": 0.5})], "other")
    assert tables.ask("SELECT SUM(i) FROM other", tables.in_store).rows == [(0.5,)]


def test_a_pipeline_is_ended_in_its_middle(tables: AggregatedTables, mongodb_uri: str) -> None:
    table = tables.store([(NOW_MS, {"i": 1})] * 100)
    asked = aggregation(tables, "SELECT SUM(i) FROM pay")
    error, stop, is_over = QueryTimeout("enough"), Stop(), threading.Event()
    with pymongo.MongoClient[dict[str, Any]](mongodb_uri) as client:
        database = client.get_default_database()
        slow = SlowCollection(database.get_collection(table.name, codec_options=RAW_CODEC))
        stream = MongoAggregateStream(client, slow, asked)

        def end_it() -> None:
            while not (slow.is_running(client) or is_over.is_set()):
                pass
            stop.request(error)

        thread = threading.Thread(target=end_it)
        thread.start()
        with pytest.raises(QueryTimeout) as raised:
            use_aggregate(stream, lambda rows: sum(batch.num_rows for batch in rows), stop)
        is_over.set()
        thread.join()
        assert raised.value is error
        assert not slow.is_running(client)


def test_one_that_is_to_end_before_it_begins_asks_nothing(tables: AggregatedTables) -> None:
    tables.store([(NOW_MS, {"i": 1})])
    stream = tables.source.aggregate(aggregation(tables, "SELECT SUM(i) FROM pay"))
    stop = Stop()
    stop.request(QueryTimeout("enough"))
    with pytest.raises(QueryTimeout):
        use_aggregate(stream, lambda rows: sum(batch.num_rows for batch in rows), stop)
    with pytest.raises(StoreUnavailable, match="interrupted"):
        list(stream)
    assert stream.rows_read == 0


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
                list(tables.source.aggregate(aggregation(tables, sql)))
            assert len(tables.ask(sql, tables.in_store).rows) == 2_000
        finally:
            for name, value in before.items():
                client.admin.command({"setParameter": 1, name: value})
