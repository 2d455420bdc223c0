"""A call of a TD function, as what rewrites it sees it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, tzinfo

from sqlglot import exp

from logdrain.errors import Place, SqlTypeError
from logdrain.query.sql.constants import constant
from logdrain.query.sql.context import PlanContext
from logdrain.query.values.td_time import ZONE_HINT, find_zone


@dataclass(frozen=True, slots=True)
class Call:
    """One call of a TD function."""

    name: str
    node: exp.Expr
    arguments: Sequence[exp.Expr]
    context: PlanContext

    def argument(self, index: int) -> exp.Expr:
        """An argument by its place from 0; NULL where it is left out."""
        return self.arguments[index] if index < len(self.arguments) else exp.Null()

    def wrong(self, argument: exp.Expr, problem: str, hint: str) -> SqlTypeError:
        """An error about one argument, with its place."""
        return SqlTypeError(f"{self.name}: {problem}", place=self._place(argument), hint=hint)

    def zone(self, index: int) -> tzinfo:
        """A zone argument, a constant; UTC where it is NULL or left out.

        Raises:
            SqlTypeError: it is no zone.
        """
        argument = self.argument(index)
        known = constant(argument)
        if known is not None and known.value is None:
            return UTC
        zone = find_zone(known.value) if known is not None and isinstance(known.value, str) else None
        if zone is None:
            raise self.wrong(argument, f"{argument.sql()} is no time zone", ZONE_HINT)
        return zone

    def _place(self, argument: exp.Expr) -> Place:
        has_place = any("start" in part.meta for part in argument.walk())
        return self.context.place(argument if has_place else self.node)


def operand(node: exp.Expr) -> exp.Expr:
    """The node, in parentheses where an operator beside it could take it apart."""
    return exp.Paren(this=node) if isinstance(node, (exp.Binary, exp.Connector)) else node
