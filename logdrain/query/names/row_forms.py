"""Rows made of several lists, of maps, of JSON: written as a subquery that unnests them side by side."""

from collections.abc import Callable, Sequence

from sqlglot import exp

from logdrain.errors import UnsupportedSql
from logdrain.model.plans import Dialect
from logdrain.query.sql.call_checks import check_call
from logdrain.query.sql.context import PlanContext, quoted, unused_name
from logdrain.query.sql.kinds import is_map
from logdrain.query.sql.nodes import JsonFieldText
from logdrain.query.sql.unnested import field_names, row_fields, unnested_column

_PAIR = 2  # a key and a value
_FIRST = exp.Literal.number(1)


def write_row_forms(context: PlanContext) -> None:
    """Rewrite VALUES of rows, UNNEST of several lists, of a map, of rows, LATERAL VIEWs but of EXPLODE.

    Raises:
        UnsupportedSql: the names do not fit the columns.
    """
    for values in context.statement.find_all(exp.Values):
        values.set("expressions", [_row_of_values(row) for row in values.expressions])
    for unnest in list(context.statement.find_all(exp.Unnest)):
        _unnest(context, unnest)
    for select in list(context.statement.find_all(exp.Select)):
        _view_of_projections(context, select)
        for lateral in list(select.args.get("laterals") or []):
            _view(context, select, lateral)


def _row_of_values(row: exp.Expr) -> exp.Expr:
    """`VALUES ROW(1, 'a')` has two columns, as `VALUES (1, 'a')` has."""
    is_row = len(row.expressions) == 1 and isinstance(row.expressions[0], exp.Struct)
    return exp.Tuple(expressions=row.expressions[0].expressions) if is_row else row


def _unnest(context: PlanContext, unnest: exp.Unnest) -> None:
    """`UNNEST(a, b) AS t(x, y)`, `UNNEST(map) AS t(k, v)`, `UNNEST(rows) AS t(x, y, z)`."""
    alias = unnest.args.get("alias")
    lists = [source.copy() for source in unnest.expressions]
    names = [column.name for column in alias.columns] if alias else []
    if not names and len(lists) == 1:
        names = field_names(row_fields(lists[0]))
    place = unnest.args.get("offset")
    width = len(names)
    if isinstance(place, exp.Identifier):
        names.append(place.name)
    has_parts = len(lists) > 1 or width > 1 or bool(row_fields(lists[0]))
    if not names or not isinstance(unnest.parent, (exp.From, exp.Join)) or not has_parts:
        return
    columns = _columns(lists, width)
    if place:
        lists = [column.this for column in columns if column.this.args.get("place") in (None, _FIRST)]
        lengths = [exp.ArraySize(this=source.copy()) for source in lists]
        length = lengths[0] if len(lengths) == 1 else exp.Greatest(this=lengths[0], expressions=lengths[1:])
        columns.append(exp.Explode(this=_numbers(1, length)))
    rows = _subquery(context, unnest, columns, names)
    if isinstance(unnest.parent, exp.From):
        unnest.replace(exp.Subquery(this=rows, alias=_alias(alias, names)))
    else:
        unnest.replace(exp.Lateral(this=exp.Subquery(this=rows), alias=_alias(alias, names)))


def _columns(lists: Sequence[exp.Expr], width: int) -> list[exp.Expr]:
    """What UNNEST makes of each source; the first whose width is not known fills up what is left."""
    widths = [len(row_fields(source)) or 1 for source in lists]
    if sum(widths) < width:
        unknown = [at for at, source in enumerate(lists) if not row_fields(source)]
        widths[unknown[0] if unknown else 0] += width - sum(widths)
    columns: list[exp.Expr] = []
    for source, count in zip(lists, widths, strict=True):
        if count == 1 and not row_fields(source):
            columns.append(exp.Explode(this=source))
        else:
            columns += [
                exp.Explode(this=unnested_column(source, place, count)) for place in range(1, count + 1)
            ]
    return columns


