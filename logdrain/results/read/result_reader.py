"""Reads tables of named results for queries: COPY as CSV in a READ ONLY transaction, parsed by Arrow.

One pass holds some rows at a time. Every pass has a connection of its own, which goes when the pass ends,
also where the engine has read enough before the last row.
"""

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from io import BytesIO

import psycopg
import pyarrow as pa
from psycopg.rows import args_row, scalar_row
from pyarrow import csv

from logdrain.errors import ResultRefused, ResultUrlInvalid, UnknownTable
from logdrain.model.jobs import ResultTarget
from logdrain.model.names import nearest_hint
from logdrain.model.plans import ResultColumn, ResultScan, ResultTable
from logdrain.ports.streams import ScanStream
from logdrain.ports.transactions import Transaction
from logdrain.results.read.copy_statement import copy_statement, scan_schema, travel_schema
from logdrain.results.tables import TableName, connect, locate_table, result_errors
from logdrain.results.url.target import OWN_TABLES, ParsedResult, check_schema, resolve_table
from logdrain.types.postgres_types import read_as

_PIECE_BYTES = 2 * 1024 * 1024
_SET_UP = """
SELECT set_config('TimeZone', 'UTC', true), set_config('IntervalStyle', 'iso_8601', true),
       set_config('DateStyle', 'ISO', true), set_config('bytea_output', 'hex', true)
"""
_COLUMNS = """
SELECT attribute.attname::text, format_type(attribute.atttypid, attribute.atttypmod)
FROM pg_class AS relation
JOIN pg_namespace AS namespace ON namespace.oid = relation.relnamespace
JOIN pg_attribute AS attribute
  ON attribute.attrelid = relation.oid AND attribute.attnum > 0 AND NOT attribute.attisdropped
WHERE namespace.nspname = %s AND relation.relname = %s AND relation.relkind = ANY ('{r,p,v,m,f}')
ORDER BY attribute.attnum
"""
_TABLES = """
SELECT relation.relname::text
FROM pg_class AS relation JOIN pg_namespace AS namespace ON namespace.oid = relation.relnamespace
WHERE namespace.nspname = %s AND relation.relkind = ANY ('{r,p,v,m,f}') ORDER BY 1
"""
_ESTIMATE = """
SELECT relation.reltuples::bigint
FROM pg_class AS relation JOIN pg_namespace AS namespace ON namespace.oid = relation.relnamespace
WHERE namespace.nspname = %s AND relation.relname = %s
"""


class PostgresResultReader:
    """Port ResultReader; safe to use from several threads.

    Args:
        result_url: The URL of a named result; raises UnknownResult.
        environment: Gives the value of a variable, for results of the form `env:NAME`.
    """

    def __init__(self, result_url: Callable[[str], str], environment: Callable[[str], str | None]) -> None:
        self._result_url = result_url
        self._environment = environment

    def columns(self, table: ResultTable) -> tuple[ResultColumn, ...]:
        """The columns of a table. See the port."""
        _check_readable(table)
        target = self._target(table)
        with _reading(target) as connection:
            place = locate_table(connection, target)
            with connection.cursor(row_factory=args_row(_name_and_type)) as cursor:
                found = cursor.execute(_COLUMNS, place).fetchall()
            if not found:
                raise _unknown_table(connection, table, place)
        taken: set[str] = set()
        return tuple(_column(name, postgres_type, taken) for name, postgres_type in found)

    def scan(self, scan: ResultScan) -> "ResultScanStream":
        """Read lazily. See the port."""
        return ResultScanStream(self._target(scan.table), scan)

    def estimate(self, scan: ResultScan) -> int | None:
        """What Postgres' planner believes. See the port."""
        target = self._target(scan.table)
        with _reading(target) as connection:
            place = locate_table(connection, target)
            with connection.cursor(row_factory=scalar_row) as cursor:
                rows = cursor.execute(_ESTIMATE, place).fetchone()
        return None if rows is None or rows < 0 else int(rows)

    def _target(self, table: ResultTable) -> ResultTarget:
        url = self._result_url(table.result)
        return resolve_table(
            ParsedResult(table.result, "", table.table, schema=table.schema),
            url,
            self._environment,
            hint="queries read results in Postgres: let the job write there",
        )


