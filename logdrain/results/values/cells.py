"""Values of one column -> the text of each that Postgres reads back exactly; NULL stays null.

Whole columns are converted by Arrow where it can; uuid, interval, binary and nested values one by one.
"""

import math
import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import msgspec
import pyarrow as pa
import pyarrow.compute as pc

from logdrain.errors import ResultRefused
from logdrain.types.postgres_types import Column, Kind

Values = Any
"""A pyarrow array; the stubs of its kernels do not know arrays of any type."""

_SECONDS_PER_DAY = 86_400
_PER_SECOND = {"s": 1, "ms": 1_000, "us": 1_000_000, "ns": 1_000_000_000}

# Half-open, unix seconds: the years 1 to 9999, which Postgres, its drivers and BI tools all read.
_YEAR_1_S = int(datetime(1, 1, 1, tzinfo=UTC).timestamp())
_YEAR_10000_S = int(datetime(9999, 12, 31, tzinfo=UTC).timestamp()) + _SECONDS_PER_DAY

_UNIX_HINT = "milliseconds / 1000 are seconds; ?time=unix keeps the numbers as they are"
_CAST_HINT = "cast the column to text in the query"
_ENCODER = msgspec.json.Encoder(decimal_format="number")
_NOT_FINITE = {math.inf: "Infinity", -math.inf: "-Infinity"}


class Cells(NamedTuple):
    """Texts of one column.

    Attributes:
        texts: large_string, null for NULL.
        needs_escape: The texts may have characters that mean something in COPY.
        removed_nul: How many U+0000 were taken out, which Postgres' text cannot hold.
    """

    texts: Values
    needs_escape: bool = False
    removed_nul: int = 0


def column_cells(values: Values, column: Column, first_row: int) -> Cells:
    """Convert one column of one batch.

    Args:
        values: As the query yields them.
        column: What they become.
        first_row: Place of the first value in the whole result, from 1.

    Raises:
        ResultRefused: a value has no place in the column's type; says which row.
    """
    bare = bare_values(values)
    try:
        if column.is_unix_time:
            return _unix_time(bare, column, first_row)
        return _CELLS[column.type.kind](bare, column, first_row)
    except (pa.ArrowException, ValueError, OverflowError, KeyError) as error:
        raise ResultRefused(
            f'column "{column.label}" has a value that cannot be written as {column.type}, '
            f"in rows {first_row} to {first_row + len(values) - 1}",
            hint=_CAST_HINT,
        ) from error


def unix_times(values: Values, column: Column, first_row: int) -> Values:
    """Integers that are unix seconds, as instants with microseconds in UTC; arguments as `column_cells`.

    Raises:
        ResultRefused: one is outside the years 1 to 9999; says which row.
    """
    bare = bare_values(values)
    _check_years(bare, 1, column, first_row)
    return bare.cast(pa.int64()).cast(pa.timestamp("s", "UTC")).cast(pa.timestamp("us", "UTC"))


def bare_values(values: Values) -> Values:
    """The values without dictionary and extension."""
    if isinstance(values, pa.DictionaryArray):
        return bare_values(values.dictionary_decode())
    if isinstance(values, pa.ExtensionArray):
        return bare_values(values.storage)
    return values


def _plain(values: Values, _column: Column, _first_row: int) -> Cells:
    return Cells(values.cast(pa.large_string()))


def _double(values: Values, _column: Column, _first_row: int) -> Cells:
    # Arrow prints the shortest text that reads back as the same double; a float is widened first, exactly.
    return Cells(values.cast(pa.float64()).cast(pa.large_string()))


def _text(values: Values, _column: Column, _first_row: int) -> Cells:
    texts = values.cast(pa.large_string())
    removed_nul = pc.sum(pc.count_substring(texts, "\0")).as_py() or 0
    if removed_nul:
        texts = pc.replace_substring(texts, "\0", "")
    return Cells(texts, needs_escape=True, removed_nul=removed_nul)


def _unix_time(values: Values, column: Column, first_row: int) -> Cells:
    _check_years(values, 1, column, first_row)
    return Cells(_utc_texts(values.cast(pa.int64()).cast(pa.timestamp("s"))))


def _timestamp(values: Values, column: Column, first_row: int) -> Cells:
    unit, zone = values.type.unit, values.type.tz
    _check_years(values.view(pa.int64()), _PER_SECOND[unit], column, first_row)
    # Postgres keeps microseconds; what a query says below them is cut off.
    instants = values.cast(pa.timestamp(unit)).cast(pa.timestamp("us"), safe=False)
    return Cells(_utc_texts(instants) if zone else instants.cast(pa.large_string()))


def _utc_texts(instants: Values) -> Values:
    """Of instants in UTC that do not say so: Arrow prints those with a zone fourteen times slower."""
    none, utc = pa.scalar("", pa.large_string()), pa.scalar("Z", pa.large_string())
    return pc.binary_join_element_wise(instants.cast(pa.large_string()), utc, none)


