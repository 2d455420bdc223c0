"""Functions of Hive whose translation depends on what they are called with."""

from sqlglot import exp

from logdrain.errors import UnsupportedSql
from logdrain.query.dialect_functions import URL_PARAMETER, URL_PARTS
from logdrain.query.draft import Draft
from logdrain.query.templates import Rule, from_template

_URL_PARTS = {part: from_template(template) for part, template in URL_PARTS.items()}
_TRUNCATED = {
    **dict.fromkeys(("YEAR", "YYYY", "YY"), "year"),
    **dict.fromkeys(("Q", "QUARTER"), "quarter"),
    **dict.fromkeys(("MONTH", "MON", "MM"), "month"),
}
_URL_PARAMETER = from_template(URL_PARAMETER)


def parse_url(node: exp.Expr, draft: Draft) -> exp.Expr:
    """`parse_url(url, part [, name])`; NULL where the URL has no such part."""
    arguments = node.expressions
    part = arguments[1].name if len(arguments) > 1 and arguments[1].is_string else ""
    rule = _URL_PARTS.get(part)
    if part == "QUERY" and len(arguments) == 3:  # noqa: PLR2004  url, 'QUERY', name
        call = exp.Anonymous(this=node.this, expressions=[arguments[0], arguments[2]])
        return _URL_PARAMETER(call, draft)
    if rule is None or len(arguments) != 2:  # noqa: PLR2004  url, part
        raise UnsupportedSql(
            f"{draft.place(node)}: PARSE_URL takes a URL and a part",
            hint=f"parts are {', '.join(_URL_PARTS)}",
        )
    return rule(node, draft)


def _unix_timestamp(node: exp.Expr, _: Draft) -> exp.Expr:
    """A BIGINT; NULL for text that is no time."""
    time = node.this
    if not time.is_type(*exp.DataType.TEMPORAL_TYPES):
        text = exp.cast(time.copy(), exp.DType.VARCHAR)
        time = exp.StrToTime(this=text, format=node.args["format"].copy(), safe=True)
    return exp.cast(exp.Anonymous(this="EPOCH", expressions=[time.copy()]), exp.DType.BIGINT)


def _of_text(node: exp.Expr, _: Draft) -> exp.Expr:
    """Parts of a time that is text: NULL where it is none."""
    if node.this.is_type(*exp.DataType.TEXT_TYPES):
        node.set("this", exp.TryCast(this=node.this.copy(), to=exp.DType.TIMESTAMP.into_expr(), safe=True))
    return node


def _substring(node: exp.Expr, _: Draft) -> exp.Expr:
    """The place 0 means the first, as 1 does."""
    start = node.args.get("start")
    if start is not None and start.is_int and start.name == "0":
        node.set("start", exp.Literal.number(1))
    return node


def _cast(node: exp.Expr, _: Draft) -> exp.Expr:
    """Text with a fraction becomes the whole number before the point."""
    is_whole = isinstance(node, exp.Cast) and node.to.is_type(*exp.DataType.INTEGER_TYPES)
    if is_whole and node.this.is_type(*exp.DataType.TEXT_TYPES):
        fraction = exp.Literal.string("[.][0-9]*$")
        node.set(
            "this",
            exp.Anonymous(
                this="REGEXP_REPLACE", expressions=[node.this.copy(), fraction, exp.Literal.string("")]
            ),
        )
    return node


def _compared(node: exp.Expr, _: Draft) -> exp.Expr:
    """Text beside a number is read as a number, NULL where it is none."""
    for side, other in ((node.this, node.expression), (node.expression, node.this)):
        if side.is_type(*exp.DataType.TEXT_TYPES) and other.is_type(*exp.DataType.NUMERIC_TYPES):
            side.replace(exp.TryCast(this=side.copy(), to=exp.DType.DOUBLE.into_expr(), safe=True))
    return node


def _day_of_week(node: exp.Expr, draft: Draft) -> exp.Expr:
    """From 1 for Sunday, where the engine counts from 0."""
    day = _of_text(node, draft).copy()
    return exp.Paren(this=exp.Add(this=day, expression=exp.Literal.number(1)))


def _trunc(node: exp.Expr, draft: Draft) -> exp.Expr:
    """`trunc(date, 'MM')` is text."""
    unit = _TRUNCATED.get(node.text("unit").upper())
    if unit is None:
        raise UnsupportedSql(
            f"{draft.place(node)}: TRUNC to another unit", hint="units are YEAR, Q and MONTH"
        )
    start = exp.Anonymous(
        this="DATE_TRUNC", expressions=[exp.Literal.string(unit), _of_text(node, draft).this.copy()]
    )
    return exp.Anonymous(this="STRFTIME", expressions=[start, exp.Literal.string("%Y-%m-%d")])


HIVE_NODES: dict[type[exp.Expr], Rule] = {
    exp.DayOfWeek: _day_of_week,
    exp.StrToUnix: _unix_timestamp,
    exp.Substring: _substring,
    exp.TimestampTrunc: _trunc,
    **dict.fromkeys((exp.Cast, exp.TryCast), _cast),
    **dict.fromkeys(
        (exp.Add, exp.Sub, exp.Mul, exp.Div, exp.EQ, exp.NEQ, exp.LT, exp.LTE, exp.GT, exp.GTE), _compared
    ),
    **dict.fromkeys(
        (*(exp.Hour, exp.Minute, exp.Second, exp.Quarter, exp.WeekOfYear, exp.LastDay, exp.NextDay),),
        _of_text,
    ),
}
