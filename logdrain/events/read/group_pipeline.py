"""An aggregation -> MongoDB's pipeline, and its documents -> Arrow.

MongoDB and SQL differ where it hurts, and each difference has its answer here: `$sum` of no value is 0, not
NULL; `$sum` of whole numbers becomes a double where it leaves 64 bits; a missing field and NULL are two
groups once there are several keys; sums that are not finite are the engine's to judge.

Behind the last group come the documents of the table's catalog: `$unionWith` reads its collection once the
stages before it have ended, so what the groups are made of is in it.
"""

import math
from collections.abc import Callable, Sequence
from typing import Any

import pyarrow as pa
from bson.codec_options import CodecOptions, DatetimeConversion

from logdrain.errors import ScanTypeChanged
from logdrain.events.bson.table_catalog import of_table
from logdrain.events.mongo_client import CATALOG
from logdrain.events.read.filters import exact_filter
from logdrain.events.read.projection import EVENT_TIME
from logdrain.model.catalog import ColumnType, FieldPath, FieldType
from logdrain.model.events import Table
from logdrain.model.plans import AggregateFunction, Aggregation, GroupKey, Measure, Source
from logdrain.ports.queries import EVENTS
from logdrain.types.arrow_columns import Array, arrow_type, build_array

Document = dict[str, Any]

GROUPS_CODEC: CodecOptions[Document] = CodecOptions(datetime_conversion=DatetimeConversion.DATETIME_MS)
"""How the pipeline's documents are decoded."""

ROWS = "rows"
"""How many events are in a group."""
_WITNESS = "_witness"
_BIGINT_LIMIT = 2**63


def aggregation_pipeline(aggregation: Aggregation, *, has_witnesses: bool) -> list[Document]:
    """The stages.

    Args:
        aggregation: What to ask.
        has_witnesses: Whether each sum has a companion that is NULL where no value was summed; it costs
            about a tenth of the time, and is not needed where no sum is 0.
    """
    group: Document = {"_id": _group_id(aggregation), ROWS: {"$sum": 1}}
    for number, measure in enumerate(aggregation.measures):
        group[f"m{number}"] = _ACCUMULATORS[measure.function](measure)
        if has_witnesses and measure.function is AggregateFunction.SUM:
            group[f"m{number}{_WITNESS}"] = {"$max": _dotted(measure.path)}
    wanted = exact_filter(aggregation.scan)
    return [*([{"$match": wanted}] if wanted else []), {"$group": group}, _catalog_of(aggregation.scan.table)]


def is_group(document: Document) -> bool:
    """Whether one of the pipeline's documents is a group; the others are the catalog's."""
    return ROWS in document


def _catalog_of(table: Table) -> Document:
    stages = [{"$match": of_table(table)}, {"$project": {"_id": 0, "path": 1, "type": 1}}]
    return {"$unionWith": {"coll": CATALOG, "pipeline": stages}}


class NoWitnessError(Exception):
    """The pipeline has to run again, with witnesses."""


