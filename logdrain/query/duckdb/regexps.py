"""Regular expressions: DuckDB's are those of RE2; a slower engine has what RE2 lacks (`java_regex`)."""

import re

from sqlglot import exp

from logdrain.errors import SqlError, UnsupportedSql
from logdrain.query.duckdb.templates import Rule, from_template, template
from logdrain.query.sql.context import SqlTree
from logdrain.query.values.java_regex import compiled, is_beyond_re2

_EXTRACTED = "CASE WHEN REGEXP_MATCHES(_0, _1) THEN CASE WHEN _2 = '' THEN {} ELSE _2 END END"
_GROUP = "JAVA_REGEXP_EXTRACT(_0, _1, CAST(_3 AS BIGINT))"
_ALL = "CASE WHEN LIST_CONTAINS(_2, '') THEN JAVA_REGEXP_EXTRACT_ALL(_0, _1, CAST(_3 AS BIGINT)) ELSE _2 END"
_REFERENCE = re.compile(r"\\(.)|\$([0-9])|(\\)", re.DOTALL)
_POSITION = (
    "CASE WHEN REGEXP_MATCHES(_0, _1) THEN LENGTH(LIST_EXTRACT(STR_SPLIT_REGEX(_0, _1), 1)) + 1 "
    "WHEN NOT REGEXP_MATCHES(_0, _1) THEN -1 END"
)


def _either(parts: tuple[str, ...], slow: str, quick: Rule) -> Rule:
    """Java's form where the pattern, a constant, needs it; else RE2's."""

    def rule(node: exp.Expr, context: SqlTree) -> exp.Expr:
        arguments = [node.args.get(part) or exp.Null() for part in parts] if parts else node.expressions
        text, pattern, *others = arguments
        if not isinstance(pattern, exp.Literal) or not is_beyond_re2(pattern.name):
            return quick(node, context)
        if compiled(pattern.name) is None:
            raise SqlError(
                f"{pattern.name!r} is no regular expression",
                place=context.place(node),
                hint="write it as in Java",
            )
        return template(slow, exp.cast(text.copy(), exp.DType.VARCHAR), pattern, *others)

    return rule


def _group(node: exp.Expr) -> exp.Expr:
    group = node.args.get("group")
    return group if isinstance(group, exp.Expr) else exp.Literal.number(0)


def _extract(node: exp.Expr, _: SqlTree) -> exp.Expr:
    """NULL if nothing matches, or if the group took no part; DuckDB returns an empty string."""
    group = _group(node)
    text = _EXTRACTED.format("_2" if group.name == "0" else _GROUP)
    return template(text, node.this, node.expression, node, group)


def _extract_of_hive(node: exp.Expr, _: SqlTree) -> exp.Expr:
    """Empty if nothing matches, NULL if the group took no part."""
    return template(
        f"COALESCE({_EXTRACTED.format(_GROUP)}, CASE WHEN NOT REGEXP_MATCHES(_0, _1) THEN '' END)",
        node.this,
        node.expression,
        node,
        _group(node),
    )


def _extract_all(node: exp.Expr, _: SqlTree) -> exp.Expr:
    group = _group(node)
    return node if group.name == "0" else template(_ALL, node.this, node.expression, node, group)


def _replace(node: exp.Expr, context: SqlTree) -> exp.Expr:
    """Java writes groups as `$1`, DuckDB with a backslash."""
    replacement = node.args.get("replacement")
    if isinstance(replacement, exp.Lambda):
        raise UnsupportedSql("REGEXP_REPLACE with a function", place=context.place(node))
    if replacement is not None and replacement.is_string:
        text = _REFERENCE.sub(_reference, replacement.name)
        node.set("replacement", exp.Literal.string(text))
    return node


def _reference(found: re.Match[str]) -> str:
    if found[2]:
        return f"\\{found[2]}"
    return r"\\" if found[1] in (None, "\\") else str(found[1])


_TEXT = ("this", "expression")

LIKE = _either(_TEXT, "JAVA_REGEXP_MATCHES(_0, _1)", lambda node, _: node)
COUNT = _either(_TEXT, "LEN(JAVA_REGEXP_EXTRACT_ALL(_0, _1, 0))", lambda node, _: node)
SPLIT = _either(_TEXT, "JAVA_REGEXP_SPLIT(_0, _1)", lambda node, _: node)
EXTRACT = _either((*_TEXT, "group"), "JAVA_REGEXP_EXTRACT(_0, _1, CAST(_2 AS BIGINT))", _extract)
EXTRACT_OF_HIVE = _either(
    (*_TEXT, "group"),
    "COALESCE(JAVA_REGEXP_EXTRACT(_0, _1, CAST(_2 AS BIGINT)), "
    "CASE WHEN NOT JAVA_REGEXP_MATCHES(_0, _1) THEN '' END)",
    _extract_of_hive,
)
EXTRACT_ALL = _either((*_TEXT, "group"), "JAVA_REGEXP_EXTRACT_ALL(_0, _1, COALESCE(_2, 0))", _extract_all)
POSITION = _either((), "JAVA_REGEXP_POSITION(_0, _1)", from_template(_POSITION))
REPLACE = _either((*_TEXT, "replacement"), "JAVA_REGEXP_REPLACE(_0, _1, COALESCE(_2, ''))", _replace)
