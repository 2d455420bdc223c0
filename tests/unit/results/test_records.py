"""Dicts become columns without any value becoming another one."""

from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from logdrain.errors import JobResultInvalid
from logdrain.results.values.record_stream import records_stream
from logdrain.results.values.records import BATCH_ROWS

AT = datetime(2012, 3, 1, tzinfo=UTC)


def table(records: Any, columns: Mapping[str, object] | None = None) -> pa.Table:
    with records_stream(records, columns) as stream:
        batches = list(stream)
        assert all(batch.schema == stream.schema for batch in batches)
        return pa.Table.from_batches(batches, stream.schema)


def types(records: Any) -> dict[str, str]:
    return {field.name: str(field.type) for field in table(records).schema}


def test_columns_are_those_of_all_rows_in_the_order_they_appear() -> None:
    found = table([{"b": 1}, {"a": "x", "b": None}, {"c": 0.5}])
    assert found.column_names == ["b", "a", "c"]
    assert found.to_pylist() == [
        {"b": 1, "a": None, "c": None},
        {"b": None, "a": "x", "c": None},
        {"b": None, "a": None, "c": 0.5},
    ]


@pytest.mark.parametrize(
    ("values", "of"),
    [
        ([1, 2.5], "double"),
        ([1, Decimal("0.25")], "decimal128(3, 2)"),
        ([True, None], "bool"),
        ([None, None], "null"),
        ([date(2012, 3, 1)], "date32[day]"),
        ([AT, AT.astimezone(timezone(timedelta(hours=9)))], "timestamp[us, tz=UTC]"),
        ([AT.replace(tzinfo=None)], "timestamp[us]"),
        ([{"x": 1}, {"y": "z"}], "struct<x: int64, y: string>"),
        ([[1], []], "list<item: int64>"),
    ],
)
def test_the_type_is_that_of_the_values(values: list[object], of: str) -> None:
    assert types([{"v": value} for value in values]) == {"v": of}


@pytest.mark.parametrize(
    "values",
    [
        [1, "a"],
        [True, 1],
        [1.5, True],
        [b"x", "a"],
        [AT, AT.replace(tzinfo=None)],
        [date(2012, 3, 1), AT],
        [Decimal(1), 0.5],
        [2**63],
        [2**53 + 1, 0.5],
        [object],
    ],
    ids=str,
)
@pytest.mark.parametrize("distance", [1, BATCH_ROWS], ids=["one_batch", "two_batches"])
def test_what_does_not_go_together_is_an_error_and_nothing_is_bent(
    values: list[object], distance: int
) -> None:
    records = [{"v": None}] * (distance + 1)
    for at, value in enumerate(values):
        records[at * distance] = {"v": value}  # type: ignore[dict-item]  # the test is about such values
    with pytest.raises(JobResultInvalid, match=r"'v'|Field v|fit together"):
        table(records)


def test_types_widen_over_batches() -> None:
    whole: dict[str, object] = {"v": 1}
    found = table([*[whole] * BATCH_ROWS, {"v": 0.5, "w": "x"}])
    assert [str(field.type) for field in found.schema] == ["double", "string"]
    assert found.column("v").to_pylist() == [1.0] * BATCH_ROWS + [0.5]
    assert found.column("w").null_count == BATCH_ROWS


def test_no_row_needs_columns() -> None:
    with pytest.raises(JobResultInvalid, match="no row") as caught:
        table([])
    assert "columns=" in caught.value.hint
    assert table([], {"n": "BIGINT"}).schema == pa.schema([("n", pa.int64())])


@pytest.mark.parametrize(
    ("of", "value", "kept"),
    [
        ("bigint", 7, 7),
        ("DOUBLE", 7, 7.0),
        ("DECIMAL(12, 2)", Decimal("1.5"), Decimal("1.50")),
        ("TIMESTAMPTZ", AT, AT),
        (pa.list_(pa.string()), ["a"], ["a"]),
        ("VARCHAR", None, None),
    ],
)
def test_declared_columns(of: object, value: object, kept: object) -> None:
    assert table([{"v": value}, {}], {"v": of}).to_pylist() == [{"v": kept}, {"v": None}]


@pytest.mark.parametrize(
    ("of", "value"),
    [
        ("BIGINT", 1.5),
        ("BIGINT", True),
        ("TIMESTAMPTZ", 1330560000),
        ("TIMESTAMPTZ", AT.replace(tzinfo=None)),
        ("DATE", AT),
        ("VARCHAR", 1),
        ("DECIMAL(12,2)", Decimal("1.555")),
        ("DOUBLE", 2**53 + 1),
        ("BOOLEAN", 1),
    ],
    ids=str,
)
def test_what_a_declared_column_cannot_hold_is_an_error(of: str, value: object) -> None:
    with pytest.raises(JobResultInvalid, match="'v'"):
        table([{"v": value}], {"v": of})


def test_a_column_beside_the_declared_ones_does_not_vanish() -> None:
    with pytest.raises(JobResultInvalid, match="column 'w'"):
        table([{"v": 1, "w": 2}], {"v": "BIGINT"})


def test_an_unknown_type_is_named_with_those_there_are() -> None:
    with pytest.raises(JobResultInvalid, match="'NUMBER'") as caught:
        table([{"v": 1}], {"v": "NUMBER"})
    assert "BIGINT, DOUBLE" in caught.value.hint


@pytest.mark.parametrize("row", ["text", 1, None, ("a", 1)])
def test_a_row_is_a_dict(row: object) -> None:
    with pytest.raises(JobResultInvalid, match="a row of type"):
        table([row])


def test_declared_rows_are_read_as_they_are_asked_for() -> None:
    read: list[int] = []

    def rows() -> Iterator[dict[str, int]]:
        for number in range(BATCH_ROWS * 3):
            read.append(number)
            yield {"n": number}

    with records_stream(rows(), {"n": "BIGINT"}) as stream:
        assert read == []
        next(iter(stream))
        assert len(read) == BATCH_ROWS


values = st.one_of(
    st.none(),
    st.integers(-(2**63), 2**63 - 1),
    st.floats(allow_nan=False),
    st.booleans(),
    st.text(),
    st.dates(),
    st.datetimes(timezones=st.just(UTC)),
)


@given(st.lists(st.dictionaries(st.sampled_from("abc"), values, min_size=1), min_size=1, max_size=20))
def test_values_come_out_as_they_went_in_or_not_at_all(records: list[dict[str, object]]) -> None:
    try:
        found = table(records).to_pylist()
    except JobResultInvalid:
        return
    for record, row in zip(records, found, strict=True):
        assert {name: value for name, value in row.items() if value is not None} == {
            name: value for name, value in record.items() if value is not None
        }