class ResultScanStream(ScanStream):
    """Port ScanStream over a result table."""

    def __init__(self, target: ResultTarget, scan: ResultScan) -> None:
        super().__init__(scan_schema(scan.columns))
        self._target = target
        self._scan = scan

    def _batches(self) -> Iterator[pa.RecordBatch]:
        with _reading(self._target) as connection:
            place = locate_table(connection, self._target)
            with connection.cursor() as cursor, cursor.copy(copy_statement(self._scan, place)) as copy:
                for piece in _pieces(copy):
                    self.bytes_read += len(piece)
                    yield from self._decoded(piece)

    def _decoded(self, piece: bytes) -> Iterator[pa.RecordBatch]:
        travels = travel_schema(self._scan.columns)
        try:
            table = csv.read_csv(
                BytesIO(piece),
                csv.ReadOptions(use_threads=False, block_size=len(piece) + 1, column_names=travels.names),
                # A NULL alone in its row is an empty line.
                csv.ParseOptions(newlines_in_values=True, ignore_empty_lines=False),
                csv.ConvertOptions(
                    column_types=travels,
                    null_values=[""],
                    true_values=["t"],
                    false_values=["f"],
                    strings_can_be_null=True,
                    quoted_strings_can_be_null=False,
                ),
            )
        except pa.ArrowInvalid as error:
            raise ResultRefused(
                f"{self._scan.table.name} has a value that its column's type in SQL cannot hold",
                hint="plain numeric is read as DECIMAL(38,9): give the column its digits, numeric(p,s)",
            ) from error
        for batch in table.to_batches():
            arrays = [
                column if column.type == field.type else column.view(field.type)
                for column, field in zip(batch.columns, self.schema, strict=True)
            ]
            yield pa.RecordBatch.from_arrays(arrays, schema=self.schema)


def _pieces(copy: psycopg.Copy) -> Iterator[bytes]:
    """Whole rows, some megabytes at a time: a message of COPY TO holds one row."""
    rows: list[bytes] = []
    size_bytes = 0
    for row in copy:
        rows.append(bytes(row))
        size_bytes += len(row)
        if size_bytes >= _PIECE_BYTES:
            yield b"".join(rows)
            rows.clear()
            size_bytes = 0
    if rows:
        yield b"".join(rows)


@contextmanager
def _reading(target: ResultTarget) -> Iterator[Transaction]:
    """A transaction that cannot write; its connection goes with it."""
    with result_errors(target, reading=True), closing(connect(target.dsn)) as connection:
        connection.read_only = True
        connection.execute(_SET_UP)
        yield connection


def _check_readable(table: ResultTable) -> None:
    """Refuse what is ours or Postgres' own."""
    try:
        if table.schema:
            check_schema(table.schema)
    except ResultUrlInvalid as error:
        raise UnknownTable(f"{table.name} cannot be read: {error.message}") from error
    if table.table in OWN_TABLES:
        raise UnknownTable(f"{table.name} cannot be read: it is kept by logdrain itself")


def _unknown_table(connection: Transaction, table: ResultTable, place: TableName) -> UnknownTable:
    with connection.cursor(row_factory=scalar_row) as cursor:
        known = [str(name) for name in cursor.execute(_TABLES, (place.schema,)).fetchall()]
    return UnknownTable(
        f"result {table.result} has no table {place.table} in schema {place.schema}",
        hint=nearest_hint(
            place.table,
            (name for name in known if name not in OWN_TABLES),
            f'another schema is written before the table: result.{table.result}."schema.table"',
        ),
    )


def _column(column: str, postgres_type: str, taken: set[str]) -> ResultColumn:
    """Names that differ in case only are told apart by a number."""
    name, number = column, 1
    while name.lower() in taken:
        number += 1
        name = f"{column}_{number}"
    taken.add(name.lower())
    return ResultColumn(name, column, read_as(column, postgres_type), postgres_type)


def _name_and_type(name: str, postgres_type: str) -> tuple[str, str]:
    return name, postgres_type
