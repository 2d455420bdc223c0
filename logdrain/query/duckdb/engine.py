"""DuckDB runs a plan's SQL over its scans, inside this process and shut off from files and network."""

import threading
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import duckdb
import pyarrow as pa
from duckdb import DuckDBPyConnection, DuckDBPyRelation
from duckdb.func import ARROW, SPECIAL
from duckdb.sqltypes import DuckDBPyType

from logdrain.errors import SqlError
from logdrain.model.queries import EngineQuery, Plan
from logdrain.model.stops import Stop
from logdrain.ports.streams import ArrowStream, ScanStream
from logdrain.query.duckdb.databases import Config, DuckdbDatabases
from logdrain.query.duckdb.errors import EXPLAIN, engine_error, error_position
from logdrain.query.duckdb.lower import find_clues, lower
from logdrain.query.duckdb.vector_functions import VECTOR_FUNCTIONS, VectorFunction

_BATCH_ROWS = 65_536
# An interrupt that comes between two steps of the engine is lost, so it is repeated.
_INTERRUPT_EVERY_S = 0.05
_TOO_WIDE = frozenset({"HUGEINT", "UHUGEINT", "UBIGINT"})


class DuckdbEngine:
    """Implements `ports.Engine`; every run has a database to itself, in memory.

    Args:
        memory_limit_bytes: What one query may use; then it spills, or fails with QueryMemoryExceeded.
        threads: How many threads one query may use.
        temp_folder: Where a query spills, or None: it never does.
        spill_max_bytes: What one query may spill; then it fails with QueryMemoryExceeded. None: no limit.
        more_functions: Functions beside VECTOR_FUNCTIONS, by name in lower case.
        databases_kept_max: How many databases are kept for the next query; who keeps any has to `close_idle`.
    """

    def __init__(
        self,
        memory_limit_bytes: int,
        threads: int,
        temp_folder: str | None,
        *,
        spill_max_bytes: int | None = None,
        more_functions: Mapping[str, VectorFunction] | None = None,
        databases_kept_max: int = 0,
    ) -> None:
        self._functions = {**VECTOR_FUNCTIONS, **(more_functions or {})}
        config: Config = {
            "autoinstall_known_extensions": "false",
            "autoload_known_extensions": "false",
            "enable_external_access": "false",
            "memory_limit": f"{memory_limit_bytes}B",
            "python_enable_replacements": "false",
            "temp_directory": temp_folder or "",
            "threads": str(threads),
        }
        # As a part of `config` these have no effect; without GLOBAL they are the first connection's.
        settings = ["SET GLOBAL TimeZone = 'UTC'", "SET GLOBAL errors_as_json = true"]
        if temp_folder and spill_max_bytes is not None:
            settings.append(f"SET GLOBAL max_temp_directory_size = '{spill_max_bytes}B'")
        self._databases = DuckdbDatabases(config, settings, kept_max=databases_kept_max)

    def lower(self, plan: Plan) -> EngineQuery:
        """Write a plan as DuckDB's SQL; see `ports.Engine`."""
        return lower(plan)

    def close_idle(self) -> None:
        """Close the databases that are kept for the next query."""
        self._databases.close_kept()

    @contextmanager
    def run(
        self, query: EngineQuery, scans: Sequence[ScanStream], stop: Stop | None = None
    ) -> Iterator[ArrowStream]:
        """Run a query; see `ports.Engine`."""
        stop = stop or Stop()
        session = _Session(self._databases, self._functions, stop)
        try:
            with stop.telling(session.interrupt):
                yield session.run(query, [_WatchedScan(scan, stop) for scan in scans])
        finally:
            session.close()


