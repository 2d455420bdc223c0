"""Trino's FORMAT_DATETIME and PARSE_DATETIME: patterns of Joda-Time, written for the engine.

(https://www.joda.org/joda-time/apidocs/org/joda/time/format/DateTimeFormat.html)
"""

import re

from sqlglot import exp

from logdrain.errors import UnsupportedSql
from logdrain.query.sql.context import SqlTree

_PART = re.compile(r"''|'((?:[^']|'')*)'|(([A-Za-z])\3*)|[^A-Za-z']")
JAVA_LETTERS = {
    "yyyy": "%Y",
    "yy": "%y",
    "MMMM": "%B",
    "MMM": "%b",
    "MM": "%m",
    "M": "%-m",
    "dd": "%d",
    "d": "%-d",
    "EEEE": "%A",
    "EEE": "%a",
    "E": "%a",
    "a": "%p",
    "HH": "%H",
    "H": "%-H",
    "hh": "%I",
    "h": "%-I",
    "mm": "%M",
    "m": "%-M",
    "ss": "%S",
    "s": "%-S",
    "SSS": "%g",
}
"""What the engine prints as Joda-Time and SimpleDateFormat both do."""

_FIELDS = {
    **JAVA_LETTERS,
    "y": "%Y",
    **dict.fromkeys(("Y", "YY", "YYYY", "yyy", "YYY"), "%Y"),
    "xxxx": "%G",
    "x": "%G",
    "ww": "%V",
    "DDD": "%j",
    "D": "%-j",
    "e": "%u",
    "EE": "%a",
}
_UTC = {"Z": "+0000", "ZZ": "+00:00", "ZZZ": "UTC", "z": "UTC"}


def format_datetime(node: exp.Expr, context: SqlTree) -> exp.Expr:
    """`format_datetime(timestamp, pattern)`; a TIMESTAMPTZ is printed in UTC."""
    time, pattern = node.expressions
    zones = _UTC if time.is_type(exp.DType.TIMESTAMPTZ) else {}
    written = _pattern(node, pattern, context, zones)
    return exp.Anonymous(this="STRFTIME", expressions=[time, exp.Literal.string(written)])


def parse_datetime(node: exp.Expr, context: SqlTree) -> exp.Expr:
    """`parse_datetime(text, pattern)`: an instant, in UTC where the pattern has no zone."""
    written = _pattern(node, node.args["format"], context, {"Z": "%z", "ZZ": "%z"})
    parsed = exp.StrToTime(this=node.this, format=exp.Literal.string(written))
    return exp.cast(parsed, exp.DType.TIMESTAMPTZ)


def _pattern(node: exp.Expr, pattern: exp.Expr, context: SqlTree, zones: dict[str, str]) -> str:
    if not pattern.is_string:
        raise UnsupportedSql("the pattern must be a string in quotes", place=context.place(node))
    texts: list[str] = []
    position = 0
    while position < len(pattern.name):
        found = _PART.match(pattern.name, position)
        field = found[2] if found else None
        known = {**_FIELDS, **zones}.get(field) if field else None
        if found is None or (field and known is None):
            wrong = field or pattern.name[position:]
            raise UnsupportedSql(
                f"the pattern has {wrong!r}",
                place=context.place(node),
                hint="TD_TIME_FORMAT knows more letters",
            )
        plain = "'" if found[0] == "''" else (found[1] or found[0]).replace("''", "'")
        texts.append(known or plain.replace("%", "%%"))
        position = found.end()
    return "".join(texts)
