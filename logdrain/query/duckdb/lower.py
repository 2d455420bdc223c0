"""The recipe: from an understood plan to DuckDB's SQL, and from DuckDB's errors to places in the text."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from sqlglot import exp

from logdrain.model.plans import Dialect
from logdrain.model.queries import EngineQuery, Plan
from logdrain.query.duckdb.errors import Clues, engine_error, error_position, find_risks
from logdrain.query.duckdb.failure import DuckdbFailure
from logdrain.query.duckdb.translations import translate_functions
from logdrain.query.duckdb.write_sql import find_places, write_sql
from logdrain.query.duckdb.zones import lower_time_zones
from logdrain.query.sql.context import SqlTree, sql_errors
from logdrain.query.sql.kinds import REAL, WHOLE, is_of


def lower(plan: Plan) -> EngineQuery:
    """Write an understood plan as DuckDB's SQL; the plan stays as it is.

    Raises:
        UnknownFunction, UnsupportedSql, SqlTypeError: what DuckDB has nothing for, with its place.
    """
    tree = _tree(plan)
    with sql_errors(tree, plan.warnings):
        for step in STEPS:
            step(tree)
        return EngineQuery(plan, write_sql(tree))


@contextmanager
def query_errors(query: EngineQuery) -> Iterator[None]:
    """What DuckDB says of a query becomes an error with a place in its text."""
    try:
        yield
    except DuckdbFailure as failure:
        position = error_position(failure.explained, query.sql)
        raise engine_error(failure.said, query.sql, _find_clues(query), position) from None


def _find_clues(query: EngineQuery) -> Clues:
    """What tells where an error of a query comes from. It lowers the plan again: errors are few."""
    tree = _tree(query.plan)
    risks = find_risks(tree)  # before the steps move things about
    for step in STEPS:
        step(tree)
    return Clues(risks, find_places(tree, query.sql))


def _tree(plan: Plan) -> SqlTree:
    return SqlTree(plan.statement.copy(), plan.text, plan.dialect, plan.is_written)


def match_integer_semantics(tree: SqlTree) -> None:
    """Numbers behave as in the dialect: sums stay BIGINT, division and casts cut or round as it does."""
    for node in reversed(list(tree.statement.walk())):
        if isinstance(node, exp.CountIf) or (isinstance(node, exp.Sum) and is_of(node, WHOLE)):
            _as_bigint(node)
        elif isinstance(node, exp.Div) and node.args.get("typed"):
            if is_of(node.left, WHOLE) and is_of(node.right, WHOLE):
                node.replace(exp.Paren(this=exp.IntDiv(this=node.left, expression=node.right)))
        elif isinstance(node, exp.Cast) and is_of(node.to, WHOLE) and is_of(node.this, REAL):
            # The engine rounds halves of doubles to even; Trino rounds them away from zero, Hive cuts.
            cut = exp.Round if tree.dialect is Dialect.TRINO else exp.Trunc
            node.set("this", cut(this=node.this))


def _as_bigint(aggregate: exp.Expr) -> None:
    """Cast an aggregate, with its FILTER and OVER, from the engine's 128-bit sum."""
    whole = aggregate
    while isinstance(whole.parent, (exp.Filter, exp.Window)) and whole.parent.this is whole:
        whole = whole.parent
    whole.replace(exp.cast(whole.copy(), exp.DType.BIGINT))


STEPS: tuple[Callable[[SqlTree], None], ...] = (
    match_integer_semantics,
    lower_time_zones,
    translate_functions,
)
