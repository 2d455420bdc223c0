"""TD_INTERVAL and TD_INTERVAL_RANGE: ranges that count from the scheduled time or from now."""

import re

from sqlglot import exp

from logdrain.query.sql.constants import bigint, constant
from logdrain.query.td.calls import Call, operand
from logdrain.query.td.time_functions import SCHEDULED
from logdrain.query.values.td_interval import interval

# The call, wherever it stands: Treasure Data looks at the text, so a comment is enough.
_SCHEDULED_TIME = re.compile(r"TD_SCHEDULED_TIME\s*\(\s*\)", re.IGNORECASE)

_HINT = "write '-1d', '1M', '-7d/-2d', '-1h/now' or '-1d/2016-05-20'; units are s m h d w M q y"


def time_interval(call: Call) -> exp.Expr:
    """`TD_INTERVAL(long, interval [, zone]) -> bool`: `start <= t < end`."""
    time = call.arguments[0]
    start, end = _range(call, 1)
    return exp.Paren(
        this=exp.and_(
            exp.GTE(this=operand(time.copy()), expression=bigint(start)),
            exp.LT(this=operand(time.copy()), expression=bigint(end)),
            copy=False,
        )
    )


def interval_range(call: Call) -> exp.Expr:
    """`TD_INTERVAL_RANGE(interval [, zone]) -> array(start, end)`, unix seconds."""
    start, end = _range(call, 0)
    return exp.Array(expressions=[bigint(start), bigint(end)])


def _range(call: Call, index: int) -> tuple[int, int]:
    """The range of the interval at this place among the arguments; the zone is behind it."""
    for argument in call.arguments:
        if any(part.meta.get(SCHEDULED) for part in argument.walk()):
            raise call.wrong(
                argument,
                "TD_SCHEDULED_TIME() cannot be an argument",
                "the interval counts from it as soon as the query has it anywhere, even in a comment",
            )
    argument, zone = call.arguments[index], call.zone(index + 1)
    known = constant(argument)
    if known is None or not isinstance(known.value, str):
        raise call.wrong(argument, "the interval is not a constant string", _HINT)
    request = call.context.request
    is_scheduled = _SCHEDULED_TIME.search(call.context.text) is not None
    if not is_scheduled:
        call.context.counts_from_now.append(f"{call.name} ({call.context.place(call.node)})")
    base = request.scheduled_time_s if is_scheduled else request.now_s
    try:
        found = interval(known.value, base, zone)
    except OverflowError:
        raise call.wrong(argument, f"{known.value!r} leaves the years 1 to 9999", _HINT) from None
    if found is None:
        raise call.wrong(argument, f"{known.value!r} is no interval", _HINT)
    return found
