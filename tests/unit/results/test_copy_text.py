import json
import math
import re
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from logdrain.errors import ResultRefused
from logdrain.results.values.text_formats import COPY_TEXT, text_pieces
from logdrain.types.postgres_types import result_columns

_UNESCAPED = {"\\\\": "\\", "\\t": "\t", "\\n": "\n", "\\r": "\r"}


def copied(columns: dict[str, Any], first_row: int = 1) -> str:
    batch = pa.record_batch(columns)
    pieces = text_pieces(batch, result_columns(batch.schema, unix_time=False), first_row, COPY_TEXT)
    return b"".join(piece.data for piece in pieces).decode()


def read_back(text: str) -> list[list[str | None]]:
    """What Postgres makes of COPY's text format (COPY, "Text Format")."""

    def cell(raw: str) -> str | None:
        return None if raw == r"\N" else re.sub(r"\\.", lambda found: _UNESCAPED[found[0]], raw)

    return [[cell(raw) for raw in line.split("\t")] for line in text.split("\n")[:-1]]


def test_rows_are_lines_of_cells() -> None:
    assert copied({"a": [1, None], "b": ["x", ""], "c": [True, False]}) == "1\tx\ttrue\n\\N\t\tfalse\n"


def test_a_batch_without_rows_is_nothing() -> None:
    assert copied({"a": pa.array([], pa.int64())}) == ""


def test_what_copy_would_read_otherwise_is_escaped() -> None:
    assert copied({"a": ["\\N", "\\.", "a\tb\nc\rd"]}) == "\\\\N\n\\\\.\na\\tb\\nc\\rd\n"


_TEXTS = st.none() | st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))


@given(st.lists(st.tuples(_TEXTS, _TEXTS), min_size=1))
def test_any_text_is_read_back(rows: list[tuple[str | None, str | None]]) -> None:
    columns = {
        name: pa.array(list(texts), pa.string())
        for name, texts in zip("ab", zip(*rows, strict=True), strict=True)
    }
    assert read_back(copied(columns)) == [list(row) for row in rows]


@given(st.lists(st.floats(), min_size=1))
def test_any_double_is_read_back(numbers: list[float]) -> None:
    texts = copied({"a": pa.array(numbers, pa.float64())}).split("\n")[:-1]
    assert list(map(repr, map(float, texts))) == list(map(repr, numbers))


def test_pieces_are_bounded_and_a_slice_of_a_batch_starts_where_it_starts() -> None:
    batch = pa.record_batch({"a": list(range(20_005))}).slice(5)
    pieces = list(text_pieces(batch, result_columns(batch.schema, unix_time=False), 1, COPY_TEXT))
    assert [piece.rows for piece in pieces] == [8192, 8192, 3616]
    assert b"".join(piece.data for piece in pieces).split() == [b"%d" % number for number in range(5, 20_005)]


def test_the_character_nul_is_counted() -> None:
    batch = pa.record_batch({"a": ["\0x\0", None], "b": [["\0"], []], "c": [{"k\0": "v"}, None][:1] * 2})
    [piece] = text_pieces(batch, result_columns(batch.schema, unix_time=False), 1, COPY_TEXT)
    assert piece.removed_nul == 5
    assert b"\0" not in bytes(piece.data)
    assert b"u0000" not in bytes(piece.data)


def test_nested_values_are_json() -> None:
    values = [{"n": Decimal("0.10"), "x": math.inf, "b": b"\x01", "s": 'q"\\\n', "l": [None, 2**63 - 1]}]
    [[text]] = read_back(copied({"a": values}))
    assert text is not None
    assert '"n":0.10' in text
    assert json.loads(text) == {
        "n": 0.1,
        "x": "Infinity",
        "b": r"\x01",
        "s": 'q"\\\n',
        "l": [None, 2**63 - 1],
    }


def test_keys_of_maps_are_texts() -> None:
    maps = pa.array([[(1, "a"), (2, "b")], []], pa.map_(pa.int64(), pa.string()))
    assert copied({"a": maps}) == '{"1":"a","2":"b"}\n{}\n'


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (-62135596800, "0001-01-01 00:00:00Z"),
        (253402300799, "9999-12-31 23:59:59Z"),
        (0, "1970-01-01 00:00:00Z"),
    ],
)
def test_unix_seconds_become_times(seconds: int, text: str) -> None:
    assert copied({"time": [seconds]}) == text + "\n"


@pytest.mark.parametrize("seconds", [-62135596801, 253402300800, 2**63 - 1])
def test_unix_seconds_of_no_year_are_refused_with_their_row(seconds: int) -> None:
    with pytest.raises(ResultRefused, match=f'column "time" has, in row 12, {seconds}, ') as raised:
        copied({"time": [0, None, seconds]}, first_row=10)
    assert "milliseconds" in raised.value.hint


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
def test_times_of_every_unit(unit: Any) -> None:
    assert (
        copied({"a": pa.array([1_000_000_000], pa.timestamp(unit))})
        == {
            "s": "2001-09-09 01:46:40.000000\n",
            "ms": "1970-01-12 13:46:40.000000\n",
            "us": "1970-01-01 00:16:40.000000\n",
            "ns": "1970-01-01 00:00:01.000000\n",
        }[unit]
    )


def test_a_value_that_cannot_be_converted_is_refused_with_its_rows() -> None:
    twice = pa.array([[("a", 1), ("a", 2)]], pa.map_(pa.string(), pa.int64()))
    with pytest.raises(
        ResultRefused, match='column "a" has a value that cannot be written as jsonb, in rows 7 to 7'
    ):
        copied({"a": twice}, first_row=7)
