"""TD functions of values: folded where every argument is constant, else a call of a vector function."""

import math
import re
from collections.abc import Callable

from sqlglot import exp

from logdrain.model.catalog import TypeKind
from logdrain.model.plans import Dialect, Scalar
from logdrain.query.sql.constants import NULL, bigint, constant
from logdrain.query.sql.context import WRITTEN_CALL
from logdrain.query.sql.kinds import REAL, TEMPORAL, is_of
from logdrain.query.td.calls import Call
from logdrain.query.values.scalars import (
    PARSE,
    TIME_FORMAT_OF_HIVE,
    TIME_FORMAT_OF_TRINO,
    Parameter,
    ScalarFunction,
)
from logdrain.types.sql_types import engine_type
from logdrain.types.type_table import COLUMN_KINDS

_FOLDED = ("BIGINT", "VARCHAR")
_FOLDED_TEXT_MAX = 10_000  # characters; what takes longer is the engine's, which can be ended
_INTEGER = re.compile(r"-?[0-9]{1,18}")

_NO_NUMBERS = TEMPORAL | {exp.DType.BOOLEAN, exp.DType.ARRAY, exp.DType.STRUCT}


def of_values(scalar: ScalarFunction) -> Callable[[Call], exp.Expr]:
    """What rewrites the calls of a function of values."""

    def rewrite(call: Call) -> exp.Expr:
        arguments = [call.argument(index) for index in range(len(scalar.parameters))]
        values: list[Scalar | None] = []
        is_constant = True
        for parameter, argument in zip(scalar.parameters, arguments, strict=True):
            known = constant(argument)
            if known is None:
                is_constant = False
            else:
                values.append(_checked(call, parameter, argument, known.value))
        is_short = all(len(value) <= _FOLDED_TEXT_MAX for value in values if isinstance(value, str))
        if is_constant and is_short and scalar.returns in _FOLDED:
            return _literal(scalar(*values), scalar.returns)
        typed = [_typed(call, *pair) for pair in zip(scalar.parameters, arguments, strict=True)]
        made = exp.Anonymous(this=scalar.name, expressions=typed)
        made.type = engine_type(scalar.returns)  # calls around it ask
        made.meta[WRITTEN_CALL] = call.name, len(call.arguments)
        return made

    return rewrite


def time_format(call: Call) -> exp.Expr:
    """`TD_TIME_FORMAT(long, pattern [, zone]) -> string`; `z` is a name in Hive, an offset in Trino."""
    is_hive = call.context.dialect is Dialect.HIVE
    return of_values(TIME_FORMAT_OF_HIVE if is_hive else TIME_FORMAT_OF_TRINO)(call)


def time_parse(call: Call) -> exp.Expr:
    """`TD_TIME_PARSE(string [, zone]) -> long`; a constant that is no time is NULL, with a warning."""
    parsed, written = of_values(PARSE)(call), constant(call.arguments[0])
    if constant(parsed) == NULL and written is not None and written.value is not None:
        call.context.warn(f"{call.name}: {written.value!r} is no time and reads as NULL", call.node)
    return parsed


def _checked(call: Call, parameter: Parameter, argument: exp.Expr, value: Scalar | None) -> Scalar | None:
    """A constant as the parameter's type.

    Raises:
        SqlTypeError: it has another type, or cannot be read.
    """
    if value is None:
        return None
    if parameter.type == "VARCHAR" and type(value) is int:
        value = str(value)
    if parameter.type == "BIGINT":
        value = _whole(value)
    fits = COLUMN_KINDS[TypeKind(parameter.type)].constants
    if isinstance(value, bool) or not isinstance(value, fits) or parameter.read(value) is None:
        raise call.wrong(argument, f"{value!r} is no {parameter.what}", parameter.hint)
    return value


def _whole(value: Scalar) -> Scalar:
    """A number as whole as the parameter is, also one that is written as text; what is none as it is."""
    if isinstance(value, str) and _INTEGER.fullmatch(value):
        return int(value)
    return math.floor(value) if isinstance(value, float) and math.isfinite(value) else value


def _typed(call: Call, parameter: Parameter, argument: exp.Expr) -> exp.Expr:
    """A column as the parameter's type; NULL where it cannot be that.

    Raises:
        SqlTypeError: no value of its type can be that.
    """
    if parameter.type != "VARCHAR" and is_of(argument, _NO_NUMBERS):
        written = f"{call.context.readable(argument)} is {argument.type}, no {parameter.what}"
        raise call.wrong(argument, written, parameter.hint)
    of = engine_type(parameter.type)
    if argument.is_type(of.this):
        return argument.copy()
    if constant(argument) is not None and argument.is_string:
        return argument.copy()
    is_cut = parameter.type == "BIGINT" and is_of(argument, REAL)  # a cast would round
    value = exp.Floor(this=argument.copy()) if is_cut else argument.copy()
    return exp.TryCast(this=value, to=of, safe=True)


def _literal(value: object, returns: str) -> exp.Expr:
    if isinstance(value, int):
        return bigint(value)
    text = exp.Null() if value is None else exp.Literal.string(str(value))
    return exp.Cast(this=text, to=engine_type(returns))
