"""Times in text, read by a pattern of Java's SimpleDateFormat, as Hive's unix_timestamp takes it.

As there, what follows the time is ignored. A month 13 or a day 32 is no time here; Hive's versions differ.
(https://docs.oracle.com/javase/8/docs/api/java/text/SimpleDateFormat.html)
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import lru_cache

from logdrain.query.values.java_format import DAYS, MONTHS, PATTERN_PART
from logdrain.query.values.td_time import find_zone

_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001  a local time: the zone's offset is subtracted apart
_NAMES = {
    "M": "|".join((*MONTHS, *(name[:3] for name in MONTHS))),
    "E": "|".join((*DAYS, *(name[:3] for name in DAYS))),
    "a": "AM|PM",
    "z": "[+-][0-9]{2}:?[0-9]{2}|[A-Z][A-Z0-9_+:/-]*",
    "Z": "[+-][0-9]{2}:?[0-9]{2}|[A-Z][A-Z0-9_+:/-]*",
    "X": "Z|[+-][0-9]{2}(?::?[0-9]{2})?",
}
_NUMBERS = frozenset("yMdHkKhmsS")
_LOWEST = {"k": 1, "h": 1, "H": 0, "K": 0}
_HIGHEST = {"k": 24, "h": 12, "H": 23, "K": 11}
_DIGITS_MAX = 18  # of a number, as many as BIGINT always holds
_NAMED_FROM = 3  # so many M ask for a name


@lru_cache(maxsize=256)
def time_reader(pattern: str) -> re.Pattern[str] | None:
    """What reads times of a pattern, with a group for each letter.

    None where it has a letter that is not read, one of them twice, an open quote, or a year of two digits:
    which century that means depends on the year it is read in.
    """
    written, position, letters = "", 0, set()
    while position < len(pattern):
        found = PATTERN_PART.match(pattern, position)
        if found is None:
            return None
        position = found.end()
        field, letter = found["field"], found[4]
        if field is None:
            text = "'" if found["quote"] else (found["text"] or found["quoted"].replace("''", "'"))
            written += re.escape(text)
            continue
        letter = "M" if letter == "L" else letter
        is_number = letter in _NUMBERS and not (letter == "M" and len(field) >= _NAMED_FROM)
        if letter in letters or field == "yy" or not (is_number or letter in _NAMES):
            return None
        letters.add(letter)
        digits = (
            f"{{{len(field)}}}" if pattern[position : position + 1] in _NUMBERS else f"{{1,{_DIGITS_MAX}}}"
        )
        form = f"[0-9]{digits}" if is_number else f"(?i:{_NAMES[letter]})"
        written += rf"[ \t]*(?P<{letter}>{form})"
    return re.compile(written)


def unix_seconds(text: str, reader: re.Pattern[str]) -> int | None:
    """Unix seconds, UTC where no zone is written; None where the text is no such time."""
    found = reader.match(text)
    if found is None:
        return None
    fields = found.groupdict()
    written = fields.get("z") or fields.get("Z") or fields.get("X")
    zone = find_zone(written) if written else UTC
    hour = _hour(fields)
    if zone is None or hour is None:
        return None
    numbers = [
        int(fields.get(letter) or start) for letter, start in (("y", 1970), ("d", 1), ("m", 0), ("s", 0))
    ]
    year, day, minute, second = numbers
    try:
        local = datetime(year, _month(fields.get("M") or "1"), day, hour, minute, second)  # noqa: DTZ001  the zone follows
    except (ValueError, OverflowError):
        return None
    return (local - _EPOCH - (zone.utcoffset(local) or timedelta())) // timedelta(seconds=1)


def _month(written: str) -> int:
    if written.isdecimal():
        return int(written)
    return [name[:3].lower() for name in MONTHS].index(written[:3].lower()) + 1


def _hour(fields: Mapping[str, str]) -> int | None:
    """0 to 23, from any of the four ways to count hours."""
    letter = next((letter for letter in "HkKh" if letter in fields), None)
    if letter is None:
        return 0
    hour = int(fields[letter])
    if not _LOWEST[letter] <= hour <= _HIGHEST[letter]:
        return None
    if letter in "Kh":
        return hour % 12 + (12 if fields.get("a", "").upper() == "PM" else 0)
    return hour % 24
