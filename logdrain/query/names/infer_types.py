"""The type of every expression, as far as catalogs, functions and casts tell it."""

from typing import Any

from sqlglot import exp
from sqlglot.schema import MappingSchema

from logdrain.query.sql.context import PlanContext
from logdrain.query.sql.dialect import FRONT_DOORS, UntypedCast
from logdrain.query.sql.inference import infer
from logdrain.query.sql.kinds import REAL, WHOLE, is_of
from logdrain.query.sql.signatures import LIKE_AN_ARGUMENT, RETURNED_TYPES
from logdrain.query.sql.zoned_types import annotators, called_zone, zoned
from logdrain.query.td.registry import TD_FUNCTIONS
from logdrain.query.values.scalars import SCALAR_FUNCTIONS
from logdrain.types.sql_types import engine_type, sql_type

_PERHAPS_WHOLE = WHOLE | {exp.DType.BOOLEAN, exp.DType.NULL}


def infer_types(context: PlanContext) -> None:
    """Note the type of every expression that can be known from the catalogs."""
    dialect = FRONT_DOORS[context.dialect]
    columns: dict[str, object] = {
        scan.name: {column.name: sql_type(column.type) for column in scan.columns.values()}
        for scan in context.scans.values()
    }
    for read in context.result_scans.values():
        columns[read.name] = {name: engine_type(column.type) for name, column in read.columns.items()}
    renamed = _give_their_names(context.statement)
    schema = MappingSchema(columns, dialect=dialect, normalize=False)
    infer(context.statement, schema, _INFERENCE[context.dialect])
    for projection, name in renamed:
        projection.set("alias", name)


def _annotate_call(_: Any, node: exp.Anonymous) -> None:
    like = LIKE_AN_ARGUMENT.get(node.name.lower())
    if like is not None and like < len(node.expressions):
        node.type = node.expressions[like].type
        return
    function, zone = TD_FUNCTIONS.get(node.name.upper()), called_zone(node)
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
        to = number.to.sql()
        text = f"CAST({written}) has no type and is read as a cast to {to}; write CAST({written} AS {to})"
        warnings.append((text, node))
        node.replace(number)
    for text, node in reversed(warnings):
        context.warn(text, node)
