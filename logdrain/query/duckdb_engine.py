"""DuckDB runs a plan's SQL over its scans, inside this process and shut off from files and network."""

from collections.abc import Callable, Generator, Iterator, Sequence
from typing import Any

import duckdb
import pyarrow as pa
from duckdb import DuckDBPyConnection, DuckDBPyRelation
from duckdb.func import ARROW, SPECIAL
from duckdb.sqltypes import DuckDBPyType

from logdrain.errors import SqlError
from logdrain.model.plans import Plan
from logdrain.ports import ArrowStream, ScanStream
from logdrain.query.engine_errors import engine_error
from logdrain.query.vector_functions import VECTOR_FUNCTIONS, VectorFunction

Config = dict[str, str | bool | int | float | list[str]]

_BATCH_ROWS = 65_536
_TOO_WIDE = frozenset({"HUGEINT", "UHUGEINT", "UBIGINT"})


class DuckdbEngine:
    """Implements `ports.Engine`; every run has a database of its own, in memory.

    Args:
        memory_limit_bytes: What one query may use; then it spills, or fails with QueryMemoryExceeded.
        threads: How many threads one query may use.
        temp_folder: Where a query spills, or None: it never does.
    """

    def __init__(self, memory_limit_bytes: int, threads: int, temp_folder: str | None) -> None:
        self._config: Config = {
            "autoinstall_known_extensions": "false",
            "autoload_known_extensions": "false",
            "enable_external_access": "false",
            "memory_limit": f"{memory_limit_bytes}B",
            "python_enable_replacements": "false",
            "temp_directory": temp_folder or "",
            "threads": str(threads),
        }

    def run(self, plan: Plan, scans: Sequence[ScanStream], use: Callable[[ArrowStream], int]) -> int:
        """Run a plan and hand its result to `use`; see `ports.Engine`."""
        session = _Session(self._config)
        try:
            return session.run(plan, [_WatchedScan(scan) for scan in scans], use)
        finally:
            session.close()


class _Session:
    """One database, for one plan.

    DuckDB complains of each of its objects that outlives the interpreter, and an error that is kept somewhere
    keeps the frames it went through, and those of the error it replaced, and what they hold. So only the
    session holds objects of the engine, none after `close`, and our errors are raised outside of `except`.
    """

    def __init__(self, config: Config) -> None:
        self._connection: DuckDBPyConnection | None = duckdb.connect(":memory:", config=config)
        self._reader: pa.RecordBatchReader | None = None
        self._registered: list[str] = []

    def run(self, plan: Plan, scans: Sequence["_WatchedScan"], use: Callable[[ArrowStream], int]) -> int:
        """Start the query and hand its rows on."""
        failure: BaseException | None = None
        try:
            self._start(plan, scans)
        except duckdb.Error as error:
            failure = _cause(error, scans)
        if failure is not None:
            raise failure
        return use(_Result(self, scans))

    @property
    def schema(self) -> pa.Schema:
        """Names and types of the rows."""
        return self._rows().schema

    def next_batch(self, scans: Sequence["_WatchedScan"]) -> pa.RecordBatch | None:
        """The next rows, or None at the end."""
        try:
            return self._rows().read_next_batch()
        except StopIteration:
            return None
        except (duckdb.Error, OSError, pa.ArrowException) as error:
            failure = _cause(error, scans)
        raise failure

    def close(self) -> None:
        """Let go of everything."""
        if self._reader is not None:
            self._reader.close()
        if self._connection is not None:
            for name in self._registered:
                self._connection.unregister(name)
            self._connection.close()
        self._reader = self._connection = None

    def _rows(self) -> pa.RecordBatchReader:
        if self._reader is None:
            raise SqlError("the query has ended, its rows are gone")
        return self._reader

    def _start(self, plan: Plan, scans: Sequence["_WatchedScan"]) -> None:
        if self._connection is None:
            raise SqlError("the query has ended")
        self._connection.execute("SET TimeZone = 'UTC'")
        for name, vector in VECTOR_FUNCTIONS.items():
            if f"{name.upper()}(" in plan.engine_sql:
                _create_function(self._connection, name, vector)
        self._connection.execute("SET lock_configuration = true")
        for scan, stream in zip(plan.scans, scans, strict=True):
            self._connection.register(scan.name, stream)
            self._registered.append(scan.name)
        self._reader = _in_bigint(self._connection.sql(plan.engine_sql)).to_arrow_reader(_BATCH_ROWS)


class _WatchedScan:
    """A scan as DuckDB reads it: a fresh, lazy reader each time it asks, and the error that ended one."""

    def __init__(self, stream: ScanStream) -> None:
        self._stream = stream
        self.failure: BaseException | None = None

    def __arrow_c_stream__(self, requested_schema: object = None) -> Any:
        """The stream from its start; DuckDB asks for the schema, to bind, to run, and for each re-scan."""
        del requested_schema  # a wish that a producer may ignore
        reader: Any = pa.RecordBatchReader.from_batches(self._stream.schema, self._batches())
        return reader.__arrow_c_stream__()

    def _batches(self) -> Generator[pa.RecordBatch, None, None]:
        try:
            yield from self._stream
        except GeneratorExit:  # DuckDB has read enough
            raise
        except BaseException as error:
            self.failure = error
            raise


class _Result:
    """The rows of a query; errors of the engine and of the scans come out as they should."""

    def __init__(self, session: _Session, scans: Sequence[_WatchedScan]) -> None:
        self._session = session
        self._scans = scans

    @property
    def schema(self) -> pa.Schema:
        """Names and types."""
        return self._session.schema

    def __iter__(self) -> Iterator[pa.RecordBatch]:
        """The batches, once."""
        while (batch := self._session.next_batch(self._scans)) is not None:
            yield batch


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


def _cause(error: Exception, scans: Sequence[_WatchedScan]) -> BaseException:
    """What a scan raised, unchanged; else the engine's own error in plain words."""
    return next((scan.failure for scan in scans if scan.failure is not None), None) or engine_error(
        str(error)
    )
