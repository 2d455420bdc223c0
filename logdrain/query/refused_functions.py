"""The TD functions that are left out, each with the reason."""

from typing import NamedTuple


class Refusal(NamedTuple):
    """Why a function is not run here, and what to write instead."""

    reason: str
    instead: str


_ADDRESSES = Refusal(
    "it needs a licensed database of addresses", "look addresses up in the application, and print the result"
)
_BROWSERS = Refusal(
    "its answers follow a catalog of browsers that is not part of logdrain",
    "parse user agents in the application, or match with REGEXP_LIKE",
)
_COLUMNS = Refusal("its columns are not known before it runs", "use CASE or UNION ALL, one for each column")
_ROW_ORDER = "it depends on the order in which rows arrive, which a query here does not have"

REFUSED_FUNCTIONS: dict[str, Refusal] = {
    "TD_CURRENCY_CONV": Refusal(
        "it needs a history of exchange rates", "keep rates in a table of events, and join it"
    ),
    **dict.fromkeys(
        (
            "TD_IP_TO_CITY_NAME",
            "TD_IP_TO_CONNECTION_TYPE",
            "TD_IP_TO_COUNTRY_CODE",
            "TD_IP_TO_COUNTRY_NAME",
            "TD_IP_TO_DOMAIN",
            "TD_IP_TO_LATITUDE",
            "TD_IP_TO_LEAST_SPECIFIC_SUBDIVISION_NAME",
            "TD_IP_TO_LONGITUDE",
            "TD_IP_TO_METRO_CODE",
            "TD_IP_TO_MOST_SPECIFIC_SUBDIVISION_NAME",
            "TD_IP_TO_POSTAL_CODE",
            "TD_IP_TO_SUBDIVISION_NAMES",
            "TD_IP_TO_TIME_ZONE",
        ),
        _ADDRESSES,
    ),
    "TD_LAT_LONG_TO_COUNTRY": Refusal(
        "it needs the borders of all countries", "look places up in the application, and print the result"
    ),
    "TD_PARSE_AGENT": _BROWSERS,
    "TD_PARSE_USER_AGENT": _BROWSERS,
    "TD_PIVOT": _COLUMNS,
    "TD_SESSIONIZE": Refusal(
        _ROW_ORDER, "mark gaps with LAG(time) OVER (…) in a subquery, and SUM the marks OVER (…) around it"
    ),
    "TD_SESSIONIZE_WINDOW": Refusal(
        "it is a window over a window, and the engine has none",
        "mark gaps with LAG(time) OVER (…) in a subquery, and SUM the marks OVER (…) around it",
    ),
    "TD_UNPIVOT": _COLUMNS,
    "TD_X_RANK": Refusal(_ROW_ORDER, "write RANK() OVER (PARTITION BY … ORDER BY …)"),
}
