"""Raw replies of MongoDB -> Arrow batches.

Two decoders. pymongoarrow's is the faster one, but takes what it should not: it cuts doubles to integers,
reads true as 1, and confuses NULL with empty inside lists and objects. So it gets plain scalars only, and
not where a reply has octets that could be such a value; the exact decoder then has the last word.
"""

import warnings
from collections.abc import Sequence
from typing import Any

import bson
import pyarrow as pa
import pyarrow.compute as pc
from bson.codec_options import CodecOptions, DatetimeConversion

from logdrain.events.bson.documents import REFERENCE_OCTETS, own_objects
from logdrain.events.read.projection import EVENT_TIME, FetchedField, fetched_fields, stored_path
from logdrain.model.plans import PseudoColumn, Scan, ScanColumn
from logdrain.types.arrow_columns import Array, arrow_schema, arrow_type, build_array
from logdrain.types.type_table import COLUMN_KINDS

with warnings.catch_warnings():
    # pymongoarrow is built against an earlier patch release of pyarrow; its objects have only grown since.
    warnings.filterwarnings("ignore", r"pyarrow\.lib\.\w+ size changed", RuntimeWarning)
    import pymongoarrow.lib  # noqa: F401  # imported here: the context would import it later, and warn
    from pymongoarrow.context import PyMongoArrowContext
    from pymongoarrow.schema import Schema

# Dates beyond the year 9999 come as DatetimeMS.
_CODEC: CodecOptions[dict[str, Any]] = CodecOptions(datetime_conversion=DatetimeConversion.DATETIME_AUTO)


class BatchDecoder:
    """Turns replies to a scan's projection into batches of the scan's columns."""

    def __init__(self, scan: Scan) -> None:
        self.schema = arrow_schema(scan.columns)
        self.fields = fetched_fields(scan.columns)
        self._columns = scan.columns
        self._table = scan.table.name
        self._uniform_schema = _uniform_schema(self.fields)
        self._suspicious = _suspicious_octets(self.fields)

    def decode(self, reply: bytes) -> pa.RecordBatch:
        """One batch, with one row for each document in a reply.

        Raises:
            ScanTypeChanged: a value is not of its column's type.
        """
        arrays = self._decode_uniform(reply) or self._decode_exact(reply)
        row_count = len(arrays[0])
        by_path = {field.path: array for field, array in zip(self.fields, arrays, strict=True)}
        if not self._columns:
            return pa.RecordBatch.from_arrays([arrays[0]], names=["time"]).select([])
        return pa.RecordBatch.from_arrays(
            [_column(column, by_path, row_count) for column in self._columns], schema=self.schema
        )

    def _decode_uniform(self, reply: bytes) -> list[Array] | None:
        """By pymongoarrow, or None where that would not be safe."""
        if self._uniform_schema is None or any(octets in reply for octets in self._suspicious):
            return None
        context = PyMongoArrowContext(self._uniform_schema)
        try:
            context.process_bson_stream(reply)
        except TypeError:  # a value of another type; the exact decoder says which
            return None
        return [column.combine_chunks() for column in context.finish().columns]

    def _decode_exact(self, reply: bytes) -> list[Array]:
        documents = bson.decode_all(reply, _CODEC)
        if REFERENCE_OCTETS in reply:
            documents = own_objects(documents)
        return [
            build_array(
                [document.get(field.key) for document in documents],
                field.type,
                f"{self._table}: {'.'.join(field.path)}",
            )
            for field in self.fields
        ]


def _uniform_schema(fields: Sequence[FetchedField]) -> Any:
    if any(COLUMN_KINDS[field.type.kind].misread is None for field in fields):
        return None
    return Schema({field.key: arrow_type(field.type) for field in fields})


def _suspicious_octets(fields: Sequence[FetchedField]) -> list[bytes]:
    """How an element that pymongoarrow would misread starts (https://bsonspec.org: type, key, NUL).

    Strings may hold the same octets by chance: then the exact decoder does the work, and all is well.
    """
    return [
        bson_type + field.key.encode() + b"\0"
        for field in fields
        for bson_type in COLUMN_KINDS[field.type.kind].misread or ()
    ]


def _column(column: ScanColumn, by_path: dict[tuple[str, ...], Array], row_count: int) -> Array:
    path = stored_path(column)
    if path is None:
        return pa.nulls(row_count)
    if column.path == (PseudoColumn.TIME.value,):
        return unix_seconds(by_path[EVENT_TIME])
    return by_path[path]


def unix_seconds(timestamps: Array) -> Array:
    """Whole unix seconds, the earlier one where there is a fraction, before 1970 too."""
    milliseconds = timestamps.cast(pa.int64())
    towards_1970 = pc.divide(milliseconds, 1000)
    is_too_late = pc.less(milliseconds, pc.multiply(towards_1970, 1000))
    return pc.subtract(towards_1970, is_too_late.cast(pa.int64()))
