"""Properties -> JSON text. What JSON lacks is written as its plain value, or as text. Never raises.

Two passes: the standard library's encoder in C with a fallback for single values, and, where that stops
(NaN, a key that is no text, an object that holds itself, very deep nesting), a walk over all values.
"""

import json
from collections.abc import Callable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import fields, is_dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from math import isfinite
from pathlib import PurePath
from typing import Any
from uuid import UUID

DEPTH_MAX = 90  # a document of the store has at most 100 levels, and the record is in one
_DIGITS_MAX = 34  # an integer with more digits is no decimal of the store

Warn = Callable[[str], None]
"""Takes what is odd about a value, in words for the developer."""


class JsonWriter:
    """Writes properties as a JSON object, on one line; made once for a client, because making it costs.

    Args:
        warn: Called for each value that has no plain form.
    """

    def __init__(self, warn: Warn) -> None:
        self._warn = warn
        encoder = json.JSONEncoder(
            ensure_ascii=False,
            allow_nan=False,
            separators=(",", ":"),
            default=lambda value: plain(value, warn),
        )
        self._encode = encoder.encode

    def write(self, properties: Mapping[str, Any]) -> str:
        """The JSON text of what came from an application; anything may be in it."""
        try:
            text = self._encode(properties)
            if not text.isascii():
                text.encode()  # half a character has no UTF-8
        except Exception:  # noqa: BLE001  # whatever an application's object raises: the walk tells which it was
            walk = _Walk(self._warn)
            return json.dumps(walk.object(properties), ensure_ascii=False, separators=(",", ":"))
        return text


def plain(value: Any, warn: Warn) -> Any:  # noqa: PLR0911, C901  # one line a type
    """What a value of a type that JSON lacks is written as; what is in it may need the same again."""
    if (value != value) is True:  # noqa: PLR0124  # NaN, NaT; an array answers with an array
        return None
    match value:
        case Enum():
            return value.value
        case datetime() | date() | time():
            return value.isoformat()
        case timedelta():
            return value.total_seconds()
        case Decimal():
            return _number(value)
        case UUID() | PurePath():
            return str(value)
        case Mapping():
            return dict(value)
        case AbstractSet():
            return sorted(value, key=lambda member: (type(member).__name__, str(member)))
        case bytes() | bytearray():
            warn("bytes are written as text")
            return bytes(value).decode("utf-8", "backslashreplace")
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: getattr(value, field.name) for field in fields(value)}
    if type(value).__module__.partition(".")[0] == "numpy":
        return value.tolist()  # a scalar's is its Python value
    warn(f"a value of type {type(value).__name__} is written as text")
    return _text(value)


def _number(value: Decimal) -> int | float | None:
    """An integer stays exact; a number with a point is a double in the store, as any other."""
    if not value.is_finite():
        return None
    exponent = value.as_tuple().exponent
    is_whole = isinstance(exponent, int) and exponent >= 0 and value.adjusted() < _DIGITS_MAX
    number = int(value) if is_whole else float(value)
    return number if isfinite(number) else None


def _text(value: object) -> str:
    try:
        return str(value)
    except Exception:  # noqa: BLE001  # an application's own __str__
        return f"<{type(value).__name__}>"


class _Walk:
    """Goes through all values, in the way of what the encoder stops at."""

    def __init__(self, warn: Warn) -> None:
        self._warn = warn
        self._above: list[int] = []

    def object(self, values: Mapping[Any, Any]) -> dict[str, Any]:
        return {self._key(key): self.value(value) for key, value in list(values.items())}

    def value(self, value: Any) -> Any:  # noqa: PLR0911  # one line a type
        match value:
            case None | bool():
                return value
            case Enum():
                return self.value(value.value)
            case str():
                return _readable(str(value))
            case int():
                return self._integer(int(value))
            case float():
                if isfinite(value):
                    return float(value)
                self._warn("NaN and infinite numbers are written as null")
                return None
        if id(value) in self._above:
            self._warn("an object that holds itself is written as text")
            return "<circular>"
        if len(self._above) >= DEPTH_MAX:
            self._warn(f"what lies deeper than {DEPTH_MAX} levels is written as text")
            return "<too deep>"
        self._above.append(id(value))
        try:
            return self._inside(value)
        except Exception:  # noqa: BLE001  # an application's own object
            self._warn(f"a value of type {type(value).__name__} cannot be read")
            return f"<{type(value).__name__}>"
        finally:
            self._above.pop()

    def _inside(self, value: Any) -> Any:
        if isinstance(value, Mapping):
            return self.object(value)
        if isinstance(value, list | tuple):
            return [self.value(member) for member in value]
        return self.value(plain(value, self._warn))

    def _integer(self, value: int) -> int | str:
        try:
            str(value)
        except ValueError:  # beyond what Python writes: 4,300 digits
            self._warn("an integer of thousands of digits is written as hexadecimal text")
            return hex(value)
        return value

    def _key(self, key: Any) -> str:
        match key:
            case Enum():
                return self._key(key.value)
            case str():
                return _readable(str(key))
            case None:
                return "null"
            case bool():
                return "true" if key else "false"
            case datetime() | date():
                return key.isoformat()
        return _readable(_text(key))


def _readable(text: str) -> str:
    """Half a character (a lone surrogate) has no UTF-8: a question mark stands for it."""
    return text.encode("utf-8", "replace").decode()
