r"""Lists, structs and maps -> JSON texts for jsonb.

As Postgres' own to_jsonb() has it: NaN and Infinity, for which JSON has no number, are strings;
bytes are `\x` and hex.
"""

import math
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import msgspec
import pyarrow as pa

_ENCODER = msgspec.json.Encoder(decimal_format="number")
_NOT_FINITE = {math.inf: "Infinity", -math.inf: "-Infinity"}


class JsonCells:
    """Writes values as JSON, and counts what it had to take out.

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