class GroupDecoder:
    """Turns the pipeline's documents into batches of `ports.Groups.table`."""

    def __init__(self, aggregation: Aggregation) -> None:
        columns = [arrow_type(ColumnType(source.kind)) for source in aggregation.sources]
        self.schema = pa.schema(
            [pa.field(EVENTS, pa.int64()), *(pa.field(str(number), of) for number, of in enumerate(columns))]
        )
        self._aggregation = aggregation
        self._names = {measure: f"m{number}" for number, measure in enumerate(aggregation.measures)}
        self._held = dict(aggregation.types)

    def decode(self, groups: Sequence[Document], *, has_witnesses: bool) -> pa.RecordBatch:
        """Some of the groups.

        Raises:
            NoWitnessError: a sum is 0, and only a witness can tell whether of nothing.
            ScanTypeChanged: a value is not of its type, or one that MongoDB and the engine may differ about.
        """
        if not has_witnesses and any(group[name] == 0 for name in self._sums() for group in groups):
            raise NoWitnessError
        return self._batch(groups)

    def nothing(self) -> pa.RecordBatch:
        """The one group of an aggregation without GROUP BY over no events."""
        return self._batch([{ROWS: 0}])

    def _batch(self, groups: Sequence[Document]) -> pa.RecordBatch:
        events = pa.array([int(group[ROWS]) for group in groups], pa.int64())
        columns = [self._column(source, groups) for source in self._aggregation.sources]
        return pa.RecordBatch.from_arrays([events, *columns], schema=self.schema)

    def _sums(self) -> list[str]:
        return [name for measure, name in self._names.items() if measure.function is AggregateFunction.SUM]

    def _column(self, source: Source, groups: Sequence[Document]) -> Array:
        values = (
            self._keys(source, groups) if isinstance(source, GroupKey) else self._measured(source, groups)
        )
        where = f"{self._aggregation.scan.table.name}: {_words(source)}"
        return build_array(values, ColumnType(source.kind), where)

    def _keys(self, key: GroupKey, groups: Sequence[Document]) -> list[Any]:
        if len(self._aggregation.keys) == 1:
            return [group["_id"] for group in groups]
        name = f"k{self._aggregation.keys.index(key)}"
        return [group["_id"].get(name) for group in groups]

    def _measured(self, measure: Measure, groups: Sequence[Document]) -> list[Any]:
        name = self._names[measure]
        values = [group.get(name) for group in groups]
        match measure.function:
            case AggregateFunction.COUNT:
                return [value or 0 for value in values]
            case AggregateFunction.MIN | AggregateFunction.MAX:
                return [_unix_s(value) for value in values] if measure.path == EVENT_TIME else values
            case AggregateFunction.SUM:
                witness = f"{name}{_WITNESS}"
                values = [
                    None if group.get(witness, value) is None else value
                    for value, group in zip(values, groups, strict=True)
                ]
            case AggregateFunction.AVG if FieldType.DOUBLE not in self._held[measure.path]:
                _require_exact(measure, values, groups)
        if any(isinstance(value, float) and not math.isfinite(value) for value in values):
            raise ScanTypeChanged(f"{_words(measure)} is not finite")
        return values


def _unix_s(value: Any) -> int | None:
    return None if value is None else int(value) // 1000


def _require_exact(average: Measure, values: Sequence[Any], groups: Sequence[Document]) -> None:
    """Up to 64 bits a sum of whole numbers is exact here as there, and rounded once before it is divided."""
    for value, group in zip(values, groups, strict=True):
        if value is not None and abs(value) * int(group[ROWS]) >= _BIGINT_LIMIT:
            raise ScanTypeChanged(f"{_words(average)} is of a sum beyond 64 bits")


def _words(source: Source) -> str:
    path = ".".join(source.path)
    return path if isinstance(source, GroupKey) else f"{source.function} of {path}"


def _group_id(aggregation: Aggregation) -> Any:
    """One key is the id itself: MongoDB takes a missing field for NULL there, and is faster."""
    keys = aggregation.keys
    if len(keys) == 1:
        return _dotted(keys[0].path)
    held = dict(aggregation.types)
    return {f"k{number}": _key(key.path, held) for number, key in enumerate(keys)} or None


def _key(path: FieldPath, held: dict[FieldPath, frozenset[FieldType]]) -> Any:
    """What was never NULL can only be missing, which needs no second word for it."""
    is_nullable = FieldType.NULL in held.get(path, ())
    return {"$ifNull": [_dotted(path), None]} if is_nullable else _dotted(path)


def _count(measure: Measure) -> Document:
    if not measure.path:
        return {"$sum": 1}
    return {"$sum": {"$cond": [{"$gt": [_dotted(measure.path), None]}, 1, 0]}}


def _dotted(path: FieldPath) -> str:
    return f"${'.'.join(path)}"


_ACCUMULATORS: dict[AggregateFunction, Callable[[Measure], Document]] = {
    AggregateFunction.COUNT: _count,
    AggregateFunction.SUM: lambda measure: {"$sum": _dotted(measure.path)},
    AggregateFunction.MIN: lambda measure: {"$min": _dotted(measure.path)},
    AggregateFunction.MAX: lambda measure: {"$max": _dotted(measure.path)},
    AggregateFunction.AVG: lambda measure: {"$avg": _dotted(measure.path)},
}
