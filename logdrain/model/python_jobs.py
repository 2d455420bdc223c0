"""Jobs in Python: a function with `@logdrain.job(…)`. Standard library only: importing it costs nothing.

    import logdrain

    @logdrain.job(cron="0 * * * *", database="production", result="heroku_db:payments_by_method")
    def payments_by_method(context):
        return context.query("SELECT …")

The worker calls it for every slice. What it may return: SQL text, an Arrow table, batch or reader, or an
iterable of dicts.
"""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import Any, Protocol, TypeVar

_OPTIONS = "__logdrain_job__"
_Function = TypeVar("_Function", bound=Callable[..., object])


class JobContext(Protocol):
    """What a job's function gets."""

    @property
    def scheduled_time(self) -> datetime:
        """The slice's cron instant, aware, UTC: what TD_SCHEDULED_TIME() is in SQL."""
        ...

    def query(self, sql: str) -> Any:
        """Run SQL as a SQL job would, and get all of its rows: a `pyarrow.Table`, held in memory."""
        ...

    def scan(
        self,
        table: str,
        start: datetime | int | None,
        end: datetime | int | None,
        columns: Sequence[str] | None = None,
    ) -> Iterator[Any]:
        """Read events as `pyarrow.RecordBatch`es, in bounded memory and no particular order.

        Args:
            table: `database.table`, or a table of the job's database.
            start: Of event time, aware or unix seconds; it belongs to the range. None is the first event.
            end: As `start`, but does not belong to it. None is the last event.
            columns: Fields, those of objects by their path: `item.id`. None are `time` and all fields seen.
        """
        ...


def job(
    *, cron: str, slice_column: str = "time", columns: Any = None, **options: object
) -> Callable[[_Function], _Function]:
    """Make a function a job. The function stays what it is: a test can call it with a context of its own.

    Args:
        cron: Five fields or an alias; "" runs only when it is asked to.
        slice_column: The result column that carries the scheduled time; where a row has none of this name,
            it is filled in. "" for a result without one.
        columns: Name -> SQL type (or `pyarrow.DataType`) of the rows where the function returns dicts;
            needed where there may be none. Without it the types are those of the values.
        options: As in a job file: `timezone`, `delay`, `database`, `dialect`, `result`, `after`,
            `retry_limit`, `catch_up`, `catch_up_max`, `late`, `timeout`, `priority`, `notify`, `enabled`.
    """

    def mark(function: _Function) -> _Function:
        setattr(
            function,
            _OPTIONS,
            {"cron": cron, "slice_column": slice_column, "columns": columns, **options},
        )
        return function

    return mark


def options_of(thing: object) -> dict[str, Any] | None:
    """The options that a function was marked with; None for anything else."""
    found = getattr(thing, _OPTIONS, None)
    return dict(found) if callable(thing) and isinstance(found, dict) else None
