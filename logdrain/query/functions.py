"""The TD functions: one entry each. A new function is a new entry."""

from collections.abc import Callable
from dataclasses import dataclass

from sqlglot import exp

from logdrain.query.time_functions import Call, scheduled_time, time_add, time_range


@dataclass(frozen=True, slots=True)
class TdFunction:
    """How a TD function is understood.

    Attributes:
        argument_counts: How many arguments it takes.
        returns: Its SQL type.
        rewrite: Makes what the engine runs instead; constants are folded.
    """

    argument_counts: range
    returns: exp.DType
    rewrite: Callable[[Call], exp.Expr]


TD_FUNCTIONS: dict[str, TdFunction] = {
    "TD_SCHEDULED_TIME": TdFunction(range(1), exp.DType.BIGINT, scheduled_time),
    "TD_TIME_ADD": TdFunction(range(2, 4), exp.DType.BIGINT, time_add),
    "TD_TIME_RANGE": TdFunction(range(2, 5), exp.DType.BOOLEAN, time_range),
}
