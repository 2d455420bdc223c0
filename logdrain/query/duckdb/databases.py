"""DuckDB databases in memory, kept for the next query: to open one takes longer than most queries.

A query has a database to itself, and a connection of its own in it: what it registers or creates is
temporary, so it goes with the connection. What may have left something behind is not kept.
"""

import threading
from collections.abc import Mapping, Sequence

import duckdb
from duckdb import DuckDBPyConnection
from duckdb.func import ARROW, SPECIAL
from duckdb.sqltypes import DuckDBPyType

from logdrain.query.duckdb.vector_functions import VectorFunction

Config = dict[str, str | bool | int | float | list[str]]


class DuckdbDatabases:
    """Databases of one configuration; safe to use from several threads.

    Args:
        config: Of each database, for `duckdb.connect`.
        settings: SQL to run once in each; afterwards nothing can be configured.
        functions: Functions of ours, by name; a database has them as long as it is open.
        kept_max: How many are kept while no query runs.
    """

    def __init__(
        self,
        config: Config,
        settings: Sequence[str],
        functions: Mapping[str, VectorFunction],
        *,
        kept_max: int,
    ) -> None:
        self._config = config
        self._functions = functions
        self._settings = (*settings, "SET lock_configuration = true")
        self._kept_max = kept_max
        self._lock = threading.Lock()
        self._kept: list[DuckDBPyConnection] = []

    def take(self) -> DuckDBPyConnection:
        """One that no query uses; give it back, or close it.

        Raises:
            duckdb.Error: it cannot be opened.
        """
        with self._lock:
            if self._kept:
                return self._kept.pop()
        return self._opened()

    def give_back(self, database: DuckDBPyConnection) -> None:
        """Keep one for the next query, where there is room; all connections in it are closed."""
        with self._lock:
            if len(self._kept) < self._kept_max:
                self._kept.append(database)
                return
        database.close()

    def close_kept(self) -> None:
        """Close those that no query uses."""
        with self._lock:
            kept, self._kept = self._kept, []
        for database in kept:
            database.close()

    def _opened(self) -> DuckDBPyConnection:
        database = duckdb.connect(":memory:", config=self._config)
        for setting in self._settings:
            database.execute(setting)
        for name, vector in self._functions.items():
            _create_function(database, name, vector)
        return database


def _create_function(connection: DuckDBPyConnection, name: str, vector: VectorFunction) -> None:
    connection.create_function(
        name,
        vector.function,
        [DuckDBPyType(of) for of in vector.argument_types],
        vector.return_type,
        type=ARROW,
        null_handling=SPECIAL,
    )
