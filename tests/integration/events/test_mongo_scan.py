from collections.abc import Generator, Iterator
from typing import Any

import bson
import pytest

from logdrain.errors import ConfigError, ScanTypeChanged, StoreUnavailable
from logdrain.events.read.scan import MongoScanSource
from logdrain.model.catalog import ELEMENT, FieldType, TableCatalog
from logdrain.model.events import Table
from logdrain.model.plans import Comparator, Predicate, TimeRange
from tests.integration.events.scanned_table import TABLE, ScannedTable, column, nested, rows, scan_of
from tests.unit.types import typed_values as tv

NUMBER = column(tv.BIGINT, "n")
NOWHERE = "mongodb://someone:opensesame@127.0.0.1:1/events"


@pytest.fixture
def pay(mongodb_uri: str) -> Iterator[ScannedTable]:
    with ScannedTable(mongodb_uri) as table:
        table.clear()
        yield table


# --- tables and catalog ---


def test_tables_are_collections_with_one_dot(pay: ScannedTable) -> None:
    for name in ("web.access", "_catalog", "_quarantine", "nodot", "a.b.c"):
        pay.database.create_collection(name)
    assert pay.source.tables() == [Table("production", "pay"), Table("web", "access")]


def test_the_catalog_has_the_types_of_each_path(pay: ScannedTable) -> None:
    seen: list[tuple[str, list[str], str]] = [
        (TABLE.name, ["price"], "int"),
        (TABLE.name, ["price"], "double"),
        (TABLE.name, ["cart", ELEMENT, "a.b"], "string"),
        ("production.other", ["price"], "string"),
    ]
    pay.database["_catalog"].insert_many(
        [{"table": table, "path": path, "type": kind} for table, path, kind in seen]
    )
    fields = {
        ("price",): frozenset({FieldType.INT, FieldType.DOUBLE}),
        ("cart", ELEMENT, "a.b"): frozenset({FieldType.STRING}),
    }
    assert pay.source.catalog(TABLE) == TableCatalog(TABLE, fields)
    pay.database["_catalog"].insert_one({"table": TABLE.name, "path": [], "type": "full"})
    assert pay.source.catalog(TABLE) == TableCatalog(TABLE, fields, is_full=True)


def test_an_unknown_table_has_no_fields_and_no_events(pay: ScannedTable) -> None:
    pay.database.drop_collection(TABLE.name)
    assert pay.source.catalog(TABLE) == TableCatalog(TABLE)
    assert pay.read(NUMBER) == []


# --- time ---


def test_a_time_range_is_half_open_to_the_millisecond(pay: ScannedTable) -> None:
    for time_ms in (0, 9_999, 10_000, 10_001, 19_999, 20_000):
        pay.add({"n": time_ms}, time_ms=time_ms)
    within = TimeRange(10, 20)
    assert [row["n"] for row in pay.read(NUMBER, time_range=within)] == [10_000, 10_001, 19_999]
    assert pay.source.estimate(scan_of(time_range=within)) == 3


def test_open_and_outlandish_ends_are_no_bounds(pay: ScannedTable) -> None:
    last_ms = 2**48 - 1
    pay.add({"n": 0}, time_ms=0)
    pay.add({"n": last_ms}, time_ms=last_ms)
    for time_range in (TimeRange(None, None), TimeRange(-(10**30), 10**30), TimeRange(0, None)):
        assert [row["n"] for row in pay.read(NUMBER, time_range=time_range)] == [0, last_ms]
        assert pay.source.estimate(scan_of(time_range=time_range)) == 2
    for time_range in (TimeRange(None, 0), TimeRange(10**30, None), TimeRange(5, 5)):
        assert pay.read(NUMBER, time_range=time_range) == []
        assert pay.source.estimate(scan_of(time_range=time_range)) == 0


def test_the_event_time_in_seconds_and_milliseconds(pay: ScannedTable) -> None:
    pay.add({}, time_ms=1_700_000_000_999)
    (row,) = pay.read(column(tv.BIGINT, "time"), column(tv.TIMESTAMPTZ, "_time"))
    assert row["time"] == 1_700_000_000
    assert row["_time"].isoformat() == "2023-11-14T22:13:20.999000+00:00"


# --- laziness ---


def test_nothing_is_asked_before_the_first_batch(pay: ScannedTable) -> None:
    stream = pay.source.scan(scan_of(NUMBER))
    batches = iter(stream)
    assert stream.schema.names == ["n"]
    pay.add({"n": 1})
    assert [batch.to_pylist() for batch in batches] == [[{"n": 1}]]


def test_a_stream_reads_anew_in_each_pass(pay: ScannedTable) -> None:
    pay.add({"n": 1})
    stream = pay.source.scan(scan_of(NUMBER))
    assert rows(stream) == [{"n": 1}]
    pay.add({"n": 2})
    assert rows(stream) == [{"n": 1}, {"n": 2}]
    assert stream.rows_read == 3
    assert stream.bytes_read == 3 * len(bson.encode({"n": 1}))


def test_many_events_come_in_bounded_batches(pay: ScannedTable) -> None:
    count = 100_000
    pay.add(*({"n": number} for number in range(count)))
    stream = pay.source.scan(scan_of(NUMBER))
    seen: list[Any] = []
    for batch in stream:
        assert 0 < batch.num_rows <= 10_000
        seen += batch["n"].to_pylist()
        assert stream.rows_read == len(seen)
    assert seen == list(range(count))
    assert pay.open_cursors() == 0


