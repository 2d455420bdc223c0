"""From the dialect's meaning to the engine's: TD functions folded, the clock fixed, numbers kept."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from sqlglot import exp
from sqlglot.schema import MappingSchema

from logdrain.errors import SqlTypeError, UnknownFunction
from logdrain.model.plans import Dialect
from logdrain.query.sql.constants import bigint
from logdrain.query.sql.context import PlanContext
from logdrain.query.sql.dialect import FRONT_DOORS, UntypedCast
from logdrain.query.sql.inference import infer
from logdrain.query.sql.kinds import REAL, WHOLE, is_of
from logdrain.query.sql.signatures import LIKE_AN_ARGUMENT, RETURNED_TYPES
from logdrain.query.sql.zoned_types import annotators, called_zone, zoned
from logdrain.query.td.calls import Call
from logdrain.query.td.registry import ANY_NUMBER, REFUSED_FUNCTIONS, TD_FUNCTIONS, TdFunction
from logdrain.query.values.scalars import SCALAR_FUNCTIONS
from logdrain.types.sql_types import engine_type, sql_type

_WHOLE_OR_NULL = WHOLE | {exp.DType.NULL}
_PERHAPS_WHOLE = _WHOLE_OR_NULL | {exp.DType.BOOLEAN}


def infer_types(context: PlanContext) -> None:
    """Note the type of every expression that can be known from the catalogs."""
    dialect = FRONT_DOORS[context.request.dialect]
    columns: dict[str, object] = {
        scan.name: {column.name: sql_type(column.type) for column in scan.columns.values()}
        for scan in context.scans.values()
    }
    for read in context.result_scans.values():
        columns[read.name] = {name: engine_type(column.type) for name, column in read.columns.items()}
    renamed = _give_their_names(context.statement)
    schema = MappingSchema(columns, dialect=dialect, normalize=False)
    infer(context.statement, schema, _INFERENCE[context.request.dialect])
    for projection, name in renamed:
        projection.set("alias", name)


def _annotate_call(_: Any, node: exp.Anonymous) -> None:
    function, zone = TD_FUNCTIONS.get(node.name.upper()), called_zone(node)
    like = LIKE_AN_ARGUMENT.get(node.name.lower())
    if like is not None and like < len(node.expressions):
        node.type = node.expressions[like].type
        return
    known = zoned(zone) if zone else _RETURNED_TYPES.get(node.name.lower(), exp.DType.UNKNOWN)
    node.type = function.returns if function else known


_RETURNED_TYPES = {
    **RETURNED_TYPES,
    **{scalar.name: engine_type(scalar.returns).this for scalar in SCALAR_FUNCTIONS},
}


_INFERENCE = {
    dialect: {
        **front_door.EXPRESSION_METADATA,
        exp.Anonymous: {"annotator": _annotate_call},
        **annotators(dialect),
    }
    for dialect, front_door in FRONT_DOORS.items()
}


def _give_their_names(statement: exp.Query) -> list[tuple[exp.Alias, exp.Identifier]]:
    """Name columns as `WITH t(a, b)` does, which inference does not see; returns what they were called."""
    renamed = []
    for node in statement.find_all(exp.CTE, exp.Subquery):
        query = node.this
        while isinstance(query, exp.SetOperation):
            query = query.left
        columns = node.alias_column_names
        for projection, column in zip(query.selects if columns else (), columns, strict=False):
            if isinstance(projection, exp.Alias):
                renamed.append((projection, projection.args["alias"]))
                projection.set("alias", exp.to_identifier(column, quoted=True))
    return renamed


def rewrite_td_functions(context: PlanContext) -> None:
    """Replace each TD function by what the engine runs, the innermost first.

    Raises:
        SqlTypeError: the wrong number of arguments, or one that cannot be read.
        UnknownFunction: one of those that are refused.
    """
    _stop_unix_timestamp(context)
    for node in reversed(list(context.statement.find_all(exp.Anonymous))):
        name = node.name.upper()
        refused = REFUSED_FUNCTIONS.get(name)
        if refused:
            raise UnknownFunction(
                f"{name} is not run here: {refused.reason}", place=context.place(node), hint=refused.instead
            )
        function = TD_FUNCTIONS.get(name)
        if function is None:
            continue
        if len(node.expressions) not in function.argument_counts:
            raise SqlTypeError(
                f"{name} takes {_counts(function)}, not {len(node.expressions)}", place=context.place(node)
            )
        node.replace(function.rewrite(Call(name, node, node.expressions, context)))


def _counts(function: TdFunction) -> str:
    counts = function.argument_counts
    if counts.stop == ANY_NUMBER:
        text = f"at least {counts.start}"
    else:
        text = " or ".join(str(count) for count in counts)
    return f"{text} argument{'' if text.endswith(' 1') or text == '1' else 's'}"


def complete_casts(context: PlanContext) -> None:
    """Read `CAST(x)` as a cast to a number, with a warning.

    BIGINT where x is whole, unseen or true/false, else DOUBLE; text that is no number becomes NULL.
    """
    warnings = []
    for node in reversed(list(context.statement.find_all(UntypedCast))):  # the innermost first
        argument = node.this
        number: exp.Cast
        if is_of(argument, _PERHAPS_WHOLE):
            number = exp.Cast(this=argument.copy(), to=exp.DType.BIGINT.into_expr())
        elif is_of(argument, REAL):
            number = exp.Cast(this=argument.copy(), to=exp.DType.DOUBLE.into_expr())
        else:
            number = exp.TryCast(this=argument.copy(), to=exp.DType.DOUBLE.into_expr(), safe=True)
        written = context.readable(argument)
        warnings.append(
            f"{context.place(node)}: CAST({written}) has no type and is read as a cast to {number.to.sql()};"
            f" write CAST({written} AS {number.to.sql()})"
        )
        node.replace(number)
    for warning in reversed(warnings):
        context.warn(warning)


def freeze_now(context: PlanContext) -> None:
    """The present is the request's: a query that is planned twice says the same."""
    now = datetime.fromtimestamp(context.request.now_s, UTC)
    for node in list(context.statement.find_all(exp.Func)):
        if type(node) in _CLOCK:
            context.counts_from_now.append(f"{node.sql_name()} ({context.place(node)})")
            kind, text = _CLOCK[type(node)]
            node.replace(exp.cast(exp.Literal.string(text(now)), kind))


