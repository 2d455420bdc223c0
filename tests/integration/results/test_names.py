import pyarrow as pa
import pytest

from tests.integration.results.result_table import CLAIM, SLICE_S, ResultTable, next_claim


@pytest.mark.parametrize(
    "name",
    [
        'quote"d',
        "per%cent %s {braces}",
        "x); DROP TABLE payment_history; --",
        "Große Straße 日本語",
        "select",
        "Sum",
        " ",
        "n" * 63,
    ],
)
def test_column_names_are_kept(table: ResultTable, name: str) -> None:
    table.write({name: [SLICE_S], "sum": [1]}, slice_column=name)
    table.write({name: [SLICE_S], "sum": [0.5], "coupon": pa.nulls(1)}, next_claim(CLAIM), slice_column=name)
    assert table.types() == {name: "bigint", "sum": "double precision", "coupon": "text"}
    assert table.rows() == [(SLICE_S, 0.5, None)]


@pytest.mark.parametrize("name", ['pay"ment', "x; DROP TABLE y; --", "日本語", "t" * 63, "Pay %s {}"])
def test_table_names_are_kept(table: ResultTable, name: str) -> None:
    table.name = name
    table.add(0, sum=[1])
    table.add(1, sum=[0.5], new=[1])
    assert table.rows() == [(0.5, 1), (1.0, None)]


def test_long_column_names_are_cut_and_stay_apart(table: ResultTable) -> None:
    long_names = {"é" * 40 + "a": [1], "é" * 40 + "b": [2]}
    table.add(0, **long_names)
    table.add(1, **long_names)
    names = list(table.types())
    assert len(names) == 2
    assert all(name.startswith("é" * 27 + "_") for name in names)
    assert table.rows() == [(1, 2), (1, 2)]
