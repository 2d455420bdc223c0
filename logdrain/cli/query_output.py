"""How a query's rows are printed, batch by batch."""

import csv
from collections.abc import Iterable, Sequence
from typing import IO

from logdrain.cli.output import csv_cell, print_table, to_json
from logdrain.ports.streams import ArrowStream

FORMATS = ("table", "csv", "json", "ndjson")
# A table is aligned over all of its rows: beyond this, people want another format.
_TABLE_ROWS_MAX = 10_000


def write_stream(stream: ArrowStream, form: str, out: IO[str]) -> int:
    """Write a query's rows in one of FORMATS; returns how many there were."""
    names = stream.schema.names
    if form == "table":
        return _write_table(stream, names, out)
    if form == "csv":
        return _write_csv(stream, names, out)
    separator, first, last = ("\n", "", "\n") if form == "ndjson" else (",\n ", "[", "]\n")
    count = 0
    out.write(first)
    for row in _rows(stream):
        out.write((separator if count else "") + to_json(dict(zip(names, row, strict=True))))
        count += 1
    out.write(last if count or form == "json" else "")
    return count


def _write_table(stream: ArrowStream, names: Sequence[str], out: IO[str]) -> int:
    kept: list[tuple[object, ...]] = []
    count = 0
    for row in _rows(stream):
        count += 1
        if count <= _TABLE_ROWS_MAX:
            kept.append(row)
    print_table(names, kept, out)
    if count > _TABLE_ROWS_MAX:
        out.write(f"… and {count - _TABLE_ROWS_MAX} more rows: --format csv prints all\n")
    out.write(f"({count} row{'' if count == 1 else 's'})\n")
    return count


def _write_csv(stream: ArrowStream, names: Sequence[str], out: IO[str]) -> int:
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(names)
    count = 0
    for row in _rows(stream):
        writer.writerow(["" if value is None else csv_cell(value) for value in row])
        count += 1
    return count


def _rows(stream: ArrowStream) -> Iterable[tuple[object, ...]]:
    for batch in stream:
        columns = (column.to_pylist(maps_as_pydicts="strict") for column in batch.columns)
        yield from zip(*columns, strict=True)
