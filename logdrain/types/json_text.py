"""Values of mixed columns -> text: strings as they are, everything else as JSON."""

import json
from collections.abc import Callable
from datetime import datetime
from typing import Any

from bson.datetime_ms import DatetimeMS
from bson.decimal128 import Decimal128
from bson.int64 import Int64

_WRITERS: dict[type, Callable[[Any], str]] = {
    bool: lambda value: "true" if value else "false",
    int: int.__repr__,
    Int64: int.__repr__,
    float: float.__repr__,
}
"""What JSON's encoder does with these, without its detours."""


def json_text(value: Any) -> str:
    """The text of one value.

    Integers are exact, doubles the shortest text that reads back the same, dates ISO 8601 in UTC,
    objects and arrays compact JSON with keys in the order printed.

    Args:
        value: As `bson` decodes it, dates naive UTC; not None.
    """
    plain = _plain(value)
    if isinstance(plain, str):
        return plain
    write = _WRITERS.get(type(plain))
    return _ENCODER.encode(plain) if write is None else write(plain)


def _plain(value: Any) -> Any:
    """BSON's own scalars as JSON's; a type that no event has as its text."""
    if isinstance(value, str | int | float | dict | list):
        return value
    if isinstance(value, Decimal128):
        exact = value.to_decimal()
        return int(exact) if exact.is_finite() and exact == exact.to_integral_value() else str(exact)
    if isinstance(value, datetime):
        return f"{value.isoformat(timespec='milliseconds')}Z"
    if isinstance(value, DatetimeMS):  # beyond the years that Python's datetime has
        return int(value)
    return None if value is None else str(value)


_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), default=_plain)
