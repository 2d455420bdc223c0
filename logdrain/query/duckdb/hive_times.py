"""Hive's functions of times: text that is no time is NULL, patterns are those of Java's SimpleDateFormat.

(https://cwiki.apache.org/confluence/display/Hive/LanguageManual+UDF)
"""

import re

from sqlglot import exp

from logdrain.errors import SqlTypeError, UnsupportedSql
from logdrain.query.duckdb.date_patterns import JAVA_LETTERS
from logdrain.query.duckdb.functions_of_both import Functions
from logdrain.query.duckdb.templates import Rule, from_template
from logdrain.query.sql.constants import constant
from logdrain.query.sql.context import SqlTree
from logdrain.query.sql.kinds import NUMBER, TEMPORAL, TEXT, is_of
from logdrain.query.values.java_format import PATTERN_PART, pattern_parts
from logdrain.query.values.java_parse import time_reader

_SECONDS = exp.Literal.string("yyyy-MM-dd HH:mm:ss")
_FORMAT_HINT = "write letters of Java's SimpleDateFormat: 'yyyy-MM-dd HH:mm:ss z'; text in ''…''"
_PARSE_HINT = "letters that are read are yyyy M d H k K h m s S E a z Z X, each once"
_IN_RANGE = "CASE WHEN _0 BETWEEN -62135596800 AND 253402300799 THEN _0 END"
_FROM_SECONDS = {
    "strftime": from_template(f"STRFTIME(TO_TIMESTAMP({_IN_RANGE}), _1)"),
    "java": from_template(f"JAVA_TIME_FORMAT(1000 * ({_IN_RANGE}), _1)"),
}
_FROM_TIME = {
    "strftime": from_template("STRFTIME(_0, _1)"),
    "java": from_template("JAVA_TIME_FORMAT(EPOCH_MS(_0), _1)"),
}
_EPOCH = from_template("CAST(FLOOR(EPOCH(_0)) AS BIGINT)")
_PARSE = from_template("JAVA_TIME_PARSE(CAST(_0 AS VARCHAR), _1)")
_PARSE_QUICKLY = from_template(
    "COALESCE(CASE WHEN REGEXP_MATCHES(CAST(_0 AS VARCHAR), '^[0-9]') "  # not 'epoch', which it reads as 1900
    "THEN CAST(FLOOR(EPOCH(TRY_STRPTIME(CAST(_0 AS VARCHAR), _2))) AS BIGINT) END, "
    "JAVA_TIME_PARSE(CAST(_0 AS VARCHAR), _1))"
)
"""The engine reads what it can, and leaves odd text (a time with more behind it) to the slower way."""
_LETTERS = re.compile("%.")
_STRPTIME = frozenset({"%Y", "%m", "%d", "%H", "%M", "%S"})

_READ = from_template(
    "CASE WHEN TRY_CAST(_0 AS TIMESTAMP) "
    "BETWEEN TIMESTAMP '0001-01-01' AND TIMESTAMP '9999-12-31 23:59:59.999999' "
    "THEN TRY_CAST(_0 AS TIMESTAMP) END"
)
_COUNT = "CASE WHEN _1 BETWEEN -10000000 AND 10000000 THEN CAST(_1 AS INTEGER) END"
"""Days or months; NULL beyond the engine's calendar."""
_MOVED = f"CAST(_0 + TO_MONTHS({_COUNT}) AS DATE)"
_ADD_MONTHS = from_template(
    f"STRFTIME(CASE WHEN _0 = LAST_DAY(_0) THEN LAST_DAY({_MOVED}) ELSE {_MOVED} END, '%Y-%m-%d')"
)
_WHOLE_MONTHS = "((YEAR(_0) - YEAR(_1)) * 12 + MONTH(_0) - MONTH(_1))"
_IS_WHOLE = "DAY(_0) = DAY(_1) OR (CAST(_0 AS DATE) = LAST_DAY(_0) AND CAST(_1 AS DATE) = LAST_DAY(_1))"
_IN_MONTH_S = (
    "FLOOR(EPOCH(_0)) - EPOCH(DATE_TRUNC('month', _0)) - FLOOR(EPOCH(_1)) + EPOCH(DATE_TRUNC('month', _1))"
)
_MONTHS_BETWEEN = from_template(
    f"CASE WHEN {_IS_WHOLE} THEN CAST({_WHOLE_MONTHS} AS DOUBLE) "
    f"ELSE {_WHOLE_MONTHS} + ({_IN_MONTH_S}) / (31 * 86400.0e0) END"
)
_ROUNDED = from_template("ROUND(_0, 8)")
_DATE_ADD = from_template(f"CAST(_0 + ({_COUNT}) AS DATE)")


