"""Durations as people type them."""

import re

_DURATION = re.compile(r"(?:(\d{1,6})d)?(?:(\d{1,7})h)?(?:(\d{1,8})m)?(?:(\d{1,10})s)?")
_UNITS_S = (86_400, 3_600, 60, 1)


def duration_s(text: str) -> int | None:
    """Seconds of `1d12h`, `10m`, `1h30m`, `45s`, or of a bare number; None for anything else."""
    if text.isascii() and text.isdecimal():
        return int(text)
    match = _DURATION.fullmatch(text)
    if match is None or not any(match.groups()):
        return None
    counts = (int(count or 0) for count in match.groups())
    return sum(count * unit_s for count, unit_s in zip(counts, _UNITS_S, strict=True))
