"""A schedule is checked before it has any slices."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import NamedTuple

from logdrain.answer.queries import Queries
from logdrain.config import Settings
from logdrain.errors import UnknownTable
from logdrain.jobs.cron import Cron, skipped_day
from logdrain.jobs.cron import parse as parse_cron
from logdrain.ledger.parts import Ledger
from logdrain.model.jobs import Mode, ResultTarget, Schedule
from logdrain.model.queries import Plan
from logdrain.model.result_files import FileTarget
from logdrain.query.explain import text_sums
from logdrain.query.plan import check_text
from logdrain.results.files.file_places import file_place
from logdrain.results.postgres.target_check import check_target
from logdrain.results.postgres.unique_key import check_unique
from logdrain.results.url.target import parse_result, resolve, variable_name
from logdrain.results.values.start_stream import check_start
from logdrain.types.postgres_types import TIME, check_names
from logdrain.worker.slices import slice_request

CheckTarget = Callable[[ResultTarget, Sequence[str]], Sequence[str]]
"""Looks whether a table can take rows with these columns; returns warnings, raises what is wrong."""

_ANY_TIME = datetime.fromtimestamp(0, UTC)


@dataclass(frozen=True, slots=True)
class CheckedSchedule:
    """What is known of a schedule before it first runs; `first` is its first scheduled time or None."""

    first: datetime | None
    warnings: tuple[str, ...]


def check_for_results(
    schedule: Schedule,
    ledger: Ledger,
    queries: Queries,
    settings: Settings,
    environment: Callable[[str], str | None],
) -> CheckedSchedule:
    """As `check_schedule`, with the ledger's results and clock; the result's Postgres is looked at, too."""
    return check_schedule(
        schedule,
        ledger.results.url,
        queries,
        ledger.clock.now(),
        result_folder=settings.result_folder,
        environment=environment,
        check_target=check_target,
    )


def check_schedule(
    schedule: Schedule,
    result_url: Callable[[str], str],
    queries: Queries,
    now: datetime,
    *,
    result_folder: str = "",
    environment: Callable[[str], str | None] = lambda _: None,
    check_target: CheckTarget = lambda _target, _columns: (),
) -> CheckedSchedule:
    """Find what is wrong with a schedule now rather than at its first run.

    A table that has no events yet is a warning: the schedule may be there before the application is.

    Args:
        schedule: What is to be kept.
        result_url: Gives the URL of a named result.
        queries: Plans it.
        now: What the time is.
        result_folder: LOGDRAIN_RESULT_FOLDER, as far as it is known here.
        environment: Gives variables that results name, as far as they are known here.
        check_target: Looks at the result's Postgres; by default nobody does.

    Raises:
        LogdrainError: cron, zone, result or SQL is wrong, or they do not fit together.
    """
    cron = parse_cron(schedule.cron, schedule.timezone)
    first = cron.next_after(now)
    result = _CheckedResult()
    if schedule.result:
        result = _check_result(schedule.result, result_url, result_folder, environment)
    warnings = [*result.warnings, *_clock_warnings(cron, now)]
    if result.time_is_start:
        check_start(TIME, cron.last_before(first or now), schedule.name)
    columns: tuple[str, ...] = ()
    if not schedule.function:
        try:
            plan = queries.plan(slice_request(schedule, first or now, now))
        except UnknownTable as error:
            warnings.append(str(error))
        else:
            warnings += _check_plan(schedule, plan, result)
            columns = plan.columns
    if result.target:
        warnings += check_target(result.target, columns)
    return CheckedSchedule(first, tuple(warnings))


def _check_plan(schedule: Schedule, plan: Plan, result: "_CheckedResult") -> list[str]:
    """Find what does not fit between a query and its result; returns warnings."""
    check_unique(plan.columns, result.unique)
    if result.time_is_start:
        check_start(plan.slice_column, _ANY_TIME, schedule.name)
    if result.is_postgres:
        check_names(plan.columns)
    warnings = [*plan.warnings, *text_sums(plan)]
    if plan.counts_from_now:
        warnings.append(
            f"{', '.join(plan.counts_from_now)}: counts from the moment of the run, so a slice that runs "
            "late or again reads other hours; with TD_SCHEDULED_TIME() anywhere in the query, even in a "
            "comment, TD_INTERVAL counts from that"
        )
    if result.adds_rows and plan.slice_column is None:
        again = "again, nor by itself when events come late" if schedule.late_s else "again"
        warnings.append(f"no column is TD_SCHEDULED_TIME(): a slice that has run cannot be run {again}")
    return warnings


def _clock_warnings(cron: Cron, now: datetime) -> list[str]:
    skipped = skipped_day(cron, now)
    if skipped is None:
        return []
    place = f"the clock of {cron.zone.key} skips {skipped:%H:%M} on {skipped:%Y-%m-%d}"
    advice = "the next one covers it only if its SQL reads from the slice before; choose another hour"
    return [f"{place}: that day has no slice, and {advice}"]


class _CheckedResult(NamedTuple):
    """What is known of a result before anything is written.

    Attributes:
        adds_rows: A slice's rows can only be replaced where a column tells them from others.
        unique: The columns that have to be in the query.
        is_postgres: Column names have to be such as Postgres can have.
        time_is_start: Rows carry the start of their slice.
        target: The table, where it is known here.
    """

    adds_rows: bool = False
    unique: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    is_postgres: bool = False
    time_is_start: bool = False
    target: ResultTarget | None = None


def _check_result(
    text: str,
    result_url: Callable[[str], str],
    result_folder: str,
    environment: Callable[[str], str | None],
) -> _CheckedResult:
    parsed = parse_result(text)
    url = result_url(parsed.name) if parsed.name else parsed.url
    # A variable is the worker's: what it holds may not be known here.
    variable = variable_name(url)
    is_known = variable is None or bool(environment(variable))
    target = resolve(parsed, url, environment) if is_known else None
    if not isinstance(target, FileTarget):
        return _CheckedResult(
            parsed.mode is Mode.APPEND,
            parsed.unique,
            is_postgres=True,
            time_is_start=parsed.time_is_start,
            target=target,
        )
    if not result_folder:
        said = "only workers with LOGDRAIN_RESULT_FOLDER write files, below it"
        return _CheckedResult(warnings=(said,), time_is_start=parsed.time_is_start)
    file_place(target, _ANY_TIME, result_folder)
    return _CheckedResult(time_is_start=parsed.time_is_start)


def check_sql_text(schedule: Schedule) -> None:
    """Find what is wrong with a schedule's SQL whatever tables there are; a job in Python has none.

    Raises:
        SqlError: with line and column.
    """
    if not schedule.function:
        check_text(slice_request(schedule, _ANY_TIME, _ANY_TIME))
