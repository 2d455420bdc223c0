"""The TD functions: one entry each. A new function is a new entry."""

from collections.abc import Callable
from dataclasses import dataclass

from sqlglot import exp

from logdrain.query.td.calls import Call
from logdrain.query.td.interval_functions import interval_range, time_interval
from logdrain.query.td.optional_functions import address_value, parse_agent, parse_user_agent
from logdrain.query.td.refused_functions import REFUSED_FUNCTIONS
from logdrain.query.td.scalar_functions import of_values, time_format, time_parse
from logdrain.query.td.sessions import session_of, session_window
from logdrain.query.td.sql_functions import as_written, avg_if, first, last, numeric_range, sum_if, x_rank
from logdrain.query.td.time_functions import scheduled_time, time_add, time_range
from logdrain.query.values import scalars
from logdrain.query.values.address_functions import ADDRESS_FUNCTIONS
from logdrain.types.sql_types import engine_type

__all__ = ["ANY_NUMBER", "REFUSED_FUNCTIONS", "TD_FUNCTIONS", "TdFunction"]

ANY_NUMBER = 256
"""The end of `argument_counts` where there is none."""


@dataclass(frozen=True, slots=True)
class TdFunction:
    """How a TD function is understood.

    Attributes:
        argument_counts: How many arguments it takes.
        returns: Its SQL type; UNKNOWN where it is that of an argument.
        rewrite: Makes what the engine runs instead; constants are folded.
    """

    argument_counts: range
    returns: exp.DType
    rewrite: Callable[[Call], exp.Expr]


_TYPE = exp.DType

TD_FUNCTIONS: dict[str, TdFunction] = {
    "SMART_DIGEST": TdFunction(range(1, 3), _TYPE.VARCHAR, of_values(scalars.DIGEST)),
    "TD_APPROX_MOST_FREQUENT": TdFunction(range(2, 4), _TYPE.UNKNOWN, as_written),
    "TD_ARRAY_INDEX": TdFunction(range(2, 3), _TYPE.UNKNOWN, as_written),
    "TD_AVGIF": TdFunction(range(2, 3), _TYPE.DOUBLE, avg_if),
    "TD_DATE_TRUNC": TdFunction(range(2, 4), _TYPE.BIGINT, of_values(scalars.DATE_TRUNC)),
    "TD_DIVIDE": TdFunction(range(2, 3), _TYPE.DOUBLE, as_written),
    "TD_FIRST": TdFunction(range(2, ANY_NUMBER), _TYPE.UNKNOWN, first),
    "TD_INTERVAL": TdFunction(range(2, 4), _TYPE.BOOLEAN, time_interval),
    "TD_INTERVAL_RANGE": TdFunction(range(1, 3), _TYPE.ARRAY, interval_range),
    **{
        name: TdFunction(range(1, 2), engine_type(of).this, address_value)
        for name, (of, _) in ADDRESS_FUNCTIONS.items()
    },
    "TD_LAST": TdFunction(range(2, ANY_NUMBER), _TYPE.UNKNOWN, last),
    "TD_MD5": TdFunction(range(1, 2), _TYPE.VARCHAR, as_written),
    "TD_NUMERIC_RANGE": TdFunction(range(1, 4), _TYPE.BIGINT, numeric_range),
    "TD_PARSE_AGENT": TdFunction(range(1, 2), _TYPE.MAP, parse_agent),
    "TD_PARSE_USER_AGENT": TdFunction(range(1, 3), _TYPE.VARCHAR, parse_user_agent),
    "TD_SCHEDULED_TIME": TdFunction(range(1), _TYPE.BIGINT, scheduled_time),
    "TD_SESSIONIZE": TdFunction(range(3, 4), _TYPE.VARCHAR, session_of),
    "TD_SESSIONIZE_WINDOW": TdFunction(range(2, 3), _TYPE.VARCHAR, session_window),
    "TD_SUBSTRING_INENCODING": TdFunction(range(3, 4), _TYPE.VARCHAR, of_values(scalars.SUBSTRING)),
    "TD_SUMIF": TdFunction(range(2, 3), _TYPE.DOUBLE, sum_if),
    "TD_TIME_ADD": TdFunction(range(2, 4), _TYPE.BIGINT, time_add),
    "TD_TIME_FORMAT": TdFunction(range(2, 4), _TYPE.VARCHAR, time_format),
    "TD_TIME_PARSE": TdFunction(range(1, 3), _TYPE.BIGINT, time_parse),
    "TD_TIME_RANGE": TdFunction(range(2, 5), _TYPE.BOOLEAN, time_range),
    "TD_TIME_STRING": TdFunction(range(2, 4), _TYPE.VARCHAR, of_values(scalars.STRING)),
    "TD_URL_DECODE": TdFunction(range(1, 3), _TYPE.VARCHAR, of_values(scalars.URL_DECODE)),
    "TD_URL_ENCODE": TdFunction(range(1, 3), _TYPE.VARCHAR, of_values(scalars.URL_ENCODE)),
    "TD_X_RANK": TdFunction(range(1, ANY_NUMBER), _TYPE.BIGINT, x_rank),
}