class _Session:
    """One database and one connection in it, for one query.

    DuckDB complains of each of its objects that outlives the interpreter, and an error that is kept somewhere
    keeps the frames it went through, and those of the error it replaced, and what they hold. So only the
    session holds objects of the engine, none after `close`, and our errors are raised outside of `except`.
    """

    def __init__(
        self, databases: DuckdbDatabases, functions: Mapping[str, VectorFunction], stop: Stop
    ) -> None:
        self._databases = databases
        self._functions = functions
        self._stop = stop
        self._lock = threading.Lock()
        self._ended = threading.Event()
        self._query: EngineQuery | None = None
        self._interrupter: threading.Thread | None = None
        self._database: DuckDBPyConnection | None = None
        self._connection: DuckDBPyConnection | None = None
        self._added: list[str] = []
        self._is_clean = False
        self._reader: pa.RecordBatchReader | None = None
        self._registered: list[str] = []

    def run(self, query: EngineQuery, scans: Sequence["_WatchedScan"]) -> ArrowStream:
        """Start the query."""
        failure: BaseException | None = None
        self._query = query
        try:
            self._start(query, scans)
        except RuntimeError as error:
            failure = _interrupted(error)
        except duckdb.Error as error:
            failure = self._cause(error, scans, is_bound=False)
        if failure is not None:
            raise failure
        return ArrowStream(self._rows().schema, self._batches(scans))

    def _batches(self, scans: Sequence["_WatchedScan"]) -> Iterator[pa.RecordBatch]:
        while (batch := self._next_batch(scans)) is not None:
            yield batch
            del batch  # nobody else may have it by now

    def _next_batch(self, scans: Sequence["_WatchedScan"]) -> pa.RecordBatch | None:
        """The next rows, or None at the end."""
        self._stop.check()
        try:
            return self._rows().read_next_batch()
        except StopIteration:
            self._is_clean = not self._added
            return None
        except RuntimeError as error:
            failure = _interrupted(error)
        except (duckdb.Error, OSError, pa.ArrowException) as error:
            failure = self._cause(error, scans)
        raise failure

    def interrupt(self) -> None:
        """Interrupt the engine until the session is closed; for another thread, returns at once."""
        with self._lock:
            if not self._ended.is_set():
                self._interrupter = threading.Thread(target=self._interrupt, daemon=True)
                self._interrupter.start()

    def close(self) -> None:
        """Let go of everything."""
        with self._lock:
            self._ended.set()
        if self._interrupter is not None:
            self._interrupter.join()
        if self._reader is not None:
            self._reader.close()
        if self._connection is not None:
            for name in self._registered:
                self._connection.unregister(name)
            self._connection.close()
        if self._database is not None and self._is_clean and self._stop.error is None:
            self._databases.give_back(self._database)
        elif self._database is not None:
            self._database.close()
        self._reader = self._connection = self._database = None

    def _interrupt(self) -> None:
        while not self._ended.is_set():
            connection = self._connection
            if connection is not None:
                connection.interrupt()
            self._ended.wait(_INTERRUPT_EVERY_S)

    def _cause(
        self, error: Exception, scans: Sequence["_WatchedScan"], *, is_bound: bool = True
    ) -> BaseException:
        """Why it was stopped; else what a scan raised, unchanged; else the engine's error in plain words."""
        failed = next((scan.failure for scan in scans if scan.failure is not None), None)
        known = self._stop.error or failed
        if known is not None or self._query is None:
            return known or engine_error(str(error))
        position = None
        if not is_bound and self._connection is not None:
            try:
                self._connection.execute(EXPLAIN + self._query.sql)
            except duckdb.Error as located:
                position = error_position(str(located), self._query.sql)
        return engine_error(str(error), self._query.sql, find_clues(self._query), position)

    def _rows(self) -> pa.RecordBatchReader:
        if self._reader is None:
            raise SqlError("the query has ended, its rows are gone")
        return self._reader

    def _start(self, query: EngineQuery, scans: Sequence["_WatchedScan"]) -> None:
        if self._ended.is_set():
            raise SqlError("the query has ended")
        # A function is the database's and dies with the connection: nobody else may come upon it.
        self._added = [name for name in self._functions if f"{name.upper()}(" in query.sql]
        self._database = self._databases.open() if self._added else self._databases.take()
        self._connection = self._database.cursor()
        for name in self._added:
            _create_function(self._connection, name, self._functions[name])
        for scan, stream in zip(query.plan.all_scans, scans, strict=True):
            self._connection.register(scan.name, stream)
            self._registered.append(scan.name)
        self._reader = _in_bigint(self._connection.sql(query.sql)).to_arrow_reader(_BATCH_ROWS)


class _WatchedScan:
    """A scan as DuckDB reads it: a fresh, lazy reader each time it asks, and the error that ended one."""

    def __init__(self, stream: ScanStream, stop: Stop) -> None:
        self._stream = stream
        self._stop = stop
        self.failure: BaseException | None = None

    def __arrow_c_stream__(self, requested_schema: object = None) -> Any:
        """The stream from its start; DuckDB asks for the schema, to bind, to run, and for each re-scan."""
        del requested_schema  # a wish that a producer may ignore
        reader: Any = pa.RecordBatchReader.from_batches(self._stream.schema, self._batches())
        return reader.__arrow_c_stream__()

    def _batches(self) -> Generator[pa.RecordBatch, None, None]:
        try:
            for batch in self._stream:
                self._stop.check()
                yield batch
        except GeneratorExit:  # DuckDB has read enough
            raise
        except BaseException as error:
            self.failure = error
            raise


def _interrupted(error: RuntimeError) -> BaseException:
    """What the engine makes of Ctrl-C is no error of its own."""
    return KeyboardInterrupt() if str(error) == "Query interrupted" else error


def _create_function(connection: DuckDBPyConnection, name: str, vector: VectorFunction) -> None:
    connection.create_function(
        name,
        vector.function,
        [DuckDBPyType(of) for of in vector.argument_types],
        vector.return_type,
        type=ARROW,
        null_handling=SPECIAL,
    )


def _in_bigint(relation: DuckDBPyRelation) -> DuckDBPyRelation:
    """Whole numbers leave as BIGINT; one that does not fit is an error."""
    if not any(str(of) in _TOO_WIDE for of in relation.types):
        return relation
    columns = []
    for number, (name, of) in enumerate(zip(relation.columns, relation.types, strict=True), start=1):
        value = f"CAST(#{number} AS BIGINT)" if str(of) in _TOO_WIDE else f"#{number}"
        quoted = name.replace('"', '""')
        columns.append(f'{value} AS "{quoted}"')
    return relation.project(", ".join(columns))
