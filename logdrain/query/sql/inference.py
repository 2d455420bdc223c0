"""Inference of types, also of the columns that a LATERAL subquery makes."""

from typing import Any

from sqlglot import exp
from sqlglot.optimizer.annotate_types import TypeAnnotator
from sqlglot.optimizer.scope import Scope
from sqlglot.schema import MappingSchema


class _Inference(TypeAnnotator):
    """sqlglot's, which knows nothing of such columns."""

    def _get_source_scope_selects(self, source: Scope) -> dict[str, Any]:
        lateral = source.expression
        if not isinstance(lateral, exp.Lateral) or not isinstance(lateral.this, exp.Subquery):
            found: dict[str, Any] = super()._get_source_scope_selects(source)
            return found
        query = lateral.this.this
        names = lateral.alias_column_names or query.named_selects
        return {name: part.type for name, part in zip(names, query.selects, strict=False) if part.type}


def infer(statement: exp.Expr, schema: MappingSchema, rules: Any) -> None:
    """Note the type of every expression.

    Args:
        statement: The whole tree.
        schema: Of the tables in it.
        rules: By kind of expression, as sqlglot has them.
    """
    _Inference(schema=schema, expression_metadata=rules).annotate(statement)
