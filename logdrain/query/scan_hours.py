"""A scan is typed by the hours that it reads: one event must not change a column for all other hours.

Which hours a scan reads is known only when the names and functions of a query are. So it is planned with all
that its tables have ever held, and once more where the hours of its scans change a type that it uses.
"""

from collections.abc import Callable, Mapping, Sequence

from logdrain.errors import SqlError
from logdrain.model.catalog import WithoutValue
from logdrain.model.plans import TimeRange
from logdrain.model.queries import Plan
from logdrain.query.sql.context import PlanContext, ScanBuilder, sql_errors

Step = Callable[[PlanContext], None]


def plan_by_hours(
    new_context: Callable[[], PlanContext], plan: Callable[[PlanContext], Plan], untyped_steps: Sequence[Step]
) -> Plan:
    """Plan a query whose scans are typed by the hours that they read.

    A field without a value in these hours has the type of all other hours; none where the query could not be
    planned then. A query that can only be planned with the types of all hours is planned with them.

    Args:
        new_context: What planning starts from.
        plan: Plans.
        untyped_steps: As far as the time ranges of the scans, without those that check types.

    Raises:
        SqlError: it cannot be planned either way.
    """
    context = new_context()
    found = _try(plan, context)
    if not any(scan.catalog.hours for scan in context.scans.values()):
        return _planned(found)
    if isinstance(found, Plan):
        ranges = _ranges(found)
        if not any(_is_changed(scan, ranges[name]) for name, scan in context.scans.items()):
            return found
    else:
        ranges = _time_ranges(new_context(), untyped_steps)
    by_hours = _try(plan, _typed(new_context(), ranges, WithoutValue.AS_EVER))
    if isinstance(by_hours, Plan) and _ranges(by_hours) == ranges:
        return by_hours
    if isinstance(found, Plan):
        return found
    untyped = _try(plan, _typed(new_context(), ranges, WithoutValue.UNTYPED))
    if isinstance(untyped, Plan) and _ranges(untyped) == ranges:
        return untyped
    return _planned(by_hours if isinstance(by_hours, SqlError) else found)


def _try(plan: Callable[[PlanContext], Plan], context: PlanContext) -> Plan | SqlError:
    try:
        return plan(context)
    except SqlError as error:
        return error


def _planned(found: Plan | SqlError) -> Plan:
    if isinstance(found, SqlError):
        raise found
    return found


def _ranges(plan: Plan) -> dict[str, TimeRange]:
    return {scan.name: scan.time_range for scan in plan.scans}


def _is_changed(scan: ScanBuilder, hours: TimeRange) -> bool:
    """Whether a field that the scan reads, or one around or below it, has other types in these hours."""
    narrow = scan.catalog.within(*hours)
    changed = [path for path, types in scan.catalog.fields.items() if narrow.types(path) != types]
    return any(read[: len(path)] == path[: len(read)] for path in changed for read in scan.columns)


def _time_ranges(context: PlanContext, steps: Sequence[Step]) -> dict[str, TimeRange]:
    """The time range of each scan of a query whose types do not fit, as far as it can be known."""
    try:
        with sql_errors(context, context.warnings):
            for step in steps:
                step(context)
    except SqlError:
        return {}
    return {name: scan.time_range for name, scan in context.scans.items()}


def _typed(context: PlanContext, ranges: Mapping[str, TimeRange], without_value: WithoutValue) -> PlanContext:
    context.time_ranges, context.without_value = ranges, without_value
    return context
