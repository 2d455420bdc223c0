"""Event tables in memory, and the road from SQL over them to rows."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, NamedTuple

import pyarrow as pa

from logdrain.model.catalog import ELEMENT, ColumnType, FieldPath, FieldType, TableCatalog, TypeKind
from logdrain.model.events import Record, Table
from logdrain.model.plans import Comparator, Dialect, Predicate, Scan, ScanColumn
from logdrain.model.queries import EngineQuery, Plan, QueryRequest
from logdrain.ports.streams import ScanStream
from logdrain.query.duckdb.engine import DuckdbEngine
from logdrain.query.plan import plan_query

SCHEDULED_TIME_S = 1330560000  # 2012-03-01 00:00:00 UTC
NOW_S = SCHEDULED_TIME_S + 600
HOUR_S = 3600
ENGINE = DuckdbEngine(256 * 1024 * 1024, threads=2, temp_folder=None)

Tables = Mapping[str, list[Record]]

TABLES: Tables = {
    "testdb.www_access": [
        {"time": SCHEDULED_TIME_S - HOUR_S - 1, "item_category": "books", "price": 1000},
        {"time": SCHEDULED_TIME_S - HOUR_S, "item_category": "books", "price": 500},
        {"time": SCHEDULED_TIME_S - 1800, "item_category": "games", "price": 700},
        {"time": SCHEDULED_TIME_S - 1, "item_category": "books", "price": 250},
        {"time": SCHEDULED_TIME_S, "item_category": "games", "price": 9000},
    ],
    "production.pay": [
        {
            "time": SCHEDULED_TIME_S + n * 60 + 0.25,
            "uid": n % 3,
            "price": n * 100,
            "rate": 1 if n == 0 else n / 2,
            "item": {"id": n, "maker": {"name": f"maker {n % 2}"}},
            "tags": ["new", "sale"][: n % 3],
            "code": n if n % 2 else f"c{n}",
            "userId": n,
            "userid": f"u{n}",
            "order": 10 - n,
            "paid": n != 3,
        }
        for n in range(6)
    ],
    "production.login": [{"time": SCHEDULED_TIME_S + n, "uid": n, "device": f"d{n}"} for n in range(1, 4)],
}

_TYPES: tuple[tuple[type, FieldType], ...] = (
    (bool, FieldType.BOOL),
    (int, FieldType.INT),
    (float, FieldType.DOUBLE),
    (Decimal, FieldType.DECIMAL),
    (str, FieldType.STRING),
    (datetime, FieldType.DATE),
    (list, FieldType.ARRAY),
    (dict, FieldType.OBJECT),
    (type(None), FieldType.NULL),
)


class Answer(NamedTuple):
    """What a query came to."""

    query: EngineQuery
    schema: pa.Schema
    rows: list[tuple[Any, ...]]

    @property
    def plan(self) -> Plan:
        return self.query.plan


class MemoryScan(ScanStream):
    """A scan of records; `filters` says whether it applies what was pushed down."""

    def __init__(self, scan: Scan, records: Iterable[Record], *, filters: bool = True) -> None:
        super().__init__(
            pa.schema([pa.field(column.name, arrow_type(column.type)) for column in scan.columns])
        )
        self._scan = scan
        self._records = [record for record in records if not filters or is_wanted(scan, record)]
        self.passes = 0

    def _batches(self) -> Iterator[pa.RecordBatch]:
        self.passes += 1
        for start in range(0, len(self._records), 4):
            chunk = self._records[start : start + 4]
            arrays = [_array(column, chunk) for column in self._scan.columns]
            yield pa.RecordBatch.from_arrays(arrays, schema=self.schema)


def catalog_of(table: Table, records: Iterable[Record]) -> TableCatalog:
    """The fields and types that the records have."""
    seen: dict[FieldPath, set[FieldType]] = {}
    for record in records:
        for name, value in record.items():
            if name != "time":
                _see((name,), value, seen)
    return TableCatalog(table, {path: frozenset(types) for path, types in seen.items()})


def arrow_type(of: ColumnType) -> pa.DataType:
    """The Arrow type of a column type."""
    if of.kind is TypeKind.LIST and of.element is not None:
        return pa.list_(arrow_type(of.element))
    if of.kind is TypeKind.STRUCT:
        return pa.struct([pa.field(name, arrow_type(part)) for name, part in of.fields])
    types: dict[TypeKind, pa.DataType] = {
        TypeKind.BIGINT: pa.int64(),
        TypeKind.DOUBLE: pa.float64(),
        TypeKind.DECIMAL: pa.decimal128(38, 0),
        TypeKind.BOOLEAN: pa.bool_(),
        TypeKind.TIMESTAMPTZ: pa.timestamp("ms", tz="UTC"),
        TypeKind.NULL: pa.null(),
    }
    return types.get(of.kind, pa.string())


def value_at(path: FieldPath, record: Record) -> Any:
    """A field of a record; pseudo columns too."""
    if path == ("time",):
        return int(record["time"] // 1)
    if path == ("_time",):
        return datetime.fromtimestamp(record["time"], UTC)
    value: Any = (
        record if path[0] != "_origin" else {"_origin": {"drain": "shop", "app": "app", "proc": "web.1"}}
    )
    for step in path:
        value = value.get(step) if isinstance(value, dict) else None
    return value


def is_wanted(scan: Scan, record: Record) -> bool:
    """Whether a record passes the scan's time range and predicates."""
    start, end = scan.time_range
    seconds = value_at(("time",), record)
    in_time = (start is None or start <= seconds) and (end is None or seconds < end)
    return in_time and all(_passes(predicate, record) for predicate in scan.predicates)


