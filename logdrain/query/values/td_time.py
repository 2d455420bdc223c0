"""Treasure Data's times, durations and zones, exactly as its Java implementation reads them.

Time zones follow java.time: a three-letter zone of ZoneId.SHORT_IDS is a region with its daylight time, and a
local time is resolved as ZonedDateTime.ofLocal does it: moved forward by the length of a gap, the earlier
offset in an overlap.
"""

import re
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from functools import cache, lru_cache
from zoneinfo import ZoneInfo, available_timezones

BIGINT_MIN, BIGINT_MAX = -(2**63), 2**63 - 1
ZONE_HINT = "write an IANA name: 'Asia/Tokyo'"

_UNIX_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001  a local time: the zone's offset is subtracted apart

_SECONDS = {"w": 604_800, "d": 86_400, "h": 3_600, "m": 60, "s": 1}
_DURATION = re.compile(r"(?P<sign>-?)(?P<steps>(?:[0-9]+[wdhms])+)")
_STEP = re.compile(r"([0-9]+)([wdhms])")

_TIME = re.compile(
    r"\s*(?P<year>[0-9]{4})-(?P<month>[0-9]{1,2})-(?P<day>[0-9]{1,2})"
    r"(?:(?:T|\s+)(?P<hour>[0-9]{1,2}):(?P<minute>[0-9]{1,2})(?::(?P<second>[0-9]{1,2})(?:[.][0-9]{1,9})?)?)?"
    r"(?:\s*(?P<offset>[+-][0-9]{1,2}:?[0-9]{2}|(?(hour)[+-][0-9]{2}|(?!))|Z)"
    r"|\s+(?P<zone>[A-Za-z][A-Za-z0-9_+:/-]*))?\s*"
)
_OFFSET = re.compile(r"(?:UTC|GMT|UT)?(?P<sign>[+-])(?P<hours>[0-9]{1,2})(?::?(?P<minutes>[0-9]{2}))?")
_REGION = re.compile(r"[A-Za-z][A-Za-z0-9_+-]*(?:/[A-Za-z0-9_+-]+)*")
_MAX_OFFSET_HOURS = 18

# java.time.ZoneId.SHORT_IDS
_SHORT_IDS = {
    "ACT": "Australia/Darwin",
    "AET": "Australia/Sydney",
    "AGT": "America/Argentina/Buenos_Aires",
    "ART": "Africa/Cairo",
    "AST": "America/Anchorage",
    "BET": "America/Sao_Paulo",
    "BST": "Asia/Dhaka",
    "CAT": "Africa/Harare",
    "CNT": "America/St_Johns",
    "CST": "America/Chicago",
    "CTT": "Asia/Shanghai",
    "EAT": "Africa/Addis_Ababa",
    "ECT": "Europe/Paris",
    "IET": "America/Indiana/Indianapolis",
    "IST": "Asia/Kolkata",
    "JST": "Asia/Tokyo",
    "MIT": "Pacific/Apia",
    "NET": "Asia/Yerevan",
    "NST": "Pacific/Auckland",
    "PLT": "Asia/Karachi",
    "PNT": "America/Phoenix",
    "PRT": "America/Puerto_Rico",
    "PST": "America/Los_Angeles",
    "SST": "Pacific/Guadalcanal",
    "VST": "Asia/Ho_Chi_Minh",
}

# Names that say "standard time" or "daylight time" of a place, and so have one offset all year.
_FIXED_NAMES = {
    -10: "HST",
    -9: "AKST",
    -8: "AKDT",
    -7: "MST PDT",
    -6: "MDT",
    -5: "EST CDT",
    -4: "EDT",
    -3: "ADT",
    1: "WEST",
    2: "CEST",
    3: "EEST MSK",
    9: "KST",
    10: "AEST",
    11: "AEDT",
}
_FIXED_HOURS = {name: hours for hours, names in _FIXED_NAMES.items() for name in names.split()}


def duration_s(text: str) -> int | None:
    """Seconds of `1d`, `-2w`, `1h30m`: a sign for the whole, then numbers with w, d, h, m or s; else None."""
    found = _DURATION.fullmatch(text)
    if found is None:
        return None
    seconds = sum(int(number) * _SECONDS[unit] for number, unit in _STEP.findall(found["steps"]))
    return -seconds if found["sign"] else seconds


@lru_cache(maxsize=256)
def find_zone(name: str) -> tzinfo | None:
    """The zone of an IANA name, a Java abbreviation or an offset (`+09:00`, `+0900`, `GMT+9`); else None.

    Upper and lower case are the same, as in Trino: jobs say `jst`.
    """
    short = name.upper()
    if short in ("Z", "UTC", "GMT", "UT"):
        return UTC
    if short in _FIXED_HOURS:
        return timezone(timedelta(hours=_FIXED_HOURS[short]))
    found = _OFFSET.fullmatch(short)
    if found is not None:
        return _offset(found)
    return _region(_SHORT_IDS.get(short, name))


def unix_time(text: str, default_zone: tzinfo) -> int | None:
    """Unix seconds of `yyyy-MM-dd[ HH:mm:ss][ zone]`; the zone in the text wins; None where it is no time."""
    found = _TIME.fullmatch(text)
    if found is None:
        return None
    written = found["offset"] or found["zone"]
    zone = find_zone(written) if written else default_zone
    fields = [int(found[name] or 0) for name in ("year", "month", "day", "hour", "minute", "second")]
    if zone is None:
        return None
    try:
        local = datetime(*fields)  # type: ignore[arg-type]  # noqa: DTZ001  six ints; the zone follows
        # Python's fold=0 is Java's choice: in a gap and in an overlap, the offset before the change.
        offset = zone.utcoffset(local) or timedelta()
    except (ValueError, OverflowError):
        return None
    return (local - _UNIX_EPOCH - offset) // timedelta(seconds=1)


def _offset(found: re.Match[str]) -> tzinfo | None:
    hours, minutes = int(found["hours"]), int(found["minutes"] or 0)
    if hours > _MAX_OFFSET_HOURS or minutes >= _SECONDS["m"]:
        return None
    offset = timedelta(hours=hours, minutes=minutes)
    return timezone(-offset if found["sign"] == "-" else offset)


def _region(name: str) -> tzinfo | None:
    if not _REGION.fullmatch(name):
        return None
    try:
        return ZoneInfo(name)
    except (ValueError, OSError, LookupError):  # unknown, or the name of a folder of zones
        known = _known_regions().get(name.lower())
        return ZoneInfo(known) if known else None


@cache
def _known_regions() -> dict[str, str]:
    """IANA names by themselves in lower case."""
    return {name.lower(): name for name in available_timezones()}
