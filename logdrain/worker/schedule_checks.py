"""A schedule is checked before it has any slices."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import NamedTuple

from logdrain.answer.queries import Queries
from logdrain.errors import UnknownTable
from logdrain.jobs.cron import parse as parse_cron
from logdrain.model.jobs import Mode, Schedule
from logdrain.model.result_files import FileTarget
from logdrain.query.plan import check_text
from logdrain.results.files.file_places import file_place
from logdrain.results.postgres.unique_key import check_unique
from logdrain.results.url.target import parse_result, resolve, variable_name
from logdrain.worker.slices import slice_request

_ANY_TIME = datetime.fromtimestamp(0, UTC)


@dataclass(frozen=True, slots=True)
class CheckedSchedule:
    """What is known of a schedule before it first runs; `first` is its first scheduled time or None."""

    first: datetime | None
    warnings: tuple[str, ...]


def check_schedule(
    schedule: Schedule,
    result_url: Callable[[str], str],
    queries: Queries,
    now: datetime,
    *,
    result_folder: str = "",
) -> CheckedSchedule:
    """Find what is wrong with a schedule now rather than at its first run.

    A table that has no events yet is a warning: the schedule may be there before the application is.

    Args:
        schedule: What is to be kept.
        result_url: Gives the URL of a named result.
        queries: Plans it.
        now: What the time is.
        result_folder: LOGDRAIN_RESULT_FOLDER, as far as it is known here.

    Raises:
        LogdrainError: cron, zone, result or SQL is wrong, or they do not fit together.
    """
    first = parse_cron(schedule.cron, schedule.timezone).next_after(now)
    result = (
        _check_result(schedule.result, result_url, result_folder) if schedule.result else _CheckedResult()
    )
    if schedule.function:
        return CheckedSchedule(first, result.warnings)
    request = slice_request(schedule, first or now, now)
    warnings = list(result.warnings)
    try:
        plan = queries.plan(request)
    except UnknownTable as error:
        warnings.append(str(error))
    else:
        check_unique(plan.columns, result.unique)
        warnings += plan.warnings
        if plan.counts_from_now:
            warnings.append(
                f"{', '.join(plan.counts_from_now)}: counts from the moment of the run, so a slice that runs "
                "late or again reads other hours; with TD_SCHEDULED_TIME() anywhere in the query, even in a "
                "comment, TD_INTERVAL counts from that"
            )
        if result.adds_rows and plan.slice_column is None:
            again = "again, nor by itself when events come late" if schedule.late_s else "again"
            warnings.append(f"no column is TD_SCHEDULED_TIME(): a slice that has run cannot be run {again}")
    return CheckedSchedule(first, tuple(warnings))


class _CheckedResult(NamedTuple):
    """What is known of a result before anything is written.

    Attributes:
        adds_rows: A slice's rows can only be replaced where a column tells them from others.
        unique: The columns that have to be in the query.
    """

    adds_rows: bool = False
    unique: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


def _check_result(text: str, result_url: Callable[[str], str], result_folder: str) -> _CheckedResult:
    parsed = parse_result(text)
    url = result_url(parsed.name) if parsed.name else parsed.url
    # A variable is the worker's: what it holds is not known here.
    target = None if variable_name(url) else resolve(parsed, url, dict[str, str]().get)
    if not isinstance(target, FileTarget):
        return _CheckedResult(parsed.mode is Mode.APPEND, parsed.unique)
    if not result_folder:
        return _CheckedResult(warnings=("only workers with LOGDRAIN_RESULT_FOLDER write files, below it",))
    file_place(target, _ANY_TIME, result_folder)
    return _CheckedResult()


def check_sql_text(schedule: Schedule) -> None:
    """Find what is wrong with a schedule's SQL whatever tables there are; a job in Python has none.

    Raises:
        SqlError: with line and column.
    """
    if not schedule.function:
        check_text(slice_request(schedule, _ANY_TIME, _ANY_TIME))
