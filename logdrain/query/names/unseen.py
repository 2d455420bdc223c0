"""Fields that no event has had yet, where the engine wants more of them than NULL."""

from sqlglot import exp

from logdrain.query.sql.context import PlanContext


def is_unseen(node: exp.Expr) -> bool:
    """Whether it is a field that no event has had yet; its type is noted (`infer_types`)."""
    return bool(node.type and node.type.args.get("nullable"))


def empty_unseen_unnest(context: PlanContext) -> None:
    """UNNEST of a list that no event has had yet is no row, as of NULL."""
    for column in list(context.statement.find_all(exp.Column)):
        if isinstance(column.parent, exp.Unnest) and is_unseen(column):
            column.replace(exp.Array(expressions=[]))
