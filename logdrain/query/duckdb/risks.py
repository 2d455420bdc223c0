"""Where an error that the engine raises while it runs can come from, in the user's own text."""

from sqlglot import exp

from logdrain.model.plans import Risk, RiskyPart
from logdrain.query.sql.context import PlanContext

_ARITHMETIC = (exp.Add, exp.Sub, exp.Mul)
_RISKS: dict[type[exp.Expr], Risk] = {
    exp.Cast: Risk.CAST,
    **dict.fromkeys((exp.Div, exp.IntDiv, exp.Mod), Risk.DIVISION),
    **dict.fromkeys((*_ARITHMETIC, exp.Sum), Risk.OVERFLOW),
    **dict.fromkeys((exp.StrToTime, exp.ParseDatetime), Risk.PARSE),
    **dict.fromkeys((exp.RegexpLike, exp.RegexpExtract, exp.RegexpReplace, exp.RegexpSplit), Risk.PATTERN),
}


def note_risks(context: PlanContext) -> None:
    """Note each part that can fail, with its place; what planning has written itself has none."""
    for node in context.statement.walk():
        risk = _RISKS.get(type(node))
        if risk is None or _is_inner(node) or node.find_ancestor(exp.Try):
            continue
        if not any("start" in part.meta for part in node.walk()):
            continue
        of = node.to.sql(dialect="duckdb") if isinstance(node, exp.Cast) else ""
        part = RiskyPart(risk, context.place(node), context.readable(node), of)
        if part not in context.risky_parts:
            context.risky_parts.append(part)


def _is_inner(node: exp.Expr) -> bool:
    """A term of a longer sum or product, whose text has it: of `a + b + c` only the whole is named."""
    outer = node.parent
    while isinstance(outer, exp.Paren):
        outer = outer.parent
    return isinstance(node, _ARITHMETIC) and isinstance(outer, _ARITHMETIC)