def as_time(node: exp.Expr, context: SqlTree) -> exp.Expr:
    """The node as TIMESTAMP, NULL where it is none.

    Raises:
        SqlTypeError: it is a number.
    """
    if is_of(node, NUMBER):
        written = context.readable(node)
        raise SqlTypeError(
            f"{written} is a number, no time",
            place=context.place(node),
            hint=f"write FROM_UNIXTIME({written})",
        )
    if is_of(node, TEMPORAL):
        return exp.cast(node.copy(), exp.DType.TIMESTAMP)
    return _called(_READ, context, node)


def as_date(node: exp.Expr, context: SqlTree) -> exp.Expr:
    """The node as DATE, NULL where it is none.

    Raises:
        SqlTypeError: it is a number.
    """
    if node.is_type(exp.DType.DATE):
        return node.copy()
    return exp.cast(as_time(node, context), exp.DType.DATE)


def _called(rule: Rule, context: SqlTree, *arguments: exp.Expr) -> exp.Expr:
    return rule(exp.Anonymous(this="", expressions=list(arguments)), context)


def _pattern(node: exp.Expr, pattern: exp.Expr, context: SqlTree, *, hint: str, is_read: bool) -> exp.Expr:
    """A pattern; one in a column is NULL where it cannot be read.

    Raises:
        UnsupportedSql: a constant that cannot be read.
    """
    known = constant(pattern)
    text = known.value if known is not None else None
    if isinstance(text, str) and (time_reader if is_read else pattern_parts)(text) is None:
        raise UnsupportedSql(
            f"{node.name.upper()}: the pattern {text!r} cannot be read", place=context.place(node), hint=hint
        )
    return pattern


def _strftime(pattern: exp.Expr) -> exp.Expr | None:
    """The pattern in the engine's letters, where it has all of them."""
    if not pattern.is_string:
        return None
    written = ""
    for found in PATTERN_PART.finditer(pattern.name):
        field = found["field"]
        if field and field not in JAVA_LETTERS:
            return None
        text = "'" if found["quote"] else (found["text"] or (found["quoted"] or "").replace("''", "'"))
        written += JAVA_LETTERS[field] if field else text.replace("%", "%%")
    return exp.Literal.string(written)


def _formatted(ways: dict[str, Rule], context: SqlTree, time: exp.Expr, pattern: exp.Expr) -> exp.Expr:
    quick = _strftime(pattern)
    return _called(ways["strftime" if quick else "java"], context, time, quick or pattern)


def date_format(node: exp.Expr, context: SqlTree) -> exp.Expr:
    """`date_format(time, pattern)`."""
    time, pattern = node.expressions
    pattern = _pattern(node, pattern, context, hint=_FORMAT_HINT, is_read=False)
    return _formatted(_FROM_TIME, context, as_time(time, context), pattern)


def from_unixtime(node: exp.Expr, context: SqlTree) -> exp.Expr:
    """`from_unixtime(seconds [, pattern])`, in UTC."""
    seconds, *patterns = node.expressions
    pattern = _pattern(node, [*patterns, _SECONDS][0], context, hint=_FORMAT_HINT, is_read=False)
    return _formatted(_FROM_SECONDS, context, _whole(seconds), pattern)


def unix_timestamp(node: exp.Expr, context: SqlTree) -> exp.Expr:
    """`unix_timestamp(time [, pattern])`; what follows the time in the text is ignored."""
    time, *patterns = node.expressions
    if is_of(time, TEMPORAL):
        return _called(_EPOCH, context, time)
    pattern = _pattern(node, [*patterns, _SECONDS][0], context, hint=_PARSE_HINT, is_read=True)
    quick = _strftime(pattern)
    letters = quick.name.replace("%-", "%") if quick else ""
    used = set(_LETTERS.findall(letters))
    if "%Y" not in used or not used <= _STRPTIME:
        return _called(_PARSE, context, time, pattern)
    return _called(_PARSE_QUICKLY, context, time, pattern, exp.Literal.string(letters))


