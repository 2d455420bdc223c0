"""Dicts -> Arrow batches: what type a column has, and that no value becomes another one on its way.

Arrow by itself would cut 1.5 to 1, read an instant without a zone as UTC and drop the hours of a date's
neighbour. So the Python types of a column's values are looked at first: a column holds values of one kind;
whole numbers go with doubles or decimals.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from itertools import islice
from typing import Any
from uuid import UUID

import pyarrow as pa

from logdrain.errors import JobResultInvalid
from logdrain.types.postgres_types import SQL_TYPES, UTC_TIMES, ZONED, SqlType, sql_type_named

BATCH_ROWS = 10_000

Record = Mapping[str, object]

_KINDS: tuple[tuple[type, str], ...] = (  # the first match counts: bool is an int, datetime a date
    (bool, "bool"),
    (int, "int"),
    (float, "float"),
    (Decimal, "Decimal"),
    (str, "str"),
    (datetime, "datetime"),
    (date, "date"),
    (time, "time"),
    (timedelta, "timedelta"),
    (UUID, "UUID"),
    (bytes, "bytes"),
    (Mapping, "dict"),
    (list, "list"),
    (tuple, "list"),
)
_TOGETHER = ({"int", "float"}, {"int", "Decimal"})
_HINT = "convert the values in the job, or say the type: columns={{{name!r}: 'VARCHAR'}}"


class DeclaredColumns:
    """The columns that a job has said its rows have.

    Args:
        columns: Name -> SQL type or `pyarrow.DataType`.

    Raises:
        JobResultInvalid: a type is not known.
    """

    def __init__(self, columns: Mapping[str, object]) -> None:
        self._kinds: dict[str, frozenset[str]] = {}
        fields = []
        for name, of in columns.items():
            if isinstance(of, pa.DataType):
                fields.append(pa.field(name, of))
            else:
                declared = _declared(name, of)
                fields.append(pa.field(name, declared.arrow))
                self._kinds[name] = declared.python
        self.schema = pa.schema(fields)

    def batch(self, records: Sequence[Record], first_row: int) -> pa.RecordBatch:
        """Records as a batch; what a record lacks is NULL.

        Raises:
            JobResultInvalid: a value has another type, or a record another column.
        """
        unknown = sorted({str(name) for record in records for name in record} - set(self.schema.names))
        if unknown:
            raise JobResultInvalid(
                f"a row has a column {unknown[0]!r}, which columns= does not have", hint="add it there"
            )
        arrays = []
        for field in self.schema:
            values = [record.get(field.name) for record in records]
            kinds = _kinds(values)
            if field.name in self._kinds and not kinds <= self._kinds[field.name]:
                other = min(kinds - self._kinds[field.name])
                raise JobResultInvalid(
                    f"column {field.name!r} is declared {field.type}, and holds a {other} "
                    f"in rows {first_row} to {first_row + len(records) - 1}",
                    hint="convert it in the job, or declare another type in columns=",
                )
            arrays.append(_array(field.name, values, field.type))
        return pa.RecordBatch.from_arrays(arrays, schema=self.schema)


def inferred_batch(records: Sequence[Record], first_row: int) -> pa.RecordBatch:
    """Records as a batch of the types that the values have; columns in the order they first appear.

    Raises:
        JobResultInvalid: a column holds values of several kinds, or one that no column can hold.
    """
    names = dict.fromkeys(name for record in records for name in record)
    columns: dict[str, pa.Array[Any]] = {}
    for name in names:
        if not isinstance(name, str):
            raise JobResultInvalid(f"a row has the column {name!r}", hint="names of columns are texts")
        values = [record.get(name) for record in records]
        kinds = _kinds(values)
        if len(kinds) > 1 and not any(kinds <= together for together in _TOGETHER):
            raise JobResultInvalid(
                f"column {name!r} holds {' and '.join(sorted(kinds))} "
                f"in rows {first_row} to {first_row + len(records) - 1}",
                hint=_HINT.format(name=name),
            )
        if "Decimal" in kinds:  # Arrow would take the digits of the first value for all
            values = [Decimal(value) if isinstance(value, int) else value for value in values]
        columns[name] = _in_utc(_array(name, values, None))
    return pa.RecordBatch.from_pydict(columns)


def common_schema(schemas: Iterable[pa.Schema]) -> pa.Schema:
    """The schema that holds the values of all batches: whole numbers with doubles are doubles, and so on.

    Raises:
        JobResultInvalid: there is none.
    """
    try:
        return pa.unify_schemas(list(schemas), promote_options="permissive")
    except pa.ArrowException as error:
        raise JobResultInvalid(
            f"the rows do not fit together: {error}", hint="convert the values in the job, or use columns="
        ) from error


def widened(batch: pa.RecordBatch, schema: pa.Schema) -> pa.RecordBatch:
    """A batch in the types of a wider schema.

    Raises:
        JobResultInvalid: a value would become another one, such as a whole number above 2^53 as a double.
    """
    arrays = []
    for field in schema:
        at = batch.schema.get_field_index(field.name)
        if at >= 0 and _would_bend(batch.column(at).type, field.type):
            raise _unfit(field.name, TypeError(f"{batch.column(at).type} and {field.type} in one column"))
        try:
            has = batch.column(at).cast(field.type) if at >= 0 else pa.nulls(batch.num_rows, field.type)
        except pa.ArrowException as error:
            raise _unfit(field.name, error) from error
        arrays.append(has)
    return pa.RecordBatch.from_arrays(arrays, schema=schema)


def in_pieces(records: Iterable[object]) -> Iterable[list[Record]]:
    """Some records at a time.

    Raises (while it is read):
        JobResultInvalid: something in it is no dict.
    """
    iterator = iter(records)
    while piece := list(islice(iterator, BATCH_ROWS)):
        kept: list[Record] = []
        for record in piece:
            if not isinstance(record, Mapping):
                raise JobResultInvalid(
                    f"the function returned a row of type {type(record).__name__}",
                    hint="a row is a dict: column name -> value",
                )
            kept.append(record)
        yield kept


def _kinds(values: Sequence[object]) -> set[str]:
    """The kinds of the values, NULL left out."""
    kinds = {_kind(of) for of in set(map(type, values)) - {type(None)}}
    if "datetime" in kinds:
        zoned = {value.tzinfo is not None for value in values if isinstance(value, datetime)}
        kinds = (kinds - {"datetime"}) | {ZONED if is_zoned else "datetime" for is_zoned in zoned}
    return kinds


def _kind(of: type) -> str:
    return next((name for base, name in _KINDS if issubclass(of, base)), of.__name__)


def _declared(name: str, of: object) -> SqlType:
    try:
        return sql_type_named(str(of).upper().replace(" ", ""))
    except (KeyError, ValueError):
        raise JobResultInvalid(
            f"column {name!r} is declared {of!r}, which is no type",
            hint=f"one of {', '.join(SQL_TYPES)}, DECIMAL(p,s), or a pyarrow.DataType",
        ) from None


def _array(name: str, values: Sequence[object], of: pa.DataType | None) -> "pa.Array[Any]":
    try:
        return pa.array(values, type=of)
    except (pa.ArrowException, OverflowError, ValueError, TypeError) as error:
        raise _unfit(name, error) from error


def _would_bend(of: pa.DataType, wider: pa.DataType) -> bool:
    """Whether Arrow would widen where another kind of value comes out."""
    is_decimal_as_double = pa.types.is_decimal(of) and pa.types.is_floating(wider)
    return is_decimal_as_double or (pa.types.is_string(of) and pa.types.is_binary(wider))


def _in_utc(array: "pa.Array[Any]") -> "pa.Array[Any]":
    return array.cast(UTC_TIMES) if getattr(array.type, "tz", None) else array


def _unfit(name: str, error: Exception) -> JobResultInvalid:
    return JobResultInvalid(
        f"a value of column {name!r} cannot be held: {error}", hint=_HINT.format(name=name)
    )
