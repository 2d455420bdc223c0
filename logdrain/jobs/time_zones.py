"""IANA time zones by name. Abbreviations are refused: they name offsets, and several of them two."""

from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from logdrain.errors import ZoneInvalid
from logdrain.model.names import did_you_mean, nearest_hint

_ABBREVIATIONS = {
    "BST": "Europe/London",
    "CEST": "Europe/Berlin",
    "CET": "Europe/Berlin",
    "CDT": "America/Chicago",
    "CST": "America/Chicago",
    "EDT": "America/New_York",
    "EST": "America/New_York",
    "GMT": "UTC",
    "IST": "Asia/Kolkata",
    "JST": "Asia/Tokyo",
    "KST": "Asia/Seoul",
    "MDT": "America/Denver",
    "MST": "America/Denver",
    "PDT": "America/Los_Angeles",
    "PST": "America/Los_Angeles",
    "Z": "UTC",
}


def zone(name: str) -> ZoneInfo:
    """The zone of this name: `UTC`, or an IANA name with a slash, such as `Asia/Tokyo`.

    Names without a slash are refused even where the zone database has such a file (`EST`, `Japan`):
    what they mean depends on the database's version.

    Raises:
        ZoneInvalid: Anything else; the hint has the likely name.
    """
    if "/" in name or name == "UTC":
        try:
            return ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            pass  # said below, with a hint
    raise ZoneInvalid(f"{name!r} is not an IANA time zone", hint=_hint(name))


def _hint(name: str) -> str:
    if name.upper() in _ABBREVIATIONS:
        return f"write {_ABBREVIATIONS[name.upper()]}: abbreviations are ambiguous"
    known = sorted(zone for zone in available_timezones() if "/" in zone or zone == "UTC")
    city = name.rpartition("/")[2].replace(" ", "_").casefold()
    same_city = [zone for zone in known if zone.rpartition("/")[2].casefold() == city]
    if same_city:
        return did_you_mean(same_city[0])
    return nearest_hint(name, known, "names look like Asia/Tokyo, Europe/Berlin or UTC")