def _stop_unix_timestamp(context: PlanContext) -> None:
    """Hive's unix_timestamp() is a number, and so a constant argument."""
    for node in list(context.statement.find_all(exp.StrToUnix)):
        if isinstance(node.this, exp.CurrentTimestamp):
            context.counts_from_now.append(f"UNIX_TIMESTAMP ({context.place(node)})")
            node.replace(bigint(context.request.now_s))


_CLOCK: dict[type[exp.Expr], tuple[exp.DType, Callable[[datetime], str]]] = {
    exp.CurrentTimestamp: (exp.DType.TIMESTAMPTZ, lambda now: f"{now:%Y-%m-%d %H:%M:%S}+00:00"),
    exp.Localtimestamp: (exp.DType.TIMESTAMP, lambda now: f"{now:%Y-%m-%d %H:%M:%S}.000"),
    exp.CurrentDate: (exp.DType.DATE, lambda now: f"{now:%Y-%m-%d}"),
    exp.CurrentTime: (exp.DType.TIME, lambda now: f"{now:%H:%M:%S}"),
    exp.Localtime: (exp.DType.TIME, lambda now: f"{now:%H:%M:%S}"),
}


def match_integer_semantics(context: PlanContext) -> None:
    """Numbers behave as in the dialect: sums stay BIGINT, division and casts cut or round as it does."""
    for node in reversed(list(context.statement.walk())):
        if isinstance(node, exp.CountIf) or (isinstance(node, exp.Sum) and is_of(node, _WHOLE_OR_NULL)):
            _as_bigint(node)
        elif isinstance(node, exp.Div) and node.args.get("typed"):
            if is_of(node.left, WHOLE) and is_of(node.right, WHOLE):
                quotient = exp.Paren(this=exp.IntDiv(this=node.left, expression=node.right))
                quotient.type = node.type
                node.replace(quotient)
        elif isinstance(node, exp.Cast) and is_of(node.to, WHOLE) and is_of(node.this, REAL):
            # The engine rounds halves of doubles to even; Trino rounds them away from zero, Hive cuts.
            cut = exp.Round if context.request.dialect is Dialect.TRINO else exp.Trunc
            node.set("this", cut(this=node.this))


def _as_bigint(aggregate: exp.Expr) -> None:
    """Cast an aggregate, with its FILTER and OVER, from the engine's 128-bit sum."""
    whole = aggregate
    while isinstance(whole.parent, (exp.Filter, exp.Window)) and whole.parent.this is whole:
        whole = whole.parent
    whole.replace(exp.cast(whole.copy(), exp.DType.BIGINT))
