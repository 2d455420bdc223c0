"""What DuckDB takes neither in TRY nor in a lambda is evaluated before it: aggregates, windows, subqueries.

`TRY(SUM(a) / COUNT(*))` divides what has been counted already, and `x -> x IN (SELECT …)` looks into a list.
"""

from collections.abc import Iterator

from sqlglot import exp

from logdrain.errors import UnsupportedSql
from logdrain.query.duckdb.templates import bound, template
from logdrain.query.sql.context import SqlTree
from logdrain.query.sql.kinds import AROUND_AGGREGATES, is_aggregate

_IS_IN = (
    "CASE WHEN LIST_CONTAINS(_1, _0) THEN TRUE WHEN LEN(_1) = 0 THEN FALSE "
    "WHEN _0 IS NULL OR LEN(_1) > LIST_COUNT(_1) THEN NULL ELSE FALSE END"
)


def bind_parts(context: SqlTree) -> None:
    """Take the parts out of every TRY and every lambda, the innermost first.

    Raises:
        UnsupportedSql: a subquery uses the parameter of the lambda around it.
    """
    for node in reversed(list(context.statement.walk())):
        if isinstance(node, exp.Try):
            _bind(node, list(_parts(node.this)))
        elif isinstance(node, exp.Lambda) and isinstance(node.parent, exp.Func) and node.this.find(exp.Query):
            _check_parameters(context, node)
            for found in list(node.this.find_all(exp.In)):
                if found.args.get("query"):
                    found.replace(_in_list(found))
            _bind(node.parent, [part for part in _parts(node.this) if part.find(exp.Query)])


def _parts(node: exp.Expr) -> Iterator[exp.Expr]:
    """The largest parts that have to be evaluated before."""
    is_part = isinstance(node, (*AROUND_AGGREGATES, exp.Query, exp.Exists)) or is_aggregate(node)
    if is_part or (isinstance(node, exp.In) and node.args.get("query")):
        yield node
    else:
        for child in node.iter_expressions():
            yield from _parts(child)


def _bind(node: exp.Expr, parts: list[exp.Expr]) -> None:
    """Evaluate the parts, then the node over what they came to."""
    if not parts:
        return
    values = [part.copy() for part in parts]

    def body(stand_for: list[exp.Expr]) -> exp.Expr:
        for part, stands in zip(parts, stand_for, strict=True):
            stands.type = part.type
            part.replace(stands)
        return node.copy()

    made = bound(values, body)
    made.type = node.type
    node.replace(made)


def _in_list(node: exp.In) -> exp.Expr:
    """`x IN (SELECT a …)` as a question about the list of all a."""
    rows = node.args["query"].unnest().subquery("listed", copy=False)
    rows.args["alias"].set("columns", [exp.to_identifier("entry", quoted=True)])
    listed = exp.ArrayAgg(this=exp.column("entry", table="listed", quoted=True))
    entries = exp.Subquery(this=exp.select(listed).from_(rows))
    return template(_IS_IN, node.this, exp.Coalesce(this=entries, expressions=[exp.Array(expressions=[])]))


def _check_parameters(context: SqlTree, function: exp.Lambda) -> None:
    names = {parameter.name for parameter in function.expressions}
    for query in function.this.find_all(exp.Query):
        for identifier in query.find_all(exp.Identifier):
            is_bare = not isinstance(identifier.parent, (exp.Column, exp.Alias, exp.TableAlias, exp.Table))
            if is_bare and identifier.name in names:
                raise UnsupportedSql(
                    f"a subquery in a lambda that uses its parameter {identifier.name}",
                    place=context.place(query),
                    hint="join the table with UNNEST of the list",
                )
