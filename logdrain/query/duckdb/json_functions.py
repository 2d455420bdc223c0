"""Trino's functions of JSON: NULL for text that is none, numbers as they are written.

(https://trino.io/docs/current/functions/json.html)
"""

from sqlglot import exp

from logdrain.errors import SqlTypeError, UnsupportedSql
from logdrain.query.duckdb.functions_of_both import Functions, tried
from logdrain.query.duckdb.templates import bound, is_cheap, template
from logdrain.query.sql.context import SqlTree

# What DuckDB may have written anew: `1.5` for `1.50`, `1000.0` for `1e3`.
_NUMBER = "REGEXP_FULL_MATCH({}, '-?[0-9]+[.eE][0-9.eE+-]*|-?[0-9]{{17,}}')"
_SCALAR_AS_WRITTEN = (
    f"CASE WHEN {_NUMBER.format('_0')} THEN COALESCE(JSON_PIECE(CAST(_1 AS VARCHAR), _2), _0) ELSE _0 END"
)
_JSON_AS_WRITTEN = (
    "CASE WHEN REGEXP_MATCHES(CAST(_0 AS VARCHAR), '[0-9][.eE]|[0-9]{17}') "
    "THEN COALESCE(CAST(JSON_PIECE(CAST(_1 AS VARCHAR), _2) AS JSON), _0) ELSE _0 END"
)
_IS_LIST = "TRY(JSON_TYPE(_0)) = 'ARRAY'"
_SIZE = (
    "CASE TRY(JSON_TYPE(_0, _1)) WHEN 'OBJECT' THEN LEN(JSON_KEYS(_0, _1)) "
    "WHEN 'ARRAY' THEN JSON_ARRAY_LENGTH(_0, _1) "
    "ELSE CASE WHEN NOT TRY(JSON_TYPE(_0, _1)) IS NULL THEN 0 END END"
)


def _check_path(node: exp.Expr, context: SqlTree) -> None:
    """Refuse a path that is still text: sqlglot makes a tree of those that it can read."""
    if node.expression.is_string:
        raise SqlTypeError(
            f"{node.expression.name!r} is no JSON path",
            place=context.place(node.expression),
            hint="write '$.field.list[0]'",
        )


def _pointer(path: exp.Expr) -> exp.Expr | None:
    """A path as a JSON pointer; None where it has more than names and numbers, or is not constant."""
    steps = []
    for part in path.expressions if isinstance(path, exp.JSONPath) else [None]:
        step = part.args.get("this") if isinstance(part, (exp.JSONPathKey, exp.JSONPathSubscript)) else part
        if isinstance(step, exp.JSONPathRoot):
            continue
        if not isinstance(step, (str, int)) or (isinstance(step, int) and step < 0):
            return None
        steps.append(str(step).replace("~", "~0").replace("/", "~1"))
    return exp.Literal.string("".join(f"/{step}" for step in steps))


def _extract_scalar(node: exp.Expr, context: SqlTree) -> exp.Expr:
    """NULL for objects, lists and text that is not JSON; DuckDB returns their text or raises an error."""
    _check_path(node, context)

    def scalar(parts: list[exp.Expr]) -> exp.Expr:
        source = parts[0] if parts else node.this
        json = exp.JSONExtract(this=source.copy(), expression=node.expression.copy())
        text = exp.JSONExtractScalar(this=source.copy(), expression=node.expression.copy())
        first = exp.Left(this=exp.cast(tried(json), exp.DType.VARCHAR), expression=exp.Literal.number(1))
        is_scalar = exp.Not(this=exp.In(this=first, expressions=[exp.Literal.string(sign) for sign in "{["]))
        found = exp.Case(ifs=[exp.If(this=is_scalar, true=tried(text))])
        pointer = _pointer(node.expression)
        return template(_SCALAR_AS_WRITTEN, found, source, pointer) if pointer else found

    return scalar([]) if is_cheap(node.this) else bound([node.this], scalar)


def _no_path(node: exp.Expr, context: SqlTree) -> exp.Expr:
    raise UnsupportedSql(
        "SQL/JSON paths",
        place=context.place(node),
        hint="write JSON_EXTRACT_SCALAR(json, '$.a') or JSON_EXTRACT",
    )


def _extract(node: exp.Expr, context: SqlTree) -> exp.Expr:
    if node.args.get("json_query"):
        _no_path(node, context)
    _check_path(node, context)
    pointer = _pointer(node.expression)
    return template(_JSON_AS_WRITTEN, tried(node), node.this, pointer) if pointer else tried(node)


def _format(node: exp.Expr, _: SqlTree) -> exp.Expr:
    """The JSON as it is, a string in its quotes."""
    return exp.cast(node.this, exp.DType.VARCHAR)


JSON_FUNCTIONS: Functions = {
    "is_json_scalar": "NOT JSON_TYPE(_0) IN ('OBJECT', 'ARRAY')",
    "json_array_contains": (
        f"CASE WHEN {_IS_LIST} THEN LIST_CONTAINS(FROM_JSON(_0, '[\"JSON\"]'), TO_JSON(_1)) END"
    ),
    "json_array_get": f"CASE WHEN {_IS_LIST} THEN JSON_EXTRACT(_0, CAST(_1 AS BIGINT)) END",
    "json_array_length": f"CASE WHEN {_IS_LIST} THEN JSON_ARRAY_LENGTH(_0) END",
    "json_exists": _no_path,
    "json_size": _SIZE,
    exp.JSONExtract: _extract,
    exp.JSONExtractScalar: _extract_scalar,
    exp.JSONFormat: _format,
    exp.JSONValue: _no_path,
}