def _view_of_projections(context: PlanContext, select: exp.Select) -> None:
    """`SELECT a, EXPLODE(map) AS (k, v) FROM t` -> `SELECT a, k, v FROM t LATERAL VIEW EXPLODE(map) …`."""
    for projection in list(select.expressions):
        function = projection.unalias() if isinstance(projection, exp.Alias) else projection
        names = [projection.alias] if isinstance(projection, exp.Alias) else []
        if isinstance(projection, exp.Aliases):
            function, names = projection.this, [name.name for name in projection.expressions]
        elif not isinstance(function, (exp.Posexplode, exp.Stack, exp.Inline)) and not _is_map(function):
            continue
        is_made = isinstance(function, (exp.Explode, exp.Posexplode, exp.Stack, exp.Inline, exp.Anonymous))
        if context.dialect is not Dialect.HIVE or not is_made:
            raise UnsupportedSql(
                "an alias with several names is not run here", place=context.place(projection)
            )
        names = names or _default_names(function)
        alias = unused_name("_made", {view.alias for view in select.args.get("laterals") or []})
        if select.args.get("from_") is None:
            select.set("from_", exp.From(this=exp.select("1 AS one").subquery("_one")))
        view = exp.Lateral(
            this=function.copy(),
            view=True,
            alias=exp.TableAlias(this=quoted(alias), columns=[quoted(name) for name in names]),
        )
        select.append("laterals", view)
        columns = [
            exp.alias_(exp.column(quoted(name), table=quoted(alias)), name, quoted=True) for name in names
        ]
        at = select.expressions.index(projection)
        select.set("expressions", [*select.expressions[:at], *columns, *select.expressions[at + 1 :]])


def _is_map(function: exp.Expr) -> bool:
    return type(function) is exp.Explode and is_map(function.this)


def _default_names(function: exp.Expr) -> list[str]:
    """What Hive calls the columns where nobody says."""
    if isinstance(function, exp.Posexplode):
        return ["pos", "val"]
    if _is_map(function):
        return ["key", "value"]
    return [f"col{at}" for at in range(len(_stacked(function)))] if isinstance(function, exp.Stack) else []


