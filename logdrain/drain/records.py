"""The text after a tag -> a record that BSON can hold, or the reason why not."""

import re
from collections.abc import Iterable

import msgspec

from logdrain.drain.tags import Rejection
from logdrain.model.events import DropReason, Record

DEPTH_MAX = 100
_DECIMAL_DIGITS_MAX = 34  # BSON Decimal128
_DECIMAL_BOUND = 10**_DECIMAL_DIGITS_MAX

# Keys that are ours in a stored document or in SQL; a record's own ones are kept under another name.
RESERVED_KEYS = frozenset({"_id", "_origin", "_time"})

# Up to the first escape that is half of a character, and it; or half of one in UTF-8.
_LONE_SURROGATE = re.compile(
    rb"(?:[^\\]++|\\[^u]|\\u(?![dD][89a-fA-F])|\\u[dD][89abAB]..\\u[dD][c-fC-F]..)*+(\\u[dD][89a-fA-F]..)",
    re.DOTALL,
)
_SURROGATE_OCTETS = re.compile(rb"\xed[\xa0-\xbf][\x80-\xbf]")

_decode = msgspec.json.Decoder().decode


def read_record(text: bytes) -> Record | Rejection | None:
    """Parse the text after a tag.

    Returns:
        The record; a Rejection for what was meant as a record and is none; None for plain text.
    """
    try:
        value = _decode(text)
    except RecursionError:
        return Rejection(DropReason.TOO_DEEP, f"nested deeper than {DEPTH_MAX} levels")
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        if text[:1] != b"{":
            return None  # text that happens to start with @[word]
        return Rejection(DropReason.BAD_JSON, _lone_surrogate(text) or str(error))
    if not isinstance(value, dict):
        return Rejection(DropReason.NOT_AN_OBJECT, f"a record is an object, this is {_json_name(value)}")
    return _check(value) or value


def _lone_surrogate(text: bytes) -> str:
    """What is wrong with text that holds half a character, or ""."""
    if found := _LONE_SURROGATE.match(text):
        what, at = found[1].decode("ascii", "replace"), found.start(1)
    elif octets := _SURROGATE_OCTETS.search(text):
        what, at = octets[0].hex(" "), octets.start()
    else:
        return ""
    return f"a lone surrogate, {what} (byte {at}): half of a character, as cutting a string leaves it"


def rename_reserved(record: Record) -> Record:
    """The record with reserved keys renamed: `_id` becomes `_id_`, and so on until the name is free."""
    if record.keys().isdisjoint(RESERVED_KEYS):
        return record
    return {free_name(key, record) if key in RESERVED_KEYS else key: value for key, value in record.items()}


def free_name(key: str, record: Record) -> str:
    """The key with as many underscores behind it as make it free."""
    while True:
        key += "_"
        if key not in record:
            return key


def _check(record: Record) -> Rejection | None:
    """Walk level by level (a recursion would need the depth it is here to limit)."""
    level: list[Record | list[object]] = [record]
    for _ in range(DEPTH_MAX):
        below: list[Record | list[object]] = []
        for container in level:
            if isinstance(container, dict):
                if any("\x00" in key for key in container):
                    return Rejection(DropReason.NUL_IN_KEY, "a key contains U+0000")
                rejection = _check_values(container.values(), below)
            else:
                rejection = _check_values(container, below)
            if rejection is not None:
                return rejection
        if not below:
            return None
        level = below
    return Rejection(DropReason.TOO_DEEP, f"nested deeper than {DEPTH_MAX} levels")


def _check_values(values: Iterable[object], below: list[Record | list[object]]) -> Rejection | None:
    for value in values:
        if isinstance(value, dict | list):
            below.append(value)
        elif isinstance(value, int) and not -_DECIMAL_BOUND < value < _DECIMAL_BOUND:
            detail = f"an integer has more than {_DECIMAL_DIGITS_MAX} digits"
            return Rejection(DropReason.NUMBER_OUT_OF_RANGE, detail)
    return None


def _json_name(value: object) -> str:
    if value is None:
        return "null"
    return {list: "an array", str: "a string", bool: "a boolean"}.get(type(value), "a number")
