"""How commands print: aligned tables for people, JSON for programs."""

import json
import math
import re
import shutil
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import IO

import msgspec

from logdrain.log import printable

_CELL_WIDTH_MIN = 8
_NOT_PRINTED = re.compile(r"[^\x20-\x7e]")
_json = msgspec.json.Encoder(decimal_format="number")


def print_table(
    headings: Sequence[str], rows: Sequence[Sequence[object]], out: IO[str], *, width_max: int | None = None
) -> None:
    """Columns under headings, numbers to the right; control characters are shown, not sent.

    Args:
        headings: Of the columns.
        rows: A cell for each of them.
        out: Where to.
        width_max: Of a line, in characters; the widest cells are cut. None cuts nothing.
    """
    texts = [[_cell(value) for value in row] for row in rows]
    numeric = [
        all(isinstance(row[at], int | float | Decimal) or row[at] is None for row in rows)
        for at in range(len(headings))
    ]
    names = [_cell(heading) for heading in headings]
    widths = [max([len(name), *(len(row[at]) for row in texts)]) for at, name in enumerate(names)]
    while width_max is not None and _width(widths) > width_max and max(widths) > _CELL_WIDTH_MIN:
        widths[widths.index(max(widths))] -= 1
    _line(out, names, widths, numeric)
    out.write("  ".join("-" * width for width in widths) + "\n")
    for row in texts:
        _line(out, row, widths, numeric)


def print_rows(
    headings: Sequence[str], rows: Sequence[Sequence[object]], out: IO[str], *, as_json: bool
) -> None:
    """A table, or a JSON list of objects."""
    if as_json:
        out.write(to_json([dict(zip(headings, row, strict=True)) for row in rows]) + "\n")
    else:
        print_table(headings, rows, out)


def terminal_width() -> int:
    """How many characters a line of the terminal has; 80 where there is none."""
    return shutil.get_terminal_size().columns


def print_facts(facts: Mapping[str, object], out: IO[str]) -> None:
    """A line for each fact that there is, their names aligned; control characters are shown, not sent."""
    width = max(map(len, facts))
    for name, value in facts.items():
        if text := _cell(value):
            out.write(f"{name:<{width}}  {text}\n")


def to_json(value: object) -> str:
    """Compact JSON; decimals as numbers, NaN and infinities as null, unprintable characters escaped."""
    text = _json.encode(_plain(value)).decode()
    return text if text.isprintable() else _NOT_PRINTED.sub(_json_escape, text)


def _plain(value: object) -> object:
    """A value that JSON has."""
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return _time_text(value) if isinstance(value, date | time | timedelta) else value


def _time_text(value: date | time | timedelta) -> str:
    """ISO 8601; instants in UTC."""
    if isinstance(value, timedelta):
        return f"PT{value.total_seconds():g}S"
    if isinstance(value, datetime) and value.tzinfo is not None:
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    return value.isoformat()


def _json_escape(found: re.Match[str]) -> str:
    return found[0] if found[0].isprintable() else json.dumps(found[0])[1:-1]


def csv_cell(value: object) -> str:
    """A value as CSV has it, without quotes."""
    if isinstance(value, str):
        return value
    if isinstance(value, float):
        return repr(value)
    return to_json(value).strip('"')


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, datetime):
        return _time_text(value)
    text = value if isinstance(value, str) else csv_cell(value)
    return printable(text).replace("\n", "\\n")


def _width(widths: Sequence[int]) -> int:
    return sum(widths) + len("  ") * (len(widths) - 1)


def _cut(cell: str, width: int) -> str:
    return cell if len(cell) <= width else f"{cell[: width - 1]}…"


def _line(out: IO[str], cells: Sequence[str], widths: Sequence[int], numeric: Sequence[bool]) -> None:
    padded = [
        _cut(cell, width).rjust(width) if is_number else _cut(cell, width).ljust(width)
        for cell, width, is_number in zip(cells, widths, numeric, strict=True)
    ]
    out.write("  ".join(padded).rstrip() + "\n")