def _stacked(function: exp.Stack) -> list[exp.Expr]:
    """`stack(n, a, b, …)`: the values in n rows; each column as a list."""
    count = int(function.this.name) if function.this.is_int else 0
    values = function.expressions
    width = -(-len(values) // count) if count > 0 else 0
    padded = [*values, *[exp.Null()] * (width * count - len(values))]
    columns = [padded[place::width] for place in range(width)]
    return [exp.Array(expressions=[value.copy() for value in column]) for column in columns]


def _view(context: PlanContext, select: exp.Select, lateral: exp.Lateral) -> None:
    """`LATERAL VIEW [OUTER] posexplode(x) t AS place, value` and its like."""
    alias, function = lateral.args["alias"], lateral.this
    names = [column.name for column in alias.columns]
    if isinstance(function, exp.Anonymous):  # taken apart here, before all calls are checked
        check_call(context, function)
    if isinstance(function, exp.Posexplode):
        numbers = _numbers(0, exp.ArraySize(this=function.this.copy()))
        numbers.set("is_end_exclusive", value=True)
        columns: list[exp.Expr] = [exp.Explode(this=numbers), exp.Explode(this=function.this.copy())]
    elif type(function) is exp.Explode and len(names) == _PAIR:
        columns = _map_columns(function.this)
    elif isinstance(function, exp.Stack):
        columns = [exp.Explode(this=column) for column in _stacked(function)]
    elif isinstance(function, exp.Inline):
        columns = [
            exp.Explode(this=unnested_column(function.this, place, 0)) for place in range(1, len(names) + 1)
        ]
    elif isinstance(function, exp.Anonymous) and function.name.lower() == "json_tuple":
        source, *keys = function.expressions
        columns = [_json_value(context, source, key) for key in keys]
    elif isinstance(function, exp.Anonymous) and function.name.lower() == "parse_url_tuple":
        source, *parts = function.expressions
        columns = [_url_value(source, part) for part in parts]
    elif isinstance(function, exp.Anonymous) and function.name.upper() in _MADE_TABLES:
        made_names, columns = _MADE_TABLES[function.name.upper()](context, function)
        names = names or made_names
    else:
        return
    rows = _subquery(context, lateral, columns, names)
    is_outer = lateral.args.get("outer")
    made = exp.Lateral(this=exp.Subquery(this=rows), alias=_alias(alias, names))
    lateral.pop()
    join = exp.Join(this=made, side="LEFT", on=exp.true()) if is_outer else exp.Join(this=made, kind="CROSS")
    select.append("joins", join)


def _pivot(context: PlanContext, call: exp.Anonymous) -> tuple[list[str], list[exp.Expr]]:
    """`TD_PIVOT(key, value, 'a,b')`: the value in the column that the key names, NULL in the others."""
    if len(call.expressions) != _PAIR + 1:
        raise UnsupportedSql(f"{call.name} takes a key, a value and 'key1, key2'", place=context.place(call))
    key, value, written = call.expressions
    names = _written_names(context, written)
    text = exp.cast(key, exp.DType.VARCHAR)
    columns: list[exp.Expr] = [
        exp.Case().when(exp.EQ(this=text.copy(), expression=exp.Literal.string(name)), value.copy())
        for name in names
    ]
    return names, columns


def _unpivot(context: PlanContext, call: exp.Anonymous) -> tuple[list[str], list[exp.Expr]]:
    """`TD_UNPIVOT('a, b', x, y)`: a row for each value, with its name."""
    written, *values = call.expressions or [exp.Null()]
    keys = _written_names(context, written)
    if len(keys) != len(values):
        raise UnsupportedSql(
            f"{call.name} has {len(keys)} names for {len(values)} values", place=context.place(call)
        )
    texts = [exp.Literal.string(key) for key in keys]
    return ["key", "value"], [exp.Explode(this=exp.Array(expressions=each)) for each in (texts, values)]


_MADE_TABLES: dict[str, Callable[[PlanContext, exp.Anonymous], tuple[list[str], list[exp.Expr]]]] = {
    "TD_PIVOT": _pivot,
    "TD_UNPIVOT": _unpivot,
}
"""Functions for LATERAL VIEW: what their columns are called without AS, and what is in them."""


def _written_names(context: PlanContext, written: exp.Expr) -> list[str]:
    """`'a, b'` as names."""
    names = [name.strip() for name in written.name.split(",")] if written.is_string else []
    if not names or not all(names):
        raise UnsupportedSql("the names are no constant 'a, b'", place=context.place(written))
    return names


def _subquery(
    context: PlanContext, node: exp.Expr, columns: Sequence[exp.Expr], names: Sequence[str]
) -> exp.Select:
    if len(columns) != len(names):
        raise UnsupportedSql(f"{len(names)} names for {len(columns)} columns", place=context.place(node))
    pairs = zip(columns, names, strict=True)
    return exp.Select(expressions=[exp.alias_(column, name, quoted=True) for column, name in pairs])


def _alias(alias: exp.Expr | None, names: Sequence[str]) -> exp.TableAlias:
    return exp.TableAlias(this=alias.this if alias else None, columns=[quoted(name) for name in names])


def _numbers(first: int, last: exp.Expr) -> exp.GenerateSeries:
    return exp.GenerateSeries(start=exp.Literal.number(first), end=last, step=exp.Literal.number(1))


def _map_columns(source: exp.Expr) -> list[exp.Expr]:
    return [exp.Explode(this=unnested_column(source, place, _PAIR)) for place in (1, _PAIR)]


def _json_value(context: PlanContext, source: exp.Expr, key: exp.Expr) -> exp.Expr:
    if not key.is_string:
        raise UnsupportedSql("JSON_TUPLE takes names in quotes", place=context.place(key))
    return exp.Try(this=exp.Paren(this=JsonFieldText(this=source.copy(), expressions=[key.copy()])))


def _url_value(source: exp.Expr, part: exp.Expr) -> exp.Expr:
    """`HOST`, or `QUERY:name`."""
    name, _, parameter = part.name.partition(":")
    arguments = [source.copy(), exp.Literal.string(name)]
    if parameter:
        arguments.append(exp.Literal.string(parameter))
    return exp.Anonymous(this="parse_url", expressions=arguments)
