"""Where in its SQL the engine has found an error: said only in JSON, and only of a statement by itself."""

import json

import duckdb
from duckdb import DuckDBPyConnection

_EXPLAIN = "EXPLAIN "


def error_position(connection: DuckDBPyConnection, sql: str) -> range | None:
    """The characters of a statement that cannot be prepared; None where that is not known. Nothing is run."""
    try:
        connection.execute(_EXPLAIN + sql)
    except duckdb.Error as error:
        said = str(error)
    else:
        return None
    try:
        found = json.loads(said[said.index("{") :])
        start, length = json.loads(found["location"])
    except (ValueError, KeyError, TypeError):
        return None
    octets = sql.encode()  # the engine counts in UTF-8
    start -= len(_EXPLAIN)
    return range(len(octets[:start].decode()), len(octets[: start + length].decode()))
