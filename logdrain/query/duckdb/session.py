"""One query in DuckDB: a database to itself, in memory, shut off from files and network.

It knows texts and streams of Arrow, no plans: it runs in a process of its own, which should start quickly.
"""

import re
import threading
from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Protocol

import duckdb
import pyarrow as pa
from duckdb import DuckDBPyConnection, DuckDBPyRelation

from logdrain.errors import SqlError
from logdrain.model.stops import Stop
from logdrain.query.duckdb.databases import Config, DuckdbDatabases
from logdrain.query.duckdb.failure import EXPLAIN, OUT_OF_MEMORY, ROW_TOO_LARGE, DuckdbFailure
from logdrain.query.duckdb.vector_functions import VECTOR_FUNCTIONS, VectorFunction

_BATCH_ROWS = 65_536
_BATCH_MAX_BYTES = 16 * 1024 * 1024
# An interrupt that comes between two steps of the engine is lost, so it is repeated.
_INTERRUPT_EVERY_S = 0.05
_TOO_WIDE = frozenset({"HUGEINT", "UHUGEINT", "UBIGINT"})
# What DuckDB says of memory that Python or Arrow lack.
_NO_MEMORY = re.compile(r"Out of Memory Error|executing the UDF: MemoryError|malloc of size|std::bad_alloc")


class Source(Protocol):
    """What a query reads: each pass yields its batches from the start."""

    @property
    def schema(self) -> pa.Schema:
        """Names and types."""
        ...

    def __iter__(self) -> Iterator[pa.RecordBatch]:
        """A pass."""
        ...


class DuckdbSessions:
    """Runs texts of DuckDB; safe to use from several threads.

    Args:
        memory_max_bytes: What one query may use; then it spills, or fails.
        threads: How many threads one query may use.
        temp_folder: Where a query spills, or None: it never does.
        spill_max_bytes: What one query may spill; then it fails. None: no limit.
        more_functions: Functions beside VECTOR_FUNCTIONS, by name in lower case.
        databases_kept_max: How many databases are kept for the next query; who keeps any has to `close_idle`.
    """

    def __init__(
        self,
        memory_max_bytes: int,
        threads: int,
        temp_folder: str | None,
        *,
        spill_max_bytes: int | None = None,
        more_functions: Mapping[str, VectorFunction] | None = None,
        databases_kept_max: int = 0,
    ) -> None:
        functions = {**VECTOR_FUNCTIONS, **(more_functions or {})}
        config: Config = {
            "autoinstall_known_extensions": "false",
            "autoload_known_extensions": "false",
            "enable_external_access": "false",
            "memory_limit": f"{memory_max_bytes}B",
            "python_enable_replacements": "false",
            "temp_directory": temp_folder or "",
            "threads": str(threads),
        }
        # As a part of `config` these have no effect; without GLOBAL they are the first connection's.
        settings = ["SET GLOBAL TimeZone = 'UTC'", "SET GLOBAL errors_as_json = true"]
        if temp_folder and spill_max_bytes is not None:
            settings.append(f"SET GLOBAL max_temp_directory_size = '{spill_max_bytes}B'")
        self._databases = DuckdbDatabases(config, settings, functions, kept_max=databases_kept_max)

    def close_idle(self) -> None:
        """Close the databases that are kept for the next query."""
        self._databases.close_kept()

    @contextmanager
    def running(self, sql: str, sources: Mapping[str, Source], stop: Stop) -> Iterator["Session"]:
        """Run a text over sources, by their names in it; its rows can be read while the block lasts.

        Raises (also while the rows are read):
            DuckdbFailure: it failed.
            BaseException: what a source raised, unchanged, or what `stop` was asked with.
        """
        session = Session(self._databases, stop)
        try:
            with stop.telling(session.interrupt):
                session.start(sql, {name: _WatchedSource(source, stop) for name, source in sources.items()})
                yield session
        finally:
            session.close()


