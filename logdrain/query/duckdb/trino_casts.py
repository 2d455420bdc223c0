"""Trino's casts: DuckDB's read more texts, and print times and JSON otherwise."""

import json

from sqlglot import exp

from logdrain.query.duckdb.templates import template
from logdrain.query.sql.context import SqlTree
from logdrain.query.sql.kinds import REAL, TEXT, WHOLE, is_of

NOT_READ = " (as Trino reads it)"
"""Appended to a text that DuckDB could convert and Trino does not: so the cast fails."""

# Of VARCHAR, Trino's BIGINT is Long.parseLong, its DOUBLE has no underscores.
_DIGITS = "REGEXP_FULL_MATCH({}, '[+-]?[0-9]+')"
_TRUTH = "REGEXP_FULL_MATCH({}, '(?i:true|t|1|false|f|0)')"
_NUMBER = "STRPOS({}, '_') = 0"

_TRIED = "CASE WHEN {} THEN _0 END"
_FAILING = f"CASE WHEN {{}} OR _0 IS NULL THEN _0 ELSE _0 || '{NOT_READ}' END"
# The type is only known while the query runs.
_UNTYPED = "CASE WHEN TYPEOF(_0) <> 'VARCHAR' OR {} THEN _2 ELSE _1 END"
_DIGITS_SHOWN = "digits_shown"
_MILLISECONDS = 3
_INSTANTS = (exp.DType.TIMESTAMP, exp.DType.TIMESTAMPNTZ, exp.DType.TIMESTAMPTZ)
_TIMES = (exp.DType.TIMESTAMP, exp.DType.TIMESTAMPNTZ)
_WITH_A_LENGTH = TEXT | {exp.DType.JSON, exp.DType.UNKNOWN}
_JSON_TEXT = (  # of a number as it is written
    "CASE WHEN REGEXP_FULL_MATCH(CAST(_0 AS VARCHAR), '[0-9.eE+-]+') THEN CAST(_0 AS VARCHAR) "
    "ELSE JSON_EXTRACT_STRING(_0, '$') END"
)
_INSTANT = "STRFTIME(_0, '%Y-%m-%d %H:%M:%S.%g UTC')"
_TIME = "STRFTIME(_0, '%Y-%m-%d %H:%M:%S.%g')"
_WRITTEN_TIME = "LEFT(STRFTIME(_0, '%Y-%m-%d %H:%M:%S.%f'), _1)"
_SPAN_MS = "CAST(ROUND(EPOCH(_0) * 1000) AS BIGINT)"
_SPAN = (
    "CASE WHEN _0 < 0 THEN '-' ELSE '' END || PRINTF('%d %02d:%02d:%02d.%03d', ABS(_0) // 86400000, "
    "ABS(_0) // 3600000 % 24, ABS(_0) // 60000 % 60, ABS(_0) // 1000 % 60, ABS(_0) % 1000)"
)


def trino_cast(node: exp.Expr, _: SqlTree) -> exp.Expr:
    """CAST and TRY_CAST: text is a number only if Trino says so; JSON and instants become their text."""
    if not isinstance(node, exp.Cast):
        return node
    if is_of(node.to, TEXT):
        return _as_text(node)
    if is_of(node.to, _INSTANTS) and node.to.expressions:  # other types in DuckDB, with fewer functions
        node.meta[_DIGITS_SHOWN] = int(node.to.expressions[0].name)
        node.to.set("expressions", [])
    if node.this.is_type(exp.DType.JSON) and node.to.find(exp.ColumnDef):
        shape = exp.Literal.string(json.dumps(_shape(node.to)))
        return exp.Anonymous(this="FROM_JSON", expressions=[node.this, shape])
    condition = _condition(node.to)
    if condition is None or node.this.is_type(exp.DType.NULL):
        return _json_cast(node)
    if is_of(node.this, TEXT):
        if not node.this.is_string or not _is_plain(node.this.name, node.to):
            guard = _TRIED if isinstance(node, exp.TryCast) else _FAILING
            node.set("this", template(guard.format(condition.format("_0")), node.this))
    elif node.this.is_type(exp.DType.UNKNOWN) or node.this.type is None:
        return _of_unknown(node, condition)
    return node


def _json_cast(node: exp.Cast) -> exp.Expr:
    """CAST(x AS JSON): text becomes a JSON string, it is not read as JSON."""
    is_string = node.to.is_type(exp.DType.JSON) and is_of(node.this, TEXT)
    return exp.Anonymous(this="TO_JSON", expressions=[node.this]) if is_string else node


def _shape(to: exp.DataType) -> object:
    """A type as FROM_JSON takes it: it leaves out what the ROW lacks, and what the JSON lacks is NULL."""
    parts = to.expressions
    if to.is_type(exp.DType.ARRAY) and parts:
        return [_shape(parts[0])]
    if to.is_type(exp.DType.STRUCT) and all(isinstance(part, exp.ColumnDef) for part in parts):
        return {part.name: _shape(part.args["kind"]) for part in parts}
    return to.sql(dialect="duckdb")


def _condition(to: exp.DataType) -> str | None:
    if is_of(to, WHOLE):
        return _DIGITS
    if to.is_type(exp.DType.BOOLEAN):
        return _TRUTH
    return _NUMBER if is_of(to, REAL) else None


def _is_plain(text: str, to: exp.DataType) -> bool:
    """Whether a constant has only digits: all engines read it in the same way."""
    return text.isascii() and text.isdigit() and not to.is_type(exp.DType.BOOLEAN)


def _of_unknown(node: exp.Cast, condition: str) -> exp.Expr:
    text = exp.DPipe(
        this=exp.cast(node.this.copy(), exp.DType.VARCHAR), expression=exp.Literal.string(NOT_READ)
    )
    failing = type(node)(this=text, to=node.to.copy(), safe=node.args.get("safe"))
    written = _UNTYPED.format(condition.format("CAST(_0 AS VARCHAR)"))
    return template(written, node.this, failing, node)


def _as_text(node: exp.Cast) -> exp.Expr:
    text: exp.Expr = node
    if node.this.is_type(exp.DType.TIMESTAMPTZ):
        text = template(_INSTANT, node.this)
    elif is_of(node.this, _TIMES):
        text = _time_text(node.this)
    elif node.this.is_type(exp.DType.INTERVAL):
        text = template(_SPAN, template(_SPAN_MS, node.this))
    elif node.this.is_type(exp.DType.JSON):
        text = template(_JSON_TEXT, node.this)
    length = node.to.expressions
    if not length or not is_of(node.this, _WITH_A_LENGTH):
        return text
    return template("LEFT(_0, _1)", text, length[0].this)  # DuckDB ignores the length


def _time_text(time: exp.Expr) -> exp.Expr:
    """A TIMESTAMP has milliseconds; one that is written, `TIMESTAMP '…'`, as many digits as are written."""
    is_written = isinstance(time, exp.Cast) and time.this.is_string and "start" not in time.meta
    written = len(time.this.name.partition(".")[2]) if is_written else _MILLISECONDS
    digits = time.meta.get(_DIGITS_SHOWN, written)
    if digits == _MILLISECONDS:
        return template(_TIME, time)
    length = len("2020-01-01 00:00:00") + (digits + 1 if digits else 0)
    return template(_WRITTEN_TIME, time, exp.Literal.number(length))
