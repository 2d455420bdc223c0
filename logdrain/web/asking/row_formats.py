"""Rows of a query as octets on their way: NDJSON, CSV, or an Arrow stream."""

import csv
import io
import math
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import msgspec
import pyarrow as pa

from logdrain.ports.streams import ArrowStream
from logdrain.web.asking.envelope import NDJSON
from logdrain.web.asking.sql_question import RowFormat

_ENCODER = msgspec.json.Encoder(decimal_format="number", enc_hook=str)


CONTENT_TYPES = {
    RowFormat.NDJSON: NDJSON,
    RowFormat.CSV: "text/csv; charset=utf-8",
    RowFormat.ARROW: "application/vnd.apache.arrow.stream",
}


def encoded(rows: ArrowStream, form: RowFormat) -> Iterator[bytes]:
    """The rows, batch by batch; there is a first part even where there is no row."""
    yield from _WRITERS[form](rows)


def _ndjson(rows: ArrowStream) -> Iterator[bytes]:
    yield b""
    names = rows.schema.names
    for row_batch in _rows(rows):
        lines = [_ENCODER.encode(dict(zip(names, map(_plain, row), strict=True))) for row in row_batch]
        yield b"\n".join([*lines, b""])


def _csv(rows: ArrowStream) -> Iterator[bytes]:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(rows.schema.names)
    yield text.getvalue().encode("utf-8", "replace")
    for row_batch in _rows(rows):
        text.seek(0)
        text.truncate()
        writer.writerows([_cell(value) for value in row] for row in row_batch)
        yield text.getvalue().encode("utf-8", "replace")


def _arrow(rows: ArrowStream) -> Iterator[bytes]:
    sink = io.BytesIO()
    with pa.ipc.new_stream(sink, rows.schema) as writer:
        for batch in rows:
            writer.write_batch(batch)
            yield sink.getvalue()
            sink.seek(0)
            sink.truncate()
    yield sink.getvalue()


_WRITERS: dict[RowFormat, Callable[[ArrowStream], Iterator[bytes]]] = {
    RowFormat.NDJSON: _ndjson,
    RowFormat.CSV: _csv,
    RowFormat.ARROW: _arrow,
}


def _rows(rows: ArrowStream) -> Iterator[list[tuple[Any, ...]]]:
    for batch in rows:
        columns = [column.to_pylist(maps_as_pydicts="strict") for column in batch.columns]
        yield list(zip(*columns, strict=True))


def _plain(value: Any) -> Any:
    """A value that JSON has: times in ISO 8601, what is no number null."""
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    convert = _CONVERTED.get(type(value))
    return value if convert is None else convert(value)


def _instant(value: datetime) -> str:
    instant = value.astimezone(UTC) if value.tzinfo else value
    return instant.isoformat().replace("+00:00", "Z")


_CONVERTED: dict[type, Callable[[Any], Any]] = {
    datetime: _instant,
    date: date.isoformat,
    time: time.isoformat,
    timedelta: lambda value: f"PT{value.total_seconds():g}S",
    Decimal: lambda value: value if value.is_finite() else None,
    str: lambda value: value.encode("utf-8", "replace").decode(),
}


def _cell(value: Any) -> Any:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, float):
        return repr(value)
    return _ENCODER.encode(_plain(value)).decode().strip('"')
