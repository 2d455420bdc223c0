"""Rows with `time=start`: column `time` carries where the slice begins, not its scheduled time."""

from collections.abc import Iterator
from datetime import datetime

import pyarrow as pa
import pyarrow.compute as pc

from logdrain.errors import ResultColumnConflict, ResultRefused
from logdrain.ports.streams import ArrowStream
from logdrain.types.postgres_types import TIME


def check_start(slice_column: str | None, starts_at: datetime | None, schedule: str) -> datetime:
    """Where a slice begins, if its rows can carry that.

    Args:
        slice_column: The query's column with the scheduled time, or None.
        starts_at: The instant of its cron before, or None.
        schedule: Name of its schedule.

    Raises:
        ResultColumnConflict: column `time` does not have the scheduled time.
        ResultRefused: no cron says where the slice begins.
    """
    if slice_column != TIME:
        raise ResultColumnConflict(
            "time=start needs a column time with the scheduled time",
            hint="select TD_SCHEDULED_TIME() AS time, or leave time=start out",
        )
    if starts_at is None:
        raise ResultRefused(
            f"schedule {schedule} has no cron, so its slices have no start", hint="leave time=start out"
        )
    return starts_at


def with_start(rows: ArrowStream, ends_s: int, starts_s: int) -> ArrowStream:
    """Rows with one unix time in column `time` in place of another."""
    at = rows.schema.get_field_index(TIME)
    field = rows.schema.field(at)
    ends, starts = (pa.scalar(second, field.type) for second in (ends_s, starts_s))

    def batches() -> Iterator[pa.RecordBatch]:
        for batch in rows:
            times = batch.column(at)
            yield batch.set_column(at, field, pc.if_else(pc.equal(times, ends), starts, times))

    return ArrowStream(rows.schema, batches())
