"""Types that sqlglot does not infer.

The zone of a time is a part of its type, and goes with it into the queries around.
"""

import re
from collections.abc import Callable
from typing import Any

from sqlglot import exp

from logdrain.model.plans import Dialect
from logdrain.query.sql.context import SqlTree
from logdrain.query.sql.kinds import NUMBER, TEMPORAL, TEXT, is_of
from logdrain.query.sql.unnested import UnnestedColumn, column_type

ZONED = exp.DType.TIMESTAMPLTZ

_TEXT_ZONE = re.compile(r".*[0-9] ?(?P<zone>[+-][0-9]{1,2}:[0-9]{2}|[A-Za-z][A-Za-z0-9_+/-]*)", re.DOTALL)
OFFSET = re.compile(r"(?P<sign>[+-])0?(?P<hours>[0-9]{1,2}):00")
"""A zone that is whole hours away from UTC."""

_CALLS = ("at_timezone", "with_timezone")

_NUMBER_OR_TEXT = NUMBER | TEXT
_TEXTS: tuple[type[exp.Expr], ...] = (
    exp.JSONExtractScalar,
    exp.JSONFormat,
    exp.RegexpExtract,
    exp.RegexpReplace,
    exp.Replace,
)

Annotator = Callable[[Any, Any], object]


def is_zoned(node: exp.Expr) -> bool:
    """Whether an expression is a time with a zone."""
    return is_of(node, (ZONED,))


def type_zone(node: exp.Expr) -> exp.Expr | None:
    """The zone of a time, as an expression; None where it has none or it is not known."""
    parameters = node.type.expressions if node.type and is_zoned(node) else []
    return parameters[0].this if parameters else None


def written_zone(node: exp.Expr) -> exp.Expr | None:
    """The zone in `TIMESTAMP '2020-01-01 00:00:00 Asia/Tokyo'`; None where the node is something else."""
    if (
        not isinstance(node, exp.Cast)
        or not node.to.is_type(exp.DType.TIMESTAMPTZ)
        or not node.this.is_string
    ):
        return None
    found = _TEXT_ZONE.fullmatch(node.this.name)
    return exp.Literal.string(found["zone"]) if found else None


def name_zones(context: SqlTree) -> None:
    """Write `TIMESTAMP '… Asia/Tokyo'` with AT TIME ZONE, and drop casts that change nothing."""
    if context.dialect is not Dialect.TRINO:
        return
    for node in reversed(list(context.statement.find_all(exp.Cast))):
        zone = written_zone(node)
        if zone is not None:
            text = node.this.name.removesuffix(zone.name).rstrip()
            gap = "" if OFFSET.fullmatch(zone.name) else " "
            node.this.set("this", f"{text}{gap}{zone.name}")
            node.replace(exp.AtTimeZone(this=node.copy(), zone=zone))
        elif node.to.is_type(exp.DType.TIMESTAMPTZ) and is_zoned(node.this):
            node.replace(node.this)


def called_zone(node: exp.Expr) -> exp.Expr | None:
    """The zone of AT_TIMEZONE(time, zone), WITH_TIMEZONE(time, zone); None where the node is another."""
    if not isinstance(node, exp.Anonymous) or node.name.lower() not in _CALLS:
        return None
    return node.expressions[1] if len(node.expressions) == 2 else None  # noqa: PLR2004  time and zone


