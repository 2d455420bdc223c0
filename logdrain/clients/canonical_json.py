"""Canonical JSON (RFC 8785): one text for one value, the same in Python and in JavaScript."""

import json
from collections.abc import Mapping, Sequence
from math import isfinite
from typing import Any

_INTEGER_MAX = 2**53


def canonical_json(value: Any) -> str:
    """The text.

    Raises:
        ValueError: a number that JSON or a double does not hold, or a value that JSON lacks.
    """
    if isinstance(value, Mapping):
        members = sorted(((str(key), member) for key, member in value.items()), key=_utf16)
        return "{" + ",".join(f"{_text(key)}:{canonical_json(member)}" for key, member in members) + "}"
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, Sequence) and not isinstance(value, bytes):
        return "[" + ",".join(map(canonical_json, value)) + "]"
    if value is None or isinstance(value, bool):
        return json.dumps(value)
    if isinstance(value, int) and abs(value) <= _INTEGER_MAX:
        return str(value)
    if isinstance(value, int | float) and isfinite(float(value)):
        return _double(float(value))
    raise ValueError(f"{value!r} has no canonical JSON")


def _utf16(member: tuple[str, Any]) -> bytes:
    return member[0].encode("utf-16-be", "surrogatepass")


def _text(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def _double(number: float) -> str:
    """A double as ECMAScript writes it: the shortest digits, an exponent only from 1e21 on and below 1e-6."""
    mantissa, _, exponent_text = f"{number!r}".partition("e")
    sign = "-" if mantissa.startswith("-") and number else ""
    whole, _, fraction = mantissa.lstrip("-").partition(".")
    digits = (whole + fraction).lstrip("0")
    point = len(whole) + int(exponent_text or 0) - (len(whole + fraction) - len(digits))
    digits = digits.rstrip("0")
    if not digits:
        return "0"
    count = len(digits)
    if count <= point <= 21:  # noqa: PLR2004  # ECMA-262, Number::toString
        return sign + digits + "0" * (point - count)
    if 0 < point <= 21:  # noqa: PLR2004
        return f"{sign}{digits[:point]}.{digits[point:]}"
    if -6 < point <= 0:  # noqa: PLR2004
        return f"{sign}0.{'0' * -point}{digits}"
    rest = f".{digits[1:]}" if count > 1 else ""
    return f"{sign}{digits[0]}{rest}e{point - 1:+d}"