def _date(values: Values, column: Column, first_row: int) -> Cells:
    days = values.cast(pa.date32(), safe=False)
    day_numbers = days.view(pa.int32()).cast(pa.int64())
    _check_years(pc.multiply(day_numbers, _SECONDS_PER_DAY), 1, column, first_row)
    return Cells(days.cast(pa.large_string()))


def _time(values: Values, _column: Column, _first_row: int) -> Cells:
    return Cells(values.cast(pa.time64("us"), safe=False).cast(pa.large_string()))


def _interval(values: Values, _column: Column, _first_row: int) -> Cells:
    if pa.types.is_duration(values.type):
        microseconds = values.cast(pa.duration("us"), safe=False).cast(pa.int64())
        return _one_by_one(microseconds, "{} microseconds".format)
    return _one_by_one(values, _interval_text)


def _interval_text(value: Any) -> str:
    return f"{value.months} months {value.days} days {value.nanoseconds // 1_000} microseconds"


def _bytea(values: Values, _column: Column, _first_row: int) -> Cells:
    return _one_by_one(values, lambda value: rf"\x{value.hex()}")


def _uuid(values: Values, _column: Column, _first_row: int) -> Cells:
    return _one_by_one(values, lambda value: str(uuid.UUID(bytes=value)))


def _jsonb(values: Values, _column: Column, _first_row: int) -> Cells:
    json = _JsonCells()
    texts = pa.array(json.encode(values), pa.large_string())
    return Cells(texts, needs_escape=True, removed_nul=json.removed_nul)


class _JsonCells:
    r"""Writes lists, structs and maps as JSON for jsonb, and counts what it had to take out.

    As Postgres' own to_jsonb() has it: NaN and Infinity, for which JSON has no number, are strings;
    bytes are `\x` and hex.

    Attributes:
        removed_nul: How many U+0000 were taken out of texts and keys, which jsonb cannot hold.
    """

    def __init__(self) -> None:
        self.removed_nul = 0
        self._plain_of: dict[type, Callable[[Any], object]] = {
            str: self._text,
            float: lambda value: value if math.isfinite(value) else _NOT_FINITE.get(value, "NaN"),
            list: lambda value: [self._plain(item) for item in value],
            dict: lambda value: {self._key(key): self._plain(item) for key, item in value.items()},
            bytes: lambda value: rf"\x{value.hex()}",
            timedelta: str,
            pa.MonthDayNano: list,
        }

    def encode(self, array: Any) -> list[str | None]:
        """The JSON text of each value of a pyarrow array; None for NULL."""
        values = array.to_pylist(maps_as_pydicts="strict")
        return [None if value is None else _ENCODER.encode(self._plain(value)).decode() for value in values]

    def _plain(self, value: Any) -> object:
        """The value in terms that JSON has."""
        plain = self._plain_of.get(type(value))
        return value if plain is None else plain(value)

    def _key(self, key: Any) -> str:
        plain = self._plain(key)
        return plain if isinstance(plain, str) else _ENCODER.encode(plain).decode().strip('"')

    def _text(self, text: str) -> str:
        count = text.count("\0")
        self.removed_nul += count
        return text.replace("\0", "") if count else text


def _one_by_one(values: Values, text: Callable[[Any], str]) -> Cells:
    cells = [None if value is None else text(value) for value in values.to_pylist()]
    return Cells(pa.array(cells, pa.large_string()), needs_escape=True)


def _check_years(numbers: Values, per_second: int, column: Column, first_row: int) -> None:
    """Refuse times outside the years 1 to 9999; `numbers` are integers, so many a second, unix."""
    low, high = _YEAR_1_S * per_second, _YEAR_10000_S * per_second
    seen: Any = pc.min_max(numbers).as_py()
    if seen["min"] is None or (low <= seen["min"] and seen["max"] < high):
        return
    position, number = next(
        (position, number)
        for position, number in enumerate(numbers.to_pylist())
        if number is not None and not low <= number < high
    )
    found = f"{number}, which as unix seconds is" if column.is_unix_time else "a time"
    raise ResultRefused(
        f'column "{column.label}" has, in row {first_row + position}, {found} outside the years 1 to 9999',
        hint=_UNIX_HINT if column.is_unix_time else _CAST_HINT,
    )


_CELLS: dict[Kind, Callable[[Values, Column, int], Cells]] = {
    Kind.BIGINT: _plain,
    Kind.NUMERIC: _plain,
    Kind.BOOLEAN: _plain,
    Kind.DOUBLE: _double,
    Kind.TEXT: _text,
    Kind.TIMESTAMPTZ: _timestamp,
    Kind.TIMESTAMP: _timestamp,
    Kind.DATE: _date,
    Kind.TIME: _time,
    Kind.INTERVAL: _interval,
    Kind.JSONB: _jsonb,
    Kind.BYTEA: _bytea,
    Kind.UUID: _uuid,
}