def plan(
    sql: str,
    tables: Tables = TABLES,
    *,
    dialect: Dialect = Dialect.TRINO,
    database: str = "production",
) -> Plan:
    """Plan a query over tables in memory, and make sure that the engine has all that it needs."""
    return lowered(sql, tables, dialect=dialect, database=database).plan


def lowered(
    sql: str,
    tables: Tables = TABLES,
    *,
    dialect: Dialect = Dialect.TRINO,
    database: str = "production",
) -> EngineQuery:
    """What the engine makes of a query over tables in memory."""
    catalogs = {
        table: catalog_of(table, records)
        for table, records in ((Table(*name.split(".")), records) for name, records in tables.items())
    }
    request = QueryRequest(sql, database, dialect, SCHEDULED_TIME_S, NOW_S)
    return ENGINE.lower(plan_query(request, catalogs.__getitem__, list(catalogs)))


def raw_query(sql: str, *scans: Scan) -> EngineQuery:
    """What runs a text of the engine's own over these scans."""
    return EngineQuery(replace(plan("SELECT 1"), scans=scans), sql)


def check(sql: str) -> list[MemoryScan]:
    """Let the engine understand a query over TABLES; returns its scans."""
    query = lowered(sql)
    scans = [MemoryScan(scan, TABLES[scan.table.name]) for scan in query.plan.scans]
    with ENGINE.run(query.explained, scans):
        return scans


def answer(
    sql: str,
    tables: Tables = TABLES,
    *,
    dialect: Dialect = Dialect.TRINO,
    database: str = "production",
    filters: bool = True,
) -> Answer:
    """Plan a query and run it."""
    query = lowered(sql, tables, dialect=dialect, database=database)
    scans = [MemoryScan(scan, tables[scan.table.name], filters=filters) for scan in query.plan.scans]
    with ENGINE.run(query, scans) as result:
        return Answer(query, result.schema, [row for batch in result for row in _rows(batch)])


def rows(sql: str, tables: Tables = TABLES, *, dialect: Dialect = Dialect.TRINO) -> list[tuple[Any, ...]]:
    """The rows of a query."""
    return answer(sql, tables, dialect=dialect).rows


def select(expression: str, source: str = "") -> str:
    """`SELECT expression [FROM source]`."""
    return " ".join(("SELECT", expression, *(("FROM", source) if source else ())))


def one(sql: str, *, dialect: Dialect = Dialect.TRINO) -> Any:
    """The value of a query with one row and one column."""
    ((value,),) = rows(sql, dialect=dialect)
    return value


def _rows(batch: pa.RecordBatch) -> list[tuple[Any, ...]]:
    return list(zip(*(column.to_pylist() for column in batch.columns), strict=True))


def _see(path: FieldPath, value: Any, seen: dict[FieldPath, set[FieldType]]) -> None:
    seen.setdefault(path, set()).add(next(of for kind, of in _TYPES if isinstance(value, kind)))
    below = value.items() if isinstance(value, dict) else ()
    elements = ((ELEMENT, element) for element in value) if isinstance(value, list) else ()
    for name, part in [*below, *elements]:
        _see((*path, name), part, seen)


def _array(column: ScanColumn, records: Iterable[Record]) -> "pa.Array[Any]":
    cells = [_cell(column.type, value_at(column.path, record)) for record in records]
    return pa.array(cells, arrow_type(column.type))


def _cell(of: ColumnType, value: Any) -> Any:
    if value is None:
        return None
    if of.kind is TypeKind.TEXT and not isinstance(value, str):
        return json.dumps(value)
    if of.kind is TypeKind.STRUCT:
        return {name: _cell(part, value.get(name)) for name, part in of.fields}
    if of.kind is TypeKind.LIST and of.element is not None:
        return [_cell(of.element, element) for element in value]
    return value


def _passes(predicate: Predicate, record: Record) -> bool:
    value = value_at(predicate.path, record)
    if predicate.comparator in (Comparator.IS_NULL, Comparator.NOT_NULL):
        return (value is None) is (predicate.comparator is Comparator.IS_NULL)
    if value is None:
        return False
    constants: tuple[Any, ...] = predicate.values
    checks: dict[Comparator, Callable[[], bool]] = {
        Comparator.EQ: lambda: value == constants[0],
        Comparator.NE: lambda: value != constants[0],
        Comparator.LT: lambda: value < constants[0],
        Comparator.LTE: lambda: value <= constants[0],
        Comparator.GT: lambda: value > constants[0],
        Comparator.GTE: lambda: value >= constants[0],
        Comparator.IN: lambda: value in constants,
    }
    return checks[predicate.comparator]()
