from collections.abc import Callable

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from logdrain.errors import ResultColumnConflict
from logdrain.results.postgres.widening import (
    AddColumn,
    DropColumn,
    SetType,
    TableColumn,
    surplus_columns,
    table_changes,
    wider_type,
)
from logdrain.types.postgres_types import Column, Kind, PostgresType, parse_type

_TYPES = st.sampled_from(Kind).map(PostgresType) | st.builds(
    lambda whole, scale: PostgresType(Kind.NUMERIC, whole + scale, scale),
    st.integers(1, 30),
    st.integers(0, 30),
)


def typed(text: str) -> PostgresType:
    found = parse_type(text)
    assert found is not None
    return found


def gets(name: str, of: str, *, is_untyped: bool = False) -> Column:
    return Column(name, name, typed(of), pa.null(), is_untyped)


def has(name: str, of: str, *, is_untyped: bool = False) -> TableColumn:
    return TableColumn(name, parse_type(of), of, is_untyped)


def never(_: str) -> bool:
    raise AssertionError("looking through the table is not needed")


def answers(is_empty: bool) -> Callable[[str], bool]:  # noqa: FBT001 - the answer it gives
    return lambda _: is_empty


@pytest.mark.parametrize(
    ("table", "query", "wider"),
    [
        ("bigint", "bigint", "bigint"),
        ("bigint", "numeric", "numeric"),
        ("bigint", "numeric(10,2)", "numeric(21,2)"),
        ("bigint", "double precision", "double precision"),
        ("numeric", "bigint", "numeric"),
        ("numeric", "numeric(10,2)", "numeric"),
        ("numeric(10,2)", "numeric(10,2)", "numeric(10,2)"),
        ("numeric(10,2)", "numeric(12,4)", "numeric(12,4)"),
        ("numeric(10,0)", "numeric(5,5)", "numeric(15,5)"),
        ("numeric(30,2)", "bigint", "numeric(30,2)"),
        ("numeric(10,2)", "bigint", "numeric(21,2)"),
        ("numeric(1000,0)", "numeric(10,2)", "numeric"),
        ("numeric(10,2)", "double precision", "double precision"),
        ("double precision", "numeric", "double precision"),
        ("double precision", "bigint", "double precision"),
        ("smallint", "bigint", "bigint"),
        ("integer", "bigint", "bigint"),
        ("real", "bigint", "double precision"),
        ("real", "double precision", "double precision"),
        ("text", "bigint", "text"),
        ("character varying(9)", "jsonb", "text"),
        ("boolean", "text", "text"),
        ("timestamp with time zone", "text", "text"),
    ],
)
def test_a_type_grows_to_hold_both(table: str, query: str, wider: str) -> None:
    assert str(wider_type(typed(table), typed(query))) == wider


@pytest.mark.parametrize(
    ("table", "query"),
    [
        ("boolean", "bigint"),
        ("bigint", "boolean"),
        ("timestamp with time zone", "bigint"),
        ("timestamp with time zone", "timestamp without time zone"),
        ("timestamp with time zone", "date"),
        ("jsonb", "bigint"),
        ("double precision", "interval"),
    ],
)
def test_types_that_do_not_go_together(table: str, query: str) -> None:
    assert wider_type(typed(table), typed(query)) is None


@given(_TYPES, _TYPES)
def test_a_wider_type_stays_when_the_same_comes_again(table: PostgresType, query: PostgresType) -> None:
    wider = wider_type(table, query)
    if wider is not None:
        assert wider_type(wider, query) == wider
        assert wider_type(wider, table) == wider


def test_nothing_changes_where_nothing_has_to() -> None:
    table = [has("a", "bigint"), has("gone", "boolean"), has("t", "text")]
    assert table_changes("t", table, [gets("a", "bigint"), gets("t", "date")], never) == []


def test_new_columns_come_in_the_querys_order() -> None:
    new = [gets("b", "bigint"), gets("c", "text", is_untyped=True)]
    assert table_changes("t", [has("a", "bigint")], new, never) == [AddColumn(new[0]), AddColumn(new[1])]


def test_a_column_of_nulls_fits_every_column() -> None:
    table = [has("a", "boolean"), has("b", "money"), has("c", "text", is_untyped=True)]
    query = [gets(name, "text", is_untyped=True) for name in "abc"]
    assert table_changes("t", table, query, never) == []


def test_a_column_without_values_takes_any_type() -> None:
    for column in (has("a", "boolean"), has("a", "money"), has("a", "text", is_untyped=True)):
        changes = table_changes("t", [column], [gets("a", "bigint")], answers(is_empty=True))
        assert changes == [SetType("a", PostgresType(Kind.BIGINT), is_empty=True)]


def test_an_untyped_column_that_got_values_is_text() -> None:
    table = [has("a", "text", is_untyped=True)]
    assert table_changes("t", table, [gets("a", "bigint")], answers(is_empty=False)) == []


@pytest.mark.parametrize("of", ["boolean", "money"])
def test_a_conflict_names_table_column_and_types(of: str) -> None:
    with pytest.raises(ResultColumnConflict) as raised:
        table_changes('"s"."t"', [has("a", of)], [gets("a", "bigint")], answers(is_empty=False))
    assert raised.value.located == f'column "a" of table "s"."t" is {of}, the query yields bigint'
    assert (
        raised.value.hint == 'cast it in the query, or drop the column: ALTER TABLE "s"."t" DROP COLUMN "a"'
    )


def test_what_the_query_does_not_have_is_surplus() -> None:
    table = [has("sum", "bigint"), has("Sum", "bigint"), has("point", "point")]
    assert surplus_columns(table, [gets("sum", "text")]) == [DropColumn("Sum"), DropColumn("point")]
    assert surplus_columns([], [gets("sum", "text")]) == []
