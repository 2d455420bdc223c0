"""Rows made of several lists, of maps, of JSON: written as a subquery that unnests them side by side."""

from collections.abc import Sequence

from sqlglot import exp

from logdrain.errors import UnsupportedSql
from logdrain.query.draft import Draft
from logdrain.query.names import quoted

_PAIR = 2  # a key and a value


def write_row_forms(draft: Draft) -> None:
    """Rewrite UNNEST of several lists or of a map, and the LATERAL VIEWs of POSEXPLODE, maps and JSON_TUPLE.

    Raises:
        UnsupportedSql: the names do not fit the columns.
    """
    for unnest in list(draft.statement.find_all(exp.Unnest)):
        _unnest(draft, unnest)
    for select in list(draft.statement.find_all(exp.Select)):
        for lateral in list(select.args.get("laterals") or []):
            _view(draft, select, lateral)


def _unnest(draft: Draft, unnest: exp.Unnest) -> None:
    """`UNNEST(a, b) AS t(x, y)`, `UNNEST(map) AS t(k, v)`."""
    alias = unnest.args.get("alias")
    lists = [source.copy() for source in unnest.expressions]
    names = [column.name for column in alias.columns] if alias else []
    place = unnest.args.get("offset")
    if isinstance(place, exp.Identifier):
        names.append(place.name)
    is_map = len(lists) == 1 and len(names) == _PAIR + bool(place)
    if not names or not isinstance(unnest.parent, (exp.From, exp.Join)) or not (len(lists) > 1 or is_map):
        return
    columns = _map_columns(lists[0]) if is_map else [exp.Explode(this=source) for source in lists]
    if place:
        longest = [
            exp.ArraySize(this=source.copy()) for source in (lists if not is_map else [_keys(lists[0])])
        ]
        length = longest[0] if len(longest) == 1 else exp.Greatest(this=longest[0], expressions=longest[1:])
        columns.append(exp.Explode(this=exp.GenerateSeries(start=exp.Literal.number(1), end=length)))
    rows = _subquery(draft, unnest, columns, names)
    if isinstance(unnest.parent, exp.From):
        unnest.replace(exp.Subquery(this=rows, alias=_alias(alias, names)))
    else:
        unnest.replace(exp.Lateral(this=exp.Subquery(this=rows), alias=_alias(alias, names)))


def _view(draft: Draft, select: exp.Select, lateral: exp.Lateral) -> None:
    """`LATERAL VIEW [OUTER] posexplode(x) t AS place, value` and its like."""
    alias, function = lateral.args["alias"], lateral.this
    names = [column.name for column in alias.columns]
    if isinstance(function, exp.Posexplode):
        numbers = exp.GenerateSeries(
            start=exp.Literal.number(0), end=exp.ArraySize(this=function.this.copy()), is_end_exclusive=True
        )
        columns: list[exp.Expr] = [exp.Explode(this=numbers), exp.Explode(this=function.this.copy())]
    elif type(function) is exp.Explode and len(names) == _PAIR:
        columns = _map_columns(function.this)
    elif isinstance(function, exp.Anonymous) and function.name.lower() == "json_tuple":
        source, *keys = function.expressions
        columns = [_json_value(draft, source, key) for key in keys]
    elif isinstance(function, exp.Anonymous) and function.name.lower() == "parse_url_tuple":
        source, *parts = function.expressions
        columns = [_url_value(source, part) for part in parts]
    else:
        return
    rows = _subquery(draft, lateral, columns, names)
    is_outer = lateral.args.get("outer")
    made = exp.Lateral(this=exp.Subquery(this=rows), alias=_alias(alias, names))
    lateral.pop()
    join = exp.Join(this=made, side="LEFT", on=exp.true()) if is_outer else exp.Join(this=made, kind="CROSS")
    select.append("joins", join)


def _subquery(draft: Draft, node: exp.Expr, columns: Sequence[exp.Expr], names: Sequence[str]) -> exp.Select:
    if len(columns) != len(names):
        raise UnsupportedSql(f"{draft.place(node)}: {len(names)} names for {len(columns)} columns")
    pairs = zip(columns, names, strict=True)
    return exp.Select(expressions=[exp.alias_(column, name, quoted=True) for column, name in pairs])


def _alias(alias: exp.Expr | None, names: Sequence[str]) -> exp.TableAlias:
    return exp.TableAlias(this=alias.this if alias else None, columns=[quoted(name) for name in names])


def _keys(source: exp.Expr) -> exp.Expr:
    return exp.MapKeys(this=source.copy())


def _map_columns(source: exp.Expr) -> list[exp.Expr]:
    values = exp.Anonymous(this="MAP_VALUES", expressions=[source.copy()])
    return [exp.Explode(this=_keys(source)), exp.Explode(this=values)]


def _json_value(draft: Draft, source: exp.Expr, key: exp.Expr) -> exp.Expr:
    if not key.is_string:
        raise UnsupportedSql(f"{draft.place(key)}: JSON_TUPLE takes names in quotes")
    path = exp.Literal.string(f'$."{key.name}"')
    text = exp.Anonymous(this="JSON_EXTRACT_STRING", expressions=[source.copy(), path])
    return exp.Try(this=exp.Paren(this=text))


def _url_value(source: exp.Expr, part: exp.Expr) -> exp.Expr:
    """`HOST`, or `QUERY:name`."""
    name, _, parameter = part.name.partition(":")
    arguments = [source.copy(), exp.Literal.string(name)]
    if parameter:
        arguments.append(exp.Literal.string(parameter))
    return exp.Anonymous(this="parse_url", expressions=arguments)
