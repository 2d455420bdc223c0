"""Where in its SQL the engine has found an error: said only in JSON, and only of a statement by itself."""

import re

import duckdb
from duckdb import DuckDBPyConnection

_EXPLAIN = "EXPLAIN "
_LOCATION = re.compile(r'"location"\s*:\s*"?\[(?P<start>[0-9]+),\s*(?P<length>[0-9]+)\]')


def error_position(connection: DuckDBPyConnection, sql: str) -> range | None:
    """The characters of a statement that cannot be prepared; None where that is not known. Nothing is run."""
    try:
        connection.execute(_EXPLAIN + sql)
    except duckdb.Error as error:
        said = str(error)
    else:
        return None
    located = _LOCATION.search(said)
    if located is None:
        return None
    start, length = int(located["start"]), int(located["length"])
    octets = sql.encode()  # the engine counts in UTF-8
    start -= len(_EXPLAIN)
    return range(len(octets[:start].decode()), len(octets[: start + length].decode()))
