"""Functions of Trino whose translation depends on what they are called with."""

import re

from sqlglot import exp

from logdrain.errors import SqlTypeError, UnsupportedSql
from logdrain.query.duckdb.templates import Rule, applied, template
from logdrain.query.duckdb.trino_casts import trino_cast
from logdrain.query.sql.context import PlanContext

_GROUP = re.compile(r"\\(.)|\$([0-9])|(\\)", re.DOTALL)
_MYSQL_WEEKS = {"%v": "%V", "%x": "%G"}
_EXTRACTED = {"DOW": "ISODOW", "DAY_OF_WEEK": "ISODOW", "DAY_OF_MONTH": "DAY", "DAY_OF_YEAR": "DOY"}
_EXTRACTED |= {"YOW": "ISOYEAR", "YEAR_OF_WEEK": "ISOYEAR"}
_LISTS = (exp.Array, exp.ArrayAgg, exp.Transform, exp.ArrayFilter, exp.ArraySort)


def regexp_replace(node: exp.Expr, context: PlanContext) -> exp.Expr:
    """Java writes groups as `$1`, the engine with a backslash."""
    replacement = node.args.get("replacement")
    if isinstance(replacement, exp.Lambda):
        raise UnsupportedSql("REGEXP_REPLACE with a function", place=context.place(node))
    if replacement is not None and replacement.is_string:
        text = _GROUP.sub(_group, replacement.name)
        node.set("replacement", exp.Literal.string(text))
    return node


def _group(found: re.Match[str]) -> str:
    if found[2]:
        return f"\\{found[2]}"
    return r"\\" if found[1] in (None, "\\") else str(found[1])


def _check_path(node: exp.Expr, context: PlanContext) -> None:
    """A constant path that could be read is no string any more."""
    if node.expression.is_string:
        raise SqlTypeError(
            f"{node.expression.name!r} is no JSON path",
            place=context.place(node.expression),
            hint="write '$.field.list[0]'",
        )


def json_scalar(node: exp.Expr, context: PlanContext) -> exp.Expr:
    """NULL for objects, lists and text that is no JSON, where the engine has their text or an error."""
    _check_path(node, context)
    if node.find(exp.AggFunc, exp.Query):  # TRY takes neither
        return node
    json = exp.JSONExtract(this=node.this.copy(), expression=node.expression.copy())
    first = exp.Left(this=exp.cast(_tried(json), exp.DType.VARCHAR), expression=exp.Literal.number(1))
    is_scalar = exp.Not(this=exp.In(this=first, expressions=[exp.Literal.string(sign) for sign in "{["]))
    return exp.Case(ifs=[exp.If(this=is_scalar, true=_tried(node.copy()))])


def _tried(node: exp.Expr) -> exp.Expr:
    return exp.Try(this=exp.Paren(this=node))


def _json_path(node: exp.Expr, context: PlanContext) -> exp.Expr:
    raise UnsupportedSql(
        "SQL/JSON paths",
        place=context.place(node),
        hint="write JSON_EXTRACT_SCALAR(json, '$.a') or JSON_EXTRACT",
    )


def _json_extract(node: exp.Expr, context: PlanContext) -> exp.Expr:
    if node.args.get("json_query"):
        _json_path(node, context)
    _check_path(node, context)
    if node.find(exp.AggFunc, exp.Query):  # TRY takes neither
        return node
    return _tried(node.copy())


def _substring(node: exp.Expr, _: PlanContext) -> exp.Expr:
    """Nothing from the place 0, and from before the beginning."""
    start = node.args.get("start")
    if start is None or (start.is_int and int(start.name) > 0 and not isinstance(start, exp.Neg)):
        return node
    text = "CASE WHEN _1 = 0 OR -_1 > LENGTH(_0) THEN LEFT(_0, 0) ELSE _2 END"
    return template(text, {"_0": node.this, "_1": start, "_2": node})


def _contains(node: exp.Expr, _: PlanContext) -> exp.Expr:
    """NULL where the value is not found, and one of the list's could be it."""
    text = "CASE WHEN _2 THEN TRUE WHEN LEN(_0) > LIST_COUNT(_0) THEN NULL ELSE _2 END"
    return template(text, {"_0": node.this, "_2": node})


def _normalize(node: exp.Expr, context: PlanContext) -> exp.Expr:
    if (form := node.text("form").upper()) not in ("", "NFC"):
        raise UnsupportedSql(f"NORMALIZE to {form}", place=context.place(node), hint="only NFC is there")
    return exp.Anonymous(this="NFC_NORMALIZE", expressions=[node.this])


def _extract(node: exp.Expr, _: PlanContext) -> exp.Expr:
    """Trino's weeks begin on Monday, and so do its numbers of days."""
    part = node.this.name.upper()
    if part in _EXTRACTED:
        node.set("this", exp.var(_EXTRACTED[part]))
    return node


def _date_trunc(node: exp.Expr, _: PlanContext) -> exp.Expr:
    """A date stays a date."""
    return exp.cast(node.copy(), exp.DType.DATE) if node.this.is_type(exp.DType.DATE) else node


