"""Sums of doubles whose error does not grow with the number of events: it is carried along."""

from sqlglot import exp

from logdrain.query.sql.context import PlanContext
from logdrain.query.sql.kinds import is_of

_DOUBLES = (exp.DType.DOUBLE, exp.DType.FLOAT)
_COMPENSATED: dict[type[exp.Expr], str] = {exp.Sum: "FSUM", exp.Avg: "FAVG"}


def compensated(node: exp.Expr, _: PlanContext) -> exp.Expr:
    """SUM and AVG of doubles, added with compensation, as the store adds them.

    Compensation makes NaN of what is infinite or leaves the range: there the engine's own sum stands. One
    over a window stays as it is: it would be counted twice for every row.
    """
    value = node.this.expressions[0] if isinstance(node.this, exp.Distinct) else node.this
    plain = node.parent if isinstance(node.parent, exp.Filter) else node
    if isinstance(plain.parent, exp.Window) or not is_of(value, _DOUBLES):
        return node
    exact: exp.Expr = exp.Anonymous(this=_COMPENSATED[type(node)], expressions=[node.this.copy()])
    if isinstance(plain, exp.Filter):
        exact = exp.Filter(this=exact, expression=plain.expression.copy())
    is_lost = exp.Anonymous(this="ISNAN", expressions=[exact.copy()])
    whole = exp.Case(ifs=[exp.If(this=is_lost, true=plain.copy())], default=exact)
    whole.type = node.type
    if plain is node:
        return whole
    plain.replace(whole)
    return node
