"""The TD functions that are left out, each with the reason."""

from typing import NamedTuple


class Refusal(NamedTuple):
    """Why a function is not run here, and what to write instead."""

    reason: str
    instead: str


_LATERAL_VIEW = Refusal(
    "it makes columns, which only Hive's LATERAL VIEW takes",
    "LATERAL VIEW TD_UNPIVOT('a, b', a, b) t; in Trino use CASE, or UNNEST of two lists",
)

NEEDS_ADDRESSES = Refusal(
    "it needs a database of addresses",
    "set LOGDRAIN_GEOIP_FILE to a MaxMind .mmdb file, and pip install 'logdrain[geo]'",
)
NEEDS_AGENTS = Refusal("its catalog of browsers is not installed", "pip install 'logdrain[agents]'")

REFUSED_FUNCTIONS: dict[str, Refusal] = {
    "TD_CURRENCY_CONV": Refusal(
        "it needs a history of exchange rates", "keep rates in a table of events, and join it"
    ),
    "TD_LAT_LONG_TO_COUNTRY": Refusal(
        "it needs the borders of all countries", "look places up in the application, and print the result"
    ),
    "TD_PIVOT": _LATERAL_VIEW,
    "TD_UNPIVOT": _LATERAL_VIEW,
}