class Session:
    """One database and one connection in it, for one query.

    DuckDB complains of each of its objects that outlives the interpreter, and an error that is kept somewhere
    keeps the frames it went through, and those of the error it replaced, and what they hold. So only the
    session holds objects of the engine, none after `close`, and our errors are raised outside of `except`.
    """

    def __init__(self, databases: DuckdbDatabases, stop: Stop) -> None:
        self._databases = databases
        self._stop = stop
        self._lock = threading.Lock()
        self._ended = threading.Event()
        self._sql = ""
        self._sources: Mapping[str, _WatchedSource] = {}
        self._interrupter: threading.Thread | None = None
        self._database: DuckDBPyConnection | None = None
        self._connection: DuckDBPyConnection | None = None
        self._is_clean = False
        self._reader: pa.RecordBatchReader | None = None
        self._registered: list[str] = []

    def start(self, sql: str, sources: Mapping[str, "_WatchedSource"]) -> None:
        """Start the query. Raises what `DuckdbSessions.running` does."""
        failure: BaseException | None = None
        self._sql, self._sources = sql, sources
        try:
            self._start()
        except RuntimeError as error:
            failure = self._cause(error) if _lacks_memory(error) else _interrupted(error)
        except (duckdb.Error, MemoryError) as error:
            failure = self._cause(error, is_bound=False)
        if failure is not None:
            raise failure

    @property
    def schema(self) -> pa.Schema:
        """Names and types of the rows."""
        return self._rows().schema

    def batches(self) -> Iterator[pa.RecordBatch]:
        """The rows, once, in pieces of bounded size. Raises what `DuckdbSessions.running` does."""
        while (batch := self._next_batch()) is not None:
            yield from _pieces(batch)
            del batch  # nobody else may have it by now

    def _next_batch(self) -> pa.RecordBatch | None:
        """The next rows, or None at the end."""
        self._stop.check()
        try:
            return self._rows().read_next_batch()
        except StopIteration:
            self._is_clean = True
            return None
        except RuntimeError as error:
            failure = _interrupted(error)
        except (duckdb.Error, OSError, MemoryError, pa.ArrowException) as error:
            failure = self._cause(error)
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

    def _cause(self, error: Exception, *, is_bound: bool = True) -> BaseException:
        """Why it was stopped; else what a source raised, unchanged; else what the engine says."""
        failed = next(
            (source.failure for source in self._sources.values() if source.failure is not None), None
        )
        known = self._stop.error or failed
        if known is not None:
            return known
        if _lacks_memory(error):
            return DuckdbFailure(OUT_OF_MEMORY)
        explained = ""
        if not is_bound and self._connection is not None:
            try:
                self._connection.execute(EXPLAIN + self._sql)
            except duckdb.Error as located:
                explained = str(located)
        return DuckdbFailure(str(error), explained)

    def _rows(self) -> pa.RecordBatchReader:
        if self._reader is None:
            raise SqlError("the query has ended, its rows are gone")
        return self._reader

    def _start(self) -> None:
        if self._ended.is_set():
            raise SqlError("the query has ended")
        self._database = self._databases.take()
        self._connection = self._database.cursor()
        for name, source in self._sources.items():
            self._connection.register(name, source)
            self._registered.append(name)
        self._reader = _in_bigint(self._connection.sql(self._sql)).to_arrow_reader(_BATCH_ROWS)


class _WatchedSource:
    """A source as DuckDB reads it: a fresh, lazy reader each time it asks, and the error that ended one."""

    def __init__(self, source: Source, stop: Stop) -> None:
        self._source = source
        self._stop = stop
        self.failure: BaseException | None = None

    def __arrow_c_stream__(self, requested_schema: object = None) -> Any:
        """The source from its start; DuckDB asks for the schema, to bind, to run, and for each re-scan."""
        del requested_schema  # a wish that a producer may ignore
        reader: Any = pa.RecordBatchReader.from_batches(self._source.schema, self._batches())
        return reader.__arrow_c_stream__()

    def _batches(self) -> Generator[pa.RecordBatch, None, None]:
        try:
            for batch in self._source:
                self._stop.check()
                yield batch
        except GeneratorExit:  # DuckDB has read enough
            raise
        except BaseException as error:
            self.failure = error
            raise


def _pieces(batch: pa.RecordBatch) -> Iterator[pa.RecordBatch]:
    """A batch in parts that whoever takes them has room for.

    Raises:
        DuckdbFailure: a row is larger than that.
    """
    if batch.nbytes <= _BATCH_MAX_BYTES:
        yield batch
    elif batch.num_rows == 1:
        raise DuckdbFailure(ROW_TOO_LARGE)
    else:
        half = batch.num_rows // 2
        yield from _pieces(batch.slice(0, half))
        yield from _pieces(batch.slice(half))


def _lacks_memory(error: Exception) -> bool:
    return isinstance(error, MemoryError) or _NO_MEMORY.search(str(error)) is not None


def _interrupted(error: RuntimeError) -> BaseException:
    """What the engine makes of Ctrl-C is no error of its own."""
    return KeyboardInterrupt() if str(error) == "Query interrupted" else error


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
