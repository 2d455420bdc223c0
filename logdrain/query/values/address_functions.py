"""The TD_IP_TO_… functions: what each takes from a record about an address.

Records are those of MaxMind's databases (GeoIP2 and GeoLite2 City, Domain, Connection Type).
(https://dev.maxmind.com/geoip/docs/databases/city-and-country)
"""

from collections.abc import Callable, Mapping
from typing import Any

Record = Mapping[str, Any]


def _at(*path: str) -> Callable[[Record], Any]:
    def value(record: Record) -> Any:
        found: Any = record
        for step in path:
            found = found.get(step) if isinstance(found, Mapping) else None
        return found

    return value


def _subdivision_names(record: Record) -> list[str]:
    return [part["names"]["en"] for part in record.get("subdivisions", ()) if "en" in part.get("names", {})]


def _one_subdivision(index: int) -> Callable[[Record], str | None]:
    def name(record: Record) -> str | None:
        names = _subdivision_names(record)
        return names[index] if names else None

    return name


ADDRESS_FUNCTIONS: dict[str, tuple[str, Callable[[Record], Any]]] = {
    "TD_IP_TO_CITY_NAME": ("VARCHAR", _at("city", "names", "en")),
    "TD_IP_TO_CONNECTION_TYPE": ("VARCHAR", _at("connection_type")),
    "TD_IP_TO_COUNTRY_CODE": ("VARCHAR", _at("country", "iso_code")),
    "TD_IP_TO_COUNTRY_NAME": ("VARCHAR", _at("country", "names", "en")),
    "TD_IP_TO_DOMAIN": ("VARCHAR", _at("domain")),
    "TD_IP_TO_LATITUDE": ("DOUBLE", _at("location", "latitude")),
    "TD_IP_TO_LEAST_SPECIFIC_SUBDIVISION_NAME": ("VARCHAR", _one_subdivision(0)),
    "TD_IP_TO_LONGITUDE": ("DOUBLE", _at("location", "longitude")),
    "TD_IP_TO_METRO_CODE": ("BIGINT", _at("location", "metro_code")),
    "TD_IP_TO_MOST_SPECIFIC_SUBDIVISION_NAME": ("VARCHAR", _one_subdivision(-1)),
    "TD_IP_TO_POSTAL_CODE": ("VARCHAR", _at("postal", "code")),
    "TD_IP_TO_SUBDIVISION_NAMES": ("VARCHAR[]", _subdivision_names),
    "TD_IP_TO_TIME_ZONE": ("VARCHAR", _at("location", "time_zone")),
}
"""The function -> its type, and what it takes from the record."""
