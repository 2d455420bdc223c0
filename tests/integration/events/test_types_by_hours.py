"""A scan is typed by the hours that it reads: one event changes no number of another hour."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import closing
from functools import partial
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pymongo import MongoClient

from logdrain.answer.queries import Queries
from logdrain.errors import SqlError
from logdrain.events.mongo_client import CATALOG, database_name
from logdrain.events.write.declarations import MongoDeclarations
from logdrain.model.catalog import FieldType, SeenField, TypeHours, TypeKind
from logdrain.model.events import Record, Table
from logdrain.model.plans import Dialect
from tests.integration.events.aggregated import (
    ENGINE,
    SCHEDULED_TIME_S,
    AggregatedTables,
    Row,
    Rows,
    aggregated_tables,
)

HOUR_S = 3600
HOURS = [SCHEDULED_TIME_S + hour * HOUR_S for hour in range(4)]
IN_RANGE = "SELECT {} FROM {} WHERE {}"
PAY: list[tuple[int, Record]] = [
    *((at_s * 1000, {"price": 10, "coupon": None}) for at_s in HOURS[:3]),
    (HOURS[1] * 1000 + 3_599_999, {"price": "12.50", "coupon": 5}),
]


@pytest.fixture
def tables(mongodb_uri: str) -> Iterator[AggregatedTables]:
    with aggregated_tables(mongodb_uri) as opened:
        yield opened


def asked(tables: AggregatedTables, select: str, start_s: int, end_s: int, **options: Any) -> Rows:
    """A query over a time range."""
    sql = IN_RANGE.format(select, "pay", f"TD_TIME_RANGE(time, {start_s}, {end_s})")
    return tables.ask(sql, options.get("queries", tables.in_store))


@pytest.mark.parametrize("engine", ["in_store", "in_engine"])
def test_a_text_in_one_hour_changes_no_sum_of_another(tables: AggregatedTables, engine: str) -> None:
    tables.store(PAY)
    queries: Queries = getattr(tables, engine)
    for start_s, end_s in ((HOURS[0], HOURS[1]), (HOURS[2], HOURS[3]), (HOURS[3], HOURS[3] + HOUR_S)):
        found = asked(tables, "SUM(price) AS total, COUNT(*) AS n", start_s, end_s, queries=queries)
        assert found.rows == ([(10, 1)] if start_s != HOURS[3] else [(None, 0)])
    found = asked(tables, "SUM(price) AS total", HOURS[0], HOURS[1], queries=queries)
    assert found.schema.field("total").type in {pa.int64(), pa.decimal128(38, 0)}
    with pytest.raises(SqlError, match="SUM"):
        asked(tables, "SUM(price) AS total", HOURS[0], HOURS[2], queries=queries)
    casts = asked(tables, "SUM(CAST(price AS DOUBLE)) AS total", HOURS[0], HOURS[3], queries=queries)
    assert casts.rows == [(42.5,)]


def test_columns_have_the_types_of_their_hours(tables: AggregatedTables) -> None:
    tables.store(PAY)
    plain = asked(tables, "price", HOURS[0], HOURS[1])
    assert plain.schema.field("price").type == pa.int64()
    mixed = asked(tables, "price", HOURS[1], HOURS[2])
    assert sorted(mixed.rows) == [("10",), ("12.50",)]
    open_end = tables.ask(IN_RANGE.format("price", "pay", f"time >= {HOURS[2]}"), tables.in_store)
    assert (open_end.schema.field("price").type, open_end.rows) == (pa.int64(), [(10,)])
    open_start = tables.ask(IN_RANGE.format("price", "pay", f"time < {HOURS[1]}"), tables.in_store)
    assert (open_start.schema.field("price").type, open_start.rows) == (pa.int64(), [(10,)])
    every = tables.ask("SELECT price FROM pay", tables.in_store)
    assert sorted(every.rows) == [("10",), ("10",), ("10",), ("12.50",)]


def test_one_table_in_two_hours_is_typed_twice(tables: AggregatedTables) -> None:
    tables.store(PAY)
    whole = IN_RANGE.format("SUM(price)", "pay", f"time < {HOURS[1]}")
    longest = IN_RANGE.format("MAX(price)", "pay", f"time >= {HOURS[1]} AND time < {HOURS[2]}")
    sql = f"SELECT ({whole}) AS whole, ({longest}) AS longest"
    assert tables.ask(sql, tables.in_store).rows == [(10, "12.50")]


def test_a_field_that_is_null_in_its_hours_is_typed_as_ever_or_by_what_is_beside_it(
    tables: AggregatedTables,
) -> None:
    tables.store(PAY)
    assert asked(tables, "coupon", HOURS[0], HOURS[1]).schema.field("coupon").type == pa.int64()
    text = asked(tables, "coupon = '' AS is_empty", HOURS[0], HOURS[1])
    assert text.rows == [(None,)]


def test_the_catalog_knows_hours_and_an_example(tables: AggregatedTables) -> None:
    tables.store(PAY)
    hours = tables.source.catalog(Table("production", "pay")).hours
    first = HOURS[0] // HOUR_S
    text = hours[SeenField(("price",), FieldType.STRING)]
    assert (text.first, text.last, len(text.example)) == (first + 1, first + 1, 16)
    number = hours[SeenField(("price",), FieldType.INT)]
    assert (number.first, number.last) == (first, first + 2)
    tables.store([(HOURS[0] * 1000 - 1, {"price": "0"})])
    text = tables.source.catalog(Table("production", "pay")).hours[SeenField(("price",), FieldType.STRING)]
    assert (text.first, text.last) == (first - 1, first + 1)


def test_what_an_old_catalog_has_counts_for_any_hour(tables: AggregatedTables) -> None:
    tables.store(PAY)
    with MongoClient[dict[str, Any]](tables.uri) as client:
        catalog = client[database_name(tables.uri)][CATALOG]
        catalog.update_many({"type": "string"}, {"$unset": {"first_hour": 1, "last_hour": 1}})
        assert asked(tables, "price", HOURS[0], HOURS[1]).rows == [("10",)]
        tables.store([(HOURS[3] * 1000, {"price": "1"})])
        assert catalog.find_one({"type": "string", "first_hour": {"$exists": True}}) is None


def test_a_plan_in_memory_moves_into_an_hour_of_other_types(tables: AggregatedTables) -> None:
    tables.store(PAY)
    queries = Queries(tables.source, ENGINE)
    sql = (
        "SELECT TD_SCHEDULED_TIME() AS time, MAX(price) AS longest FROM pay "
        "WHERE TD_TIME_RANGE(time, TD_SCHEDULED_TIME(), TD_TIME_ADD(TD_SCHEDULED_TIME(), '1h'))"
    )
    found = [tables.ask(sql, queries, at_s=at_s).rows for at_s in (*HOURS[:3], *HOURS[:3])]
    expected = [[(HOURS[0], 10)], [(HOURS[1], "12.50")], [(HOURS[2], 10)]]
    assert found == [*expected, *expected]


values = st.sampled_from([1, 2.5, "x", None, True, [1], {"k": 1}])
deliveries = st.lists(
    st.lists(st.tuples(st.integers(0, 5), values), min_size=1, max_size=4), min_size=1, max_size=4
)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(deliveries=deliveries, ranged=st.tuples(st.integers(0, 5), st.integers(1, 3)))
def test_a_range_reads_as_if_there_were_nothing_else(
    tables: AggregatedTables, deliveries: Sequence[Sequence[tuple[int, Any]]], ranged: tuple[int, int]
) -> None:
    """Where it holds a value: a table that has only the events of these hours reads the same."""
    start, end = ranged[0], sum(ranged)
    whole, part = next(tables.names), next(tables.names)
    kinds = defaultdict(set)
    inside: list[tuple[int, Record]] = []
    for delivery in deliveries:
        records = [((HOURS[0] + hour * HOUR_S) * 1000, {"v": value}) for hour, value in delivery]
        tables.store(records, whole)
        for hour, value in delivery:
            kinds[type(value)].add(hour)
        inside += [record for record, (hour, _) in zip(records, delivery, strict=True) if start <= hour < end]
    # A type that came before and after these hours counts in them: the catalog knows first and last.
    if any(min(hours) < start and max(hours) >= end for hours in kinds.values()):
        return
    if all(record["v"] is None for _, record in inside):
        return
    tables.store(inside, part)
    time = f"time >= {HOURS[0] + start * HOUR_S} AND time < {HOURS[0] + end * HOUR_S}"
    found, expected = (
        tables.ask(IN_RANGE.format("v", name, time), tables.in_store) for name in (whole, part)
    )
    assert found.schema == expected.schema
    assert sorted(map(str, found.rows)) == sorted(map(str, expected.rows))


def test_hours_overlap_half_open_ranges() -> None:
    hours = TypeHours(10, 11)
    assert hours.overlap(None, None)
    assert hours.overlap(12 * HOUR_S - 1, None)
    assert not hours.overlap(12 * HOUR_S, None)
    assert hours.overlap(None, 10 * HOUR_S + 1)
    assert not hours.overlap(None, 10 * HOUR_S)


@pytest.mark.parametrize(
    ("declared", "rows", "total"),
    [
        (TypeKind.DOUBLE, [(10.0,), (12.5,)], [(22.5,)]),
        (TypeKind.VARCHAR, [("10",), ("12.50",)], None),
        (TypeKind.BOOLEAN, [(None,), (None,)], None),
    ],
)
def test_a_declared_type_wins(
    tables: AggregatedTables, declared: TypeKind, rows: list[Row], total: list[Row] | None
) -> None:
    tables.store(PAY)
    with closing(MongoDeclarations(tables.uri)) as declarations:
        declarations.add("production.pay", {("price",): declared, ("coupon",): TypeKind.BIGINT})
        found = asked(tables, "price", HOURS[1], HOURS[2])
        assert sorted(found.rows, key=str) == sorted(rows, key=str)
        warnings = found.answer.plan.warnings
        assert any("declared" in text for text in warnings) is (declared is not TypeKind.VARCHAR)
        if total:
            assert asked(tables, "SUM(price) AS total", HOURS[1], HOURS[2]).rows == total
        star = asked(tables, "*", HOURS[1], HOURS[2])
        assert sorted([row[2:] for row in star.rows], key=str) == sorted(rows, key=str)
        declarations.replace("production.pay", {})
        assert sorted(asked(tables, "price", HOURS[1], HOURS[2]).rows) == [("10",), ("12.50",)]


def test_a_declared_field_reads_a_list_and_an_object_as_text(tables: AggregatedTables) -> None:
    tables.store(
        [(HOURS[0] * 1000, {"v": [1]}), (HOURS[1] * 1000, {"v": {"a": 1}}), (HOURS[2] * 1000, {"v": 5})]
    )
    with closing(MongoDeclarations(tables.uri)) as declarations:
        declarations.add("production.pay", {("v",): TypeKind.VARCHAR})
        first = asked(tables, "v", HOURS[0], HOURS[1])
        assert first.rows == [("[1]",)]
        declarations.add("production.pay", {("v",): TypeKind.BIGINT})
        assert sorted(asked(tables, "v", HOURS[0], HOURS[3]).rows, key=str) == [(5,), (None,), (None,)]
        declarations.remove("production.pay", [("v",)])
        assert asked(tables, "v[1] AS v", HOURS[0], HOURS[1]).rows == [(1,)]


def test_what_is_a_list_in_some_events_reads_as_one_where_it_is_unnested(tables: AggregatedTables) -> None:
    records: list[Record] = [{"tags": ["a", "b"]}, {"tags": "c"}, {"tags": None}, {"tags": "[d]"}]
    tables.store([(HOURS[0] * 1000 + at, record) for at, record in enumerate(records)])
    tables.store([(HOURS[1] * 1000, {"tags": "e"}), (HOURS[2] * 1000, {"tags": [1, {"k": 1}]})])
    sql = "SELECT tag FROM pay CROSS JOIN UNNEST(tags) AS t(tag) WHERE {}"
    in_hive = "SELECT tag FROM pay LATERAL VIEW EXPLODE(tags) t AS tag WHERE {}"
    first, second = f"time < {HOURS[1]}", f"time >= {HOURS[1]} AND time < {HOURS[2]}"
    for text, dialect in ((sql, Dialect.TRINO), (in_hive, Dialect.HIVE)):
        asked_in = partial(tables.ask, queries=tables.in_store, dialect=dialect)
        assert sorted(asked_in(text.format(first)).rows) == [("[d]",), ("a",), ("b",), ("c",)]
        assert asked_in(text.format(second)).rows == [("e",)]
    every = sorted(tables.ask(sql.format("time > 0"), tables.in_store).rows)
    assert every == [("1",), ("[d]",), ("a",), ("b",), ("c",), ("e",), ('{"k":1}',)]


def test_an_object_beside_lists_of_objects_is_an_element(tables: AggregatedTables) -> None:
    records: list[Record] = [{"items": [{"id": 1}, {"id": 2}]}, {"items": {"id": 3, "n": 1.5}}]
    tables.store([(HOURS[0] * 1000 + at, record) for at, record in enumerate(records)])
    sql = "SELECT SUM(item.id) AS ids, MAX(item.n) AS n FROM pay CROSS JOIN UNNEST(items) AS t(item)"
    assert tables.ask(sql, tables.in_store).rows == [(6, 1.5)]
