"""Of what kind an expression is: sets of sqlglot's types, and the question whether it is one of them."""

from collections.abc import Collection

from sqlglot import exp

TEXT = frozenset(exp.DataType.TEXT_TYPES)
WHOLE = frozenset(exp.DataType.INTEGER_TYPES)
REAL = frozenset(exp.DataType.REAL_TYPES)
NUMBER = frozenset(exp.DataType.NUMERIC_TYPES)
TEMPORAL = frozenset(exp.DataType.TEMPORAL_TYPES)


_MAPS = (exp.Map, exp.MapFromEntries, exp.VarMap)


def is_map(node: exp.Expr) -> bool:
    """Whether an expression is a map, as far as that is known."""
    return isinstance(node, _MAPS) or is_of(node, (exp.DType.MAP,))


AROUND_AGGREGATES = (exp.Window, exp.Filter, exp.WithinGroup, exp.IgnoreNulls, exp.RespectNulls)
"""What can stand around an aggregate function."""

_AGGREGATE_CALLS = frozenset(
    {
        *(
            "approx_most_frequent",
            "bitwise_and_agg",
            "bitwise_or_agg",
            "bitwise_xor_agg",
            "checksum",
            "every",
        ),
        *("geometric_mean", "histogram", "histogram_numeric", "map_agg", "map_union", "multimap_agg"),
        *("numeric_histogram", "entropy", "td_approx_most_frequent"),
    }
)


def is_aggregate(node: exp.Expr) -> bool:
    """Whether it is the call of an aggregate function."""
    is_call = isinstance(node, exp.Anonymous) and node.name.lower() in _AGGREGATE_CALLS
    return is_call or isinstance(node, exp.AggFunc)


def is_of(node: exp.Expr, kinds: Collection[exp.DType]) -> bool:
    """`node.is_type(*kinds)`, which builds a type of each kind to compare with: it is asked a lot."""
    if isinstance(node, exp.DataType):
        return node.this in kinds
    known = node.to if isinstance(node, exp.Cast) else node.type
    return known is not None and known.this in kinds