def _from_unixtime(node: exp.Expr, context: PlanContext) -> exp.Expr:
    """With a zone: zones.py."""
    if node.args.get("hours") or node.args.get("minutes"):
        raise UnsupportedSql(
            "FROM_UNIXTIME with an offset", place=context.place(node), hint="name a zone: 'Asia/Tokyo'"
        )
    return node


def _date_format(node: exp.Expr, _: PlanContext) -> exp.Expr:
    """The week of MySQL's patterns, which sqlglot leaves as it is."""
    pattern = node.args["format"]
    if pattern.is_string:
        text = re.sub("%[vx]", lambda found: _MYSQL_WEEKS[found[0]], pattern.name)
        node.set("format", exp.Literal.string(text))
    return node


def _format(node: exp.Expr, _: PlanContext) -> exp.Expr:
    return exp.Anonymous(this="PRINTF", expressions=node.expressions)


def _reverse(node: exp.Expr, _: PlanContext) -> exp.Expr:
    (argument,) = node.expressions
    is_list = argument.is_type(exp.DType.ARRAY) or isinstance(argument, _LISTS)
    return exp.Anonymous(this="LIST_REVERSE" if is_list else "REVERSE", expressions=[argument])


def _to_iso8601(node: exp.Expr, _: PlanContext) -> exp.Expr:
    (time,) = node.expressions
    pattern = "%Y-%m-%dT%H:%M:%S.%gZ" if time.is_type(exp.DType.TIMESTAMPTZ) else "%Y-%m-%dT%H:%M:%S.%g"
    if time.is_type(exp.DType.DATE):
        pattern = "%Y-%m-%d"
    return exp.Anonymous(this="STRFTIME", expressions=[time, exp.Literal.string(pattern)])


def _over_entries(kind: str) -> Rule:
    """MAP_FILTER, TRANSFORM_KEYS, TRANSFORM_VALUES with a function of key and value."""

    def rule(node: exp.Expr, context: PlanContext) -> exp.Expr:
        if len(node.expressions) != 2 or len(node.expressions[1].expressions) != 2:  # noqa: PLR2004  map and (k, v)
            raise UnsupportedSql(f"{node.name} takes a map and (k, v) -> …", place=context.place(node))
        source, function = node.expressions
        entry = exp.to_identifier("entry")
        key, value = (
            exp.Dot(this=entry.copy(), expression=exp.to_identifier(part)) for part in ("key", "value")
        )
        result = applied(function, [key, value])
        entries = exp.Anonymous(this="MAP_ENTRIES", expressions=[source.copy()])
        if kind == "filter":
            body: exp.Expr = result
        else:
            pair = (result, value.copy()) if kind == "keys" else (key.copy(), result)
            body = exp.Anonymous(this="ROW", expressions=list(pair))
        name = "LIST_FILTER" if kind == "filter" else "LIST_TRANSFORM"
        mapped = exp.Anonymous(this=name, expressions=[entries, exp.Lambda(this=body, expressions=[entry])])
        return exp.Anonymous(this="MAP_FROM_ENTRIES", expressions=[mapped])

    return rule


def _zip_with(node: exp.Expr, context: PlanContext) -> exp.Expr:
    if len(node.expressions) != 3 or len(node.expressions[2].expressions) != 2:  # noqa: PLR2004  two lists, (x, y)
        raise UnsupportedSql("ZIP_WITH takes two lists and (x, y) -> …", place=context.place(node))
    left, right, function = node.expressions
    pair = exp.to_identifier("pair")
    sides = [
        exp.Anonymous(this="STRUCT_EXTRACT", expressions=[pair.copy(), exp.Literal.number(number)])
        for number in (1, 2)
    ]
    body = applied(function, sides)
    zipped = exp.Anonymous(this="LIST_ZIP", expressions=[left.copy(), right.copy()])
    return exp.Anonymous(
        this="LIST_TRANSFORM", expressions=[zipped, exp.Lambda(this=body, expressions=[pair])]
    )


TRINO_RULES: dict[str, Rule] = {
    "format": _format,
    "json_exists": _json_path,
    "map_filter": _over_entries("filter"),
    "reverse": _reverse,
    "to_iso8601": _to_iso8601,
    "transform_keys": _over_entries("keys"),
    "transform_values": _over_entries("values"),
    "zip_with": _zip_with,
}

TRINO_NODES: dict[type[exp.Expr], Rule] = {
    exp.ArrayContains: _contains,
    exp.Cast: trino_cast,
    exp.TryCast: trino_cast,
    exp.DateTrunc: _date_trunc,
    exp.Extract: _extract,
    exp.JSONExtract: _json_extract,
    exp.JSONValue: _json_path,
    exp.Normalize: _normalize,
    exp.Substring: _substring,
    exp.TimeToStr: _date_format,
    exp.TimestampTrunc: _date_trunc,
    exp.UnixToTime: _from_unixtime,
}