def test_a_consumer_that_stops_early_leaves_no_cursor(pay: ScannedTable) -> None:
    pay.add(*({"n": number} for number in range(20_001)))
    batches = iter(pay.source.scan(scan_of(NUMBER)))
    next(batches)
    assert pay.open_cursors() == 1
    assert isinstance(batches, Generator)
    batches.close()
    assert pay.open_cursors() == 0


def test_rows_count_without_columns(pay: ScannedTable) -> None:
    pay.add({"n": 1}, {}, {"n": None})
    stream = pay.source.scan(scan_of())
    assert sum(batch.num_rows for batch in stream) == 3
    assert stream.schema.names == []
    assert pay.read(column(tv.NULL, "coupon")) == [{"coupon": None}] * 3


# --- types that changed ---


@pytest.mark.parametrize(
    ("of", "path", "record"),
    [
        (tv.BIGINT, ("f",), {"f": 1.5}),
        (tv.BIGINT, ("f",), {"f": True}),
        (tv.DOUBLE, ("f",), {"f": "1"}),
        (tv.VARCHAR, ("f",), {"f": 1}),
        (tv.BOOLEAN, ("f",), {"f": 1}),
        (tv.DECIMAL, ("f",), {"f": 0.5}),
        (tv.TIMESTAMPTZ, ("f",), {"f": 1}),
        (tv.list_of(tv.BIGINT), ("f",), {"f": 1}),
        (tv.list_of(tv.BIGINT), ("f",), {"f": [1, "2"]}),
        (tv.struct_of(a=tv.BIGINT), ("f",), {"f": [{"a": 1}]}),
        (tv.struct_of(a=tv.BIGINT), ("f",), {"f": {"a": "1"}}),
    ]
    + [
        (of, path, record)
        for of in (tv.BIGINT, tv.VARCHAR, tv.TEXT, tv.list_of(tv.BIGINT), tv.struct_of(a=tv.BIGINT))
        for path, record in [
            (("a", "b"), {"a": [{"b": 1}]}),
            (("a", "b"), {"a": []}),
            (("a", "b", "c"), {"a": [{"b": {"c": 1}}]}),
            (("a", "x.y"), {"a": [{"x.y": 1}]}),
            (("a", "x.y", "c"), {"a": [{"x.y": {"c": 1}}]}),
            (("$a", "b"), {"$a": []}),
        ]
    ],
)
def test_a_value_that_is_not_its_columns_raises(
    pay: ScannedTable, of: Any, path: tuple[str, ...], record: dict[str, Any]
) -> None:
    pay.add({}, nested(path, None), record)
    with pytest.raises(ScanTypeChanged, match=r"production\.pay: "):
        pay.read(column(of, *path))


@pytest.mark.parametrize("of", [tv.BIGINT, tv.TEXT, tv.list_of(tv.BIGINT), tv.struct_of(a=tv.BIGINT)])
@pytest.mark.parametrize("path", [("a", "b"), ("a", "x.y")])
def test_a_path_through_a_scalar_reads_as_null(pay: ScannedTable, of: Any, path: tuple[str, ...]) -> None:
    pay.add({"a": 1}, {"a": "text"}, {"a": None}, {"a": {}})
    assert pay.read(column(of, *path, name="f")) == [{"f": None}] * 4


@pytest.mark.parametrize("value", ["2", 1.5, True, [3], [], {"a": 1}])
@pytest.mark.parametrize("comparator", [Comparator.EQ, Comparator.NE, Comparator.LT, Comparator.IS_NULL])
def test_a_filter_does_not_hide_a_value_of_another_type(
    pay: ScannedTable, value: Any, comparator: Comparator
) -> None:
    pay.add({"o": {"n": value}})
    predicate = Predicate(("o", "n"), comparator, () if comparator is Comparator.IS_NULL else (1,))
    with pytest.raises(ScanTypeChanged):
        pay.read(column(tv.BIGINT, "o", "n"), predicates=[predicate])


# --- trouble ---


def test_a_mongodb_out_of_reach_is_an_error_soon() -> None:
    source = MongoScanSource(NOWHERE, timeout_s=0.1)
    for ask in (
        source.tables,
        lambda: source.catalog(TABLE),
        lambda: source.estimate(scan_of()),
        lambda: rows(source.scan(scan_of(NUMBER))),
    ):
        with pytest.raises(StoreUnavailable) as caught:
            ask()
        assert "opensesame" not in str(caught.value)
        assert caught.value.hint
    source.close()


def test_a_cursor_that_is_lost_on_the_way_is_an_error(pay: ScannedTable) -> None:
    pay.add(*({"n": number} for number in range(20_001)))
    batches = iter(pay.source.scan(scan_of(NUMBER)))
    next(batches)
    pay.database.drop_collection(TABLE.name)
    with pytest.raises(StoreUnavailable):
        list(batches)


def test_a_uri_that_cannot_be_read_is_an_error_of_the_settings() -> None:
    with pytest.raises(ConfigError) as caught:
        MongoScanSource("mongodb://someone:open/sesame@host")
    assert "sesame" not in str(caught.value)
