from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from logdrain.errors import ResultColumnConflict
from logdrain.types.postgres_types import Column, Kind, PostgresType, parse_type, result_columns


def columns(*fields: tuple[str, Any], unix_time: bool = False) -> tuple[Column, ...]:
    return result_columns(pa.schema([pa.field(name, of) for name, of in fields]), unix_time=unix_time)


@pytest.mark.parametrize(
    ("arrow", "expected"),
    [
        (pa.int8(), "bigint"),
        (pa.int64(), "bigint"),
        (pa.uint32(), "bigint"),
        (pa.uint64(), "numeric"),
        (pa.decimal128(38, 0), "numeric"),
        (pa.decimal256(76, 0), "numeric"),
        (pa.decimal128(10, 2), "numeric(10,2)"),
        (pa.decimal128(2, 5), "numeric(5,5)"),
        (pa.decimal128(5, -2), "numeric"),
        (pa.float16(), "double precision"),
        (pa.float64(), "double precision"),
        (pa.bool_(), "boolean"),
        (pa.string(), "text"),
        (pa.large_string(), "text"),
        (pa.string_view(), "text"),
        (pa.dictionary(pa.int8(), pa.string()), "text"),
        (pa.null(), "text"),
        (pa.timestamp("us", "Asia/Tokyo"), "timestamp with time zone"),
        (pa.timestamp("ns"), "timestamp without time zone"),
        (pa.date32(), "date"),
        (pa.date64(), "date"),
        (pa.time32("s"), "time without time zone"),
        (pa.time64("us"), "time without time zone"),
        (pa.duration("us"), "interval"),
        (pa.month_day_nano_interval(), "interval"),
        (pa.list_(pa.int64()), "jsonb"),
        (pa.list_(pa.int64(), 2), "jsonb"),
        (pa.struct([pa.field("a", pa.int64())]), "jsonb"),
        (pa.map_(pa.string(), pa.int64()), "jsonb"),
        (pa.binary(), "bytea"),
        (pa.binary(4), "bytea"),
        (pa.uuid(), "uuid"),
    ],
    ids=str,
)
def test_each_arrow_type_has_a_postgres_type(arrow: pa.DataType, expected: str) -> None:
    [column] = columns(("x", arrow))
    assert str(column.type) == expected
    assert column.is_untyped == pa.types.is_null(arrow)


def test_a_type_without_a_match_is_refused() -> None:
    union = pa.sparse_union([pa.field("a", pa.int64()), pa.field("b", pa.string())])
    with pytest.raises(ResultColumnConflict, match='column "x" yields sparse_union') as raised:
        columns(("x", union))
    assert raised.value.hint == "cast it in the query: CAST(x AS VARCHAR)"


@pytest.mark.parametrize("arrow", [pa.int64(), pa.int32(), pa.uint64()], ids=str)
def test_whole_numbers_in_time_are_unix_seconds(arrow: pa.DataType) -> None:
    [column] = columns(("time", arrow))
    assert (column.type.kind, column.is_unix_time) == (Kind.TIMESTAMPTZ, True)
    [kept] = columns(("time", arrow), unix_time=True)
    assert (kept.type.kind in (Kind.BIGINT, Kind.NUMERIC), kept.is_unix_time) == (True, False)


@pytest.mark.parametrize(
    ("name", "arrow"), [("time", pa.float64()), ("Time", pa.int64()), ("time", pa.string())]
)
def test_anything_else_in_time_is_itself(name: str, arrow: pa.DataType) -> None:
    assert not columns((name, arrow))[0].is_unix_time


def test_two_columns_of_one_name_are_refused() -> None:
    with pytest.raises(ResultColumnConflict, match='2 columns named "a"') as raised:
        columns(("a", pa.int64()), ("b", pa.int64()), ("a", pa.string()))
    assert "AS" in raised.value.hint


def test_names_that_differ_in_case_are_two() -> None:
    assert [column.name for column in columns(("a", pa.int64()), ("A", pa.int64()))] == ["a", "A"]


@pytest.mark.parametrize("name", ["", "a\0b", "ctid", "xmin", "tableoid"])
def test_names_that_postgres_cannot_have_are_refused(name: str) -> None:
    with pytest.raises(ResultColumnConflict, match="cannot be named"):
        columns((name, pa.int64()))


def test_a_result_without_columns_is_refused() -> None:
    with pytest.raises(ResultColumnConflict, match="no column"):
        columns()


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=8))
def test_names_fit_and_keep_what_they_can(name: str) -> None:
    [column] = columns((name, pa.int64()))
    assert len(column.name.encode()) <= 63
    if len(name.encode()) <= 63:
        assert column.name == name
    else:
        assert name.startswith(column.name[:-9])
        assert column.name != columns((name + "x", pa.int64()))[0].name


def test_a_cut_name_does_not_depend_on_its_neighbours() -> None:
    long = ("n" * 100, pa.int64())
    assert columns(long)[0].name == columns(("a", pa.int64()), long)[1].name == "n" * 54 + "_4e9d8231"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("bigint", PostgresType(Kind.BIGINT)),
        ("numeric", PostgresType(Kind.NUMERIC)),
        ("numeric(10,2)", PostgresType(Kind.NUMERIC, 10, 2)),
        ("numeric(3,-2)", PostgresType(Kind.NUMERIC, 3, -2)),
        ("character varying(20)", PostgresType(Kind.TEXT)),
        ("character(3)", PostgresType(Kind.TEXT)),
        ("timestamp(3) with time zone", PostgresType(Kind.TIMESTAMPTZ)),
        ("time(0) without time zone", PostgresType(Kind.TIME)),
        ("bigint[]", None),
        ("money", None),
        ('analytics."my type"', None),
    ],
)
def test_types_that_tables_have(text: str, expected: PostgresType | None) -> None:
    assert parse_type(text) == expected