def add_months(node: exp.Expr, context: SqlTree) -> exp.Expr:
    """`add_months(date, months)`: text; the last day of a month stays the last."""
    time, months = node.expressions
    return _called(_ADD_MONTHS, context, as_date(time, context), _whole(months))


def months_between(node: exp.Expr, context: SqlTree) -> exp.Expr:
    """`months_between(to, from [, is_rounded])`: whole from a day to the same or from last to last."""
    end, start, *rounded = node.expressions
    months = _called(_MONTHS_BETWEEN, context, as_time(end, context), as_time(start, context))
    if rounded and rounded[0] == exp.false():
        return months
    if rounded and rounded[0] != exp.true():
        raise UnsupportedSql(
            "MONTHS_BETWEEN whose last argument is not TRUE or FALSE", place=context.place(node)
        )
    return _called(_ROUNDED, context, months)


def _date_add(node: exp.Expr, context: SqlTree) -> exp.Expr:
    return _called(_DATE_ADD, context, as_date(node.this, context), _whole(node.expression))


def _whole(number: exp.Expr) -> exp.Expr:
    return exp.TryCast(this=number.copy(), to=exp.DType.BIGINT.into_expr(), safe=True)


def _part(node: exp.Expr, context: SqlTree) -> exp.Expr:
    """A part of a time; NULL where the text is none."""
    key = "expression" if isinstance(node, exp.Extract) else "this"
    if not is_of(node.args[key], TEMPORAL):
        node.set(key, as_time(node.args[key], context))
    return node


def _clock_part(node: exp.Expr, context: SqlTree) -> exp.Expr:
    """A part of a time of day; of text, the date may be left out."""
    text = node.this
    _part(node, context)
    if is_of(text, TEXT):
        dated = exp.DPipe(this=exp.Literal.string("1970-01-01 "), expression=text.copy())
        node.set("this", exp.Coalesce(this=node.this.copy(), expressions=[as_time(dated, context)]))
    return node


def _trunc(node: exp.Expr, context: SqlTree) -> exp.Expr:
    """`trunc(date, 'MM')` is text."""
    unit = _TRUNCATED.get(node.text("unit").upper())
    if unit is None:
        raise UnsupportedSql(
            "TRUNC to another unit", place=context.place(node), hint="units are YEAR, Q and MONTH"
        )
    start = exp.Anonymous(
        this="DATE_TRUNC", expressions=[exp.Literal.string(unit), as_time(node.this, context)]
    )
    return exp.Anonymous(this="STRFTIME", expressions=[start, exp.Literal.string("%Y-%m-%d")])


def _day_of_week(node: exp.Expr, context: SqlTree) -> exp.Expr:
    """From 1 for Sunday, where the engine counts from 0."""
    return exp.Paren(this=exp.Add(this=_part(node, context).copy(), expression=exp.Literal.number(1)))


_TRUNCATED = {
    **dict.fromkeys(("YEAR", "YYYY", "YY"), "year"),
    **dict.fromkeys(("Q", "QUARTER"), "quarter"),
    **dict.fromkeys(("MONTH", "MON", "MM"), "month"),
}

HIVE_TIMES: Functions = {
    "add_months": add_months,
    "date_format": date_format,
    "from_unixtime": from_unixtime,
    "months_between": months_between,
    "to_unix_timestamp": unix_timestamp,
    "unix_timestamp": unix_timestamp,
    **dict.fromkeys((exp.Hour, exp.Minute, exp.Second), _clock_part),
    exp.DayOfWeek: _day_of_week,
    exp.TimestampTrunc: _trunc,
    exp.TsOrDsAdd: _date_add,
    exp.TsOrDsToDate: lambda node, context: as_date(node.this, context),
    **dict.fromkeys(
        (
            *(exp.Year, exp.Quarter, exp.Month, exp.WeekOfYear, exp.Day, exp.DayOfMonth, exp.DayOfYear),
            *(exp.LastDay, exp.NextDay, exp.Extract),
        ),
        _part,
    ),
}
