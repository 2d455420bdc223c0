"""A MaxMind database of addresses, in a file that the operator gives; read by the extra `logdrain[geo]`."""

from collections.abc import Callable
from types import ModuleType

from logdrain.errors import ConfigError
from logdrain.query.duckdb.vector_functions import VectorFunction, by_row
from logdrain.query.values.address_functions import ADDRESS_FUNCTIONS, Record
from logdrain.query.values.scalars import Parameter, ScalarFunction

try:
    import maxminddb
except ImportError:
    _maxminddb: ModuleType | None = None
else:
    _maxminddb = maxminddb

_ADDRESS = Parameter("VARCHAR", "address", "write an IPv4 or IPv6 address")


def open_addresses(path: str) -> dict[str, VectorFunction]:
    """The TD_IP_TO_… functions over an `.mmdb` file, which is read into memory; by the engine's name.

    Raises:
        ConfigError: the file cannot be read, or the reader is not installed.
    """
    if _maxminddb is None:
        raise ConfigError(
            "LOGDRAIN_GEOIP_FILE is set, but its reader is not installed",
            hint="pip install 'logdrain[geo]'",
        )
    try:
        reader = _maxminddb.open_database(path, _maxminddb.MODE_MEMORY)
    except (OSError, ValueError, _maxminddb.InvalidDatabaseError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no MaxMind database"
        raise ConfigError(
            f"LOGDRAIN_GEOIP_FILE ({path}) cannot be read: {reason}",
            hint="name a MaxMind .mmdb file, or none",
        ) from error

    def look_up(address: str) -> Record | None:
        try:
            found = reader.get(address)
        except ValueError:  # no address
            return None
        return found if isinstance(found, dict) else None

    return {
        name.lower(): by_row(ScalarFunction(name.lower(), (_ADDRESS,), of, _over(look_up, take)))
        for name, (of, take) in ADDRESS_FUNCTIONS.items()
    }


def _over(
    look_up: Callable[[str], Record | None], take: Callable[[Record], object]
) -> Callable[[str], object]:
    def compute(address: str) -> object:
        record = look_up(address)
        return None if record is None else take(record)

    return compute
