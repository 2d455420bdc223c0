"""TD_SCHEDULED_TIME, TD_TIME_ADD and TD_TIME_RANGE: from a call to what the engine runs."""

from datetime import UTC, tzinfo

from sqlglot import exp

from logdrain.errors import NumberOverflow
from logdrain.query.sql.constants import Constant, bigint, constant
from logdrain.query.sql.kinds import NUMBER, REAL, TEMPORAL, TEXT, is_of
from logdrain.query.td.calls import Call, operand
from logdrain.query.values.scalars import DURATION, DURATION_HINT, TIME_PARSE
from logdrain.query.values.td_time import BIGINT_MAX, BIGINT_MIN, duration_s, find_zone, unix_time

SCHEDULED = "is_scheduled_time"
"""Mark (in a node's meta) of what was TD_SCHEDULED_TIME()."""

_TIME_HINT = "write 'yyyy-MM-dd' or 'yyyy-MM-dd HH:mm:ss', with or without a zone after it"


def scheduled_time(call: Call) -> exp.Expr:
    """`TD_SCHEDULED_TIME() -> long`: the schedule's exact time, unix seconds."""
    folded = bigint(call.context.request.scheduled_time_s)
    folded.meta[SCHEDULED] = True
    return folded


def time_add(call: Call) -> exp.Expr:
    """`TD_TIME_ADD(long or string, duration [, zone]) -> long`; the zone is for strings without one."""
    duration = constant(call.arguments[1])
    time = _time(call, call.arguments[0], call.zone(2))
    if is_of(time, REAL):
        time = exp.cast(exp.Floor(this=time), exp.DType.BIGINT)
    if duration is None:
        return exp.Paren(this=exp.Add(this=operand(time), expression=_seconds_of(call, call.arguments[1])))
    seconds = duration_s(duration.value) if isinstance(duration.value, str) else None
    if seconds is None and duration.value is not None:
        raise call.wrong(call.arguments[1], f"{duration.value!r} is no duration", DURATION_HINT)
    known = constant(time)
    if seconds is None or (known is not None and known.value is None):
        return bigint(None)
    if known is not None and isinstance(known.value, int):
        total = known.value + seconds
        if not BIGINT_MIN <= total <= BIGINT_MAX:
            raise NumberOverflow(
                f"{call.name} leaves the range of bigint", place=call.context.place(call.node)
            )
        return bigint(total)
    return exp.Paren(this=exp.Add(this=operand(time), expression=bigint(seconds)))


def _seconds_of(call: Call, duration: exp.Expr) -> exp.Expr:
    """A duration that is not known before the query runs."""
    if is_of(duration, NUMBER | TEMPORAL):
        written = f"{call.context.readable(duration)} is {duration.type}, no duration"
        raise call.wrong(duration, written, DURATION_HINT)
    return exp.Anonymous(this=DURATION.name, expressions=[exp.cast(duration.copy(), exp.DType.VARCHAR)])


def time_range(call: Call) -> exp.Expr:
    """`TD_TIME_RANGE(long, start [, end [, zone]]) -> bool`: `start <= t < end`; NULL is an open end.

    A zone's name in the place of the end is Treasure Data's documented mistake: the end stays open there, and
    so it does here, with a warning.
    """
    time, zone = call.arguments[0], call.zone(3)
    start = _time(call, call.arguments[1], zone)
    end = exp.Null() if _is_mistaken_zone(call) else _time(call, call.argument(2), zone)
    sides = [
        comparison(this=operand(time.copy()), expression=operand(bound))
        for comparison, bound in ((exp.GTE, start), (exp.LT, end))
        if constant(bound) is None or constant(bound) != Constant(None)
    ]
    if not sides:
        return exp.Paren(this=exp.Not(this=exp.Is(this=operand(time), expression=exp.Null())))
    return exp.Paren(this=exp.and_(*sides, copy=False))


def _is_mistaken_zone(call: Call) -> bool:
    third = constant(call.argument(2))
    is_zone = (
        third is not None
        and isinstance(third.value, str)
        and unix_time(third.value, UTC) is None
        and find_zone(third.value) is not None
    )
    if is_zone and third is not None:
        call.context.warn(
            f"{call.name}: {third.value!r} stands where the end belongs, "
            f"so the range has no end; write {call.name}(time, start, NULL, {third.value!r})",
            call.node,
        )
    return is_zone


def _time(call: Call, argument: exp.Expr, zone: tzinfo) -> exp.Expr:
    """A time argument as unix seconds: folded where it is constant, parsed by the engine where it is text."""
    known = constant(argument)
    if known is None:
        if is_of(argument, TEXT):
            return exp.Anonymous(this=TIME_PARSE, expressions=[argument.copy(), _zone_name(call)])
        return argument.copy()
    if known.value is None or type(known.value) is int:
        return bigint(known.value)
    if not isinstance(known.value, str):
        raise call.wrong(argument, f"{known.value} is no time", "write unix seconds or a string")
    seconds = unix_time(known.value, zone)
    if seconds is None:
        raise call.wrong(argument, f"{known.value!r} is no time", _TIME_HINT)
    return bigint(seconds)


def _zone_name(call: Call) -> exp.Expr:
    last = call.arguments[-1]
    takes_zone = {"TD_TIME_ADD": 3, "TD_TIME_RANGE": 4}[call.name]
    known = constant(last) if len(call.arguments) == takes_zone else None
    return exp.Literal.string(str(known.value) if known is not None and known.value is not None else "UTC")
