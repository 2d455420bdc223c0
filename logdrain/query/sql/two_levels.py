"""A SELECT in two levels: its rows and groups in a query below, its windows above.

For windows over what the engine does not take in one.
"""

from sqlglot import exp

from logdrain.query.sql.context import quoted
from logdrain.query.sql.kinds import AROUND_AGGREGATES, is_aggregate

_BELOW = ("from_", "joins", "laterals", "where", "group", "having")
_ABOVE = ("expressions", "distinct", "order")


def split(select: exp.Select) -> exp.Select:
    """Take FROM, WHERE, GROUP BY and HAVING out of a query; returns the query below, without columns."""
    group = select.args.get("group")
    if group:
        group.set("expressions", group_keys(select))
    below = exp.Select(**{part: select.args[part] for part in _BELOW if select.args.get(part)})
    for part in _BELOW:
        select.set(part, None)
    return below


def group_keys(select: exp.Select) -> list[exp.Expr]:
    """What a query groups by, the numbers of columns as those columns."""
    group = select.args.get("group")
    keys = group.expressions if group else []
    return [select.expressions[int(key.name) - 1].unalias().copy() if key.is_int else key for key in keys]


def join(select: exp.Select, below: exp.Select, name: str) -> None:
    """Let the query above read from the one below, which gets a column for each thing that is read.

    Args:
        select: The query above; what it has of the one below is called `name` already.
        below: Its columns that are there already stay.
        name: What the query below is called.
    """
    group = below.args.get("group")
    reader = _Reader(below, name, group.expressions if group else [])
    for part in _ABOVE:
        value = select.args.get(part)
        for root in value if isinstance(value, list) else [value]:
            if isinstance(root, exp.Expr):
                reader.visit(root)
    select.set("from_", exp.From(this=below.subquery(quoted(name))))


class _Reader:
    def __init__(self, below: exp.Select, name: str, keys: list[exp.Expr]) -> None:
        self._below = below
        self._name = name
        self._keys = keys
        self._columns: dict[exp.Expr, str] = {}

    def visit(self, node: exp.Expr) -> None:
        """Replace the parts of an expression that belong below."""
        if isinstance(node, exp.Query):
            return
        if isinstance(node, exp.Window):
            self._visit_children(_function(node))
            for part in ("partition_by", "order"):
                value = node.args.get(part)
                for child in value if isinstance(value, list) else [value]:
                    if isinstance(child, exp.Expr):
                        self.visit(child)
        elif self._is_below(node):
            self._read(node)
        else:
            self._visit_children(node)

    def _visit_children(self, node: exp.Expr) -> None:
        for child in list(node.iter_expressions()):
            self.visit(child)

    def _is_below(self, node: exp.Expr) -> bool:
        if isinstance(node, exp.Column):
            return bool(node.table) and node.table != self._name
        return node in self._keys or is_aggregate(node) or isinstance(node, AROUND_AGGREGATES)

    def _read(self, node: exp.Expr) -> None:
        if node not in self._columns:
            self._columns[node.copy()] = f"_column_{len(self._columns)}"
            self._below.append("expressions", exp.alias_(node.copy(), self._columns[node], quoted=True))
        column = exp.column(quoted(self._columns[node]), table=quoted(self._name))
        column.type = node.type
        node.replace(column)


def _function(window: exp.Window) -> exp.Expr:
    """The function of a window, without IGNORE NULLS and FILTER around it."""
    function: exp.Expr = window.this
    while isinstance(function, AROUND_AGGREGATES):
        function = function.this
    return function