def annotators(dialect: Dialect) -> dict[type[exp.Expr], dict[str, Annotator]]:
    """Rules for sqlglot's inference of types, in place of its own."""
    rules: dict[type[exp.Expr], Annotator] = {
        exp.UnixToTime: _instant if dialect is Dialect.TRINO else _instant_of_hive,
        exp.DateTrunc: _start,
        exp.GenerateSeries: lambda _, node: _set(node, _list_of(node.args["start"].type)),
        exp.Literal: _literal,
        exp.TimestampTrunc: _start,
        UnnestedColumn: lambda _, node: _set(node, column_type(node)),
        exp.ArrayFilter: lambda _, node: _set(node, node.this.type),
        exp.Transform: lambda _, node: _set(node, _list_of(_of_lambda(node))),
    }
    if dialect is Dialect.TRINO:
        rules |= {
            exp.Add: _moved(lambda inferring, node: inferring._annotate_binary(node)),  # noqa: SLF001  sqlglot's rule for it
            exp.AtTimeZone: lambda _, node: _set(node, zoned(node.args["zone"])),
            exp.DateAdd: _moved(lambda inferring, node: inferring._annotate_timeunit(node)),  # noqa: SLF001  sqlglot's rule for it
            exp.FromISO8601Timestamp: lambda _, node: _set(node, exp.DType.TIMESTAMPTZ),
            exp.JSONExtract: lambda _, node: _set(node, exp.DType.JSON),
            exp.ParseDatetime: lambda _, node: _set(node, exp.DType.TIMESTAMPTZ),
            exp.Sub: _moved(lambda inferring, node: inferring._annotate_binary(node)),  # noqa: SLF001  sqlglot's rule for it
        }
        rules.update(dict.fromkeys(_TEXTS, _text))
    else:
        rules |= dict.fromkeys((exp.Add, exp.Mod, exp.Mul, exp.Sub), _of_numbers)
    return {of: {"annotator": rule} for of, rule in rules.items()}


def zoned(zone: exp.Expr) -> exp.DataType:
    """The type of a time with this zone."""
    return exp.DataType(this=ZONED, expressions=[exp.DataTypeParam(this=zone.copy())])


def _set(node: exp.Expr, of: exp.DataType | exp.DType | None) -> None:
    node.type = of


def _of_lambda(node: exp.Expr) -> exp.DataType | None:
    """What TRANSFORM makes of an element."""
    function = node.args.get("expression")
    return function.this.type if isinstance(function, exp.Lambda) else None


def _list_of(of: exp.DataType | None) -> exp.DataType:
    return exp.DataType(this=exp.DType.ARRAY, expressions=[of.copy()] if of else [], nested=True)


def _instant(_: object, node: exp.UnixToTime) -> None:
    zone = node.args.get("zone")
    _set(node, zoned(zone) if zone else exp.DType.TIMESTAMPTZ)


def _instant_of_hive(_: object, node: exp.UnixToTime) -> None:
    _set(node, exp.DType.TIMESTAMP if node.args.get("zone") else exp.DType.TIMESTAMPTZ)


def _text(_: object, node: exp.Expr) -> None:
    _set(node, exp.DType.VARCHAR)


def _literal(inferring: Any, node: exp.Literal) -> None:
    """`1.5` is a DECIMAL, as in the engine; `1.5e0` is a DOUBLE."""
    inferring._annotate_literal(node)  # noqa: SLF001  sqlglot's rule for it
    if is_of(node, (exp.DType.DOUBLE,)) and "e" not in node.name.lower():
        _set(node, exp.DType.DECIMAL)


def _of_numbers(inferring: Any, node: exp.Binary) -> None:
    """Hive reads text as DOUBLE, where sqlglot gives it the type of what it stands beside."""
    sides = (node.left, node.right)
    if any(is_of(side, TEXT) for side in sides) and all(is_of(side, _NUMBER_OR_TEXT) for side in sides):
        _set(node, exp.DType.DOUBLE)
    else:
        inferring._annotate_binary(node)  # noqa: SLF001  sqlglot's rule for it


def _start(_: object, node: exp.Expr) -> None:
    _set(node, node.this.type)


def _is_span(node: exp.Expr) -> bool:
    """Whether it is a time minus a time."""
    return isinstance(node, exp.Sub) and all(is_of(side, TEMPORAL) for side in (node.left, node.right))


def _moved(otherwise: Annotator) -> Annotator:
    def annotate(inferring: object, node: exp.Expr) -> None:
        is_span = isinstance(node, exp.DateAdd) or isinstance(node.expression, exp.Interval)
        if is_zoned(node.this) and is_span:
            _set(node, node.this.type)
        elif is_zoned(node.this) or is_zoned(node.expression) or _is_span(node):
            _set(node, exp.DType.INTERVAL)
        else:
            otherwise(inferring, node)

    return annotate
