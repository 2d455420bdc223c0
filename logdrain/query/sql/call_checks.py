"""Calls of functions with too few or too many arguments."""

from sqlglot import exp

from logdrain.errors import SqlTypeError, UnknownFunction
from logdrain.model.plans import Dialect
from logdrain.query.sql.context import PlanContext
from logdrain.query.sql.hivemall import is_of_hivemall
from logdrain.query.sql.signatures import SIGNATURES


def check_calls(context: PlanContext) -> None:
    """Count the arguments of each call, so that later steps find those that they need.

    Raises:
        SqlTypeError: a call has too few or too many.
        UnknownFunction: it is one of Hivemall's.
    """
    for call in context.statement.find_all(exp.Func):
        check_call(context, call)


def check_call(context: PlanContext, call: exp.Func) -> None:
    """Count the arguments of one call. Raises what `check_calls` does."""
    problem = ""
    if context.dialect is Dialect.HIVE:
        _check_hivemall(context, call)
    if type(call) is exp.Anonymous:
        signature = SIGNATURES[context.dialect].get(call.name.lower())
        problem = signature.problem(call.name.upper(), len(call.expressions)) if signature else ""
    elif any(is_needed and call.args.get(part) is None for part, is_needed in call.arg_types.items()):
        problem = f"{(context.written(call) or call.sql_name()).upper()} needs more arguments"
    if problem:
        raise SqlTypeError(problem, place=context.place(call))


def _check_hivemall(context: PlanContext, call: exp.Func) -> None:
    name = context.written(call) or call.sql_name()
    if is_of_hivemall(name) and name.lower() not in SIGNATURES[Dialect.HIVE]:
        raise UnknownFunction(
            f"{name} is a function of Hivemall, which is not run here",
            place=context.place(call),
            hint="train and predict in a job in Python, over the rows of a query",
        )
