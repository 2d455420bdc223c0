"""Late events, in words."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import NamedTuple

_NAMED_MAX = 3


class LateHour(NamedTuple):
    """Events of an hour of a table; `hour_s` is its start, unix seconds."""

    table_name: str
    hour_s: int


def reason(hours: Sequence[LateHour]) -> str:
    """Why a slice runs again: `late events in 2 hours: production.pay 2012-03-01T00:00Z, …`."""
    named = [
        f"{hour.table_name} {datetime.fromtimestamp(hour.hour_s, UTC):%Y-%m-%dT%H:%MZ}"
        for hour in hours[:_NAMED_MAX]
    ]
    count = "1 hour" if len(hours) == 1 else f"{len(hours)} hours"
    return f"late events in {count}: {', '.join(named)}{', …' if len(hours) > _NAMED_MAX else ''}"
