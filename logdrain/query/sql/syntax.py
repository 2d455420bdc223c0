"""From a text to one query tree; whatever is not a query is refused by name."""

import re
from collections.abc import Sequence
from functools import lru_cache
from itertools import pairwise

from sqlglot import Token, TokenType, exp
from sqlglot.errors import ErrorLevel, ParseError, TokenError

from logdrain.errors import Place, SqlSyntaxError, UnsupportedSql
from logdrain.model.names import did_you_mean, nearest
from logdrain.model.plans import Dialect
from logdrain.query.sql.context import PlanContext, node_place, place_of
from logdrain.query.sql.dialect import FRONT_DOORS

# Statements that change, read or configure something other than event tables, by their first word.
_BEFORE = r"(?:\s|--[^\n]*(?:\n|$)|/\*.*?\*/)*"
_STATEMENT = re.compile(
    rf"{_BEFORE}(?P<word>ADD|ALTER|ANALYZE|ATTACH|BEGIN|CALL|CHECKPOINT|COMMENT|COMMIT|COPY|CREATE|DEALLOCATE|DELETE|DESC"
    r"|DESCRIBE|DETACH|DFS|DROP|EXECUTE|EXPLAIN|EXPORT|FORCE|GRANT|IMPORT|INSERT|INSTALL|KILL|LOAD|LOCK|MERGE"
    r"|MSCK|PRAGMA|PREPARE|REFRESH|REPLACE|RESET|REVOKE|ROLLBACK|SET|SHOW|START|SUMMARIZE|TRUNCATE|UNSET|UPDATE|USE"
    r"|VACUUM)\b",
    re.DOTALL | re.IGNORECASE,
)

_FIRST_WORD = re.compile(rf"{_BEFORE}(?P<word>[a-z]\w*)", re.DOTALL | re.IGNORECASE)
_FIRST_WORDS = frozenset({"SELECT", "WITH", "VALUES", "FROM", "TABLE"})
_QUERY_HINT = "a query starts with SELECT, WITH or VALUES"
_LARGE_HINT = "keep long lists of values in a table, and join it"
_RESULT_HINT = (
    "a query only reads; write the SELECT alone, and where its rows go: sched:create … --result NAME:table; "
    "other queries read them as result.NAME.table"
)
_HINTS = {
    **dict.fromkeys(("CREATE", "INSERT", "MERGE"), _RESULT_HINT),
    **dict.fromkeys(("DESC", "DESCRIBE"), "logdrain schema TABLE, or information_schema.columns"),
    "EXPLAIN": "logdrain explain 'SELECT …'",
    "SHOW": "logdrain tables, or information_schema.tables",
}
"""What to do instead of a statement."""

_REFUSED: tuple[tuple[type[exp.Expr], str], ...] = (
    (exp.DML, "changing data"),
    (exp.DDL, "creating objects"),
    (exp.Command, "this command"),
    (exp.Into, "SELECT INTO"),
    (exp.QueryTransform, "TRANSFORM … USING"),
    (exp.Lock, "row locks"),
    (exp.Pivot, "PIVOT"),
    (exp.MatchRecognize, "MATCH_RECOGNIZE"),
    (exp.Glob, "GLOB"),
    (exp.Columns, "COLUMNS(…)"),
    (exp.Placeholder, "a parameter"),
    (exp.Parameter, "a parameter"),
    (exp.SessionParameter, "a session variable"),
    (exp.FunctionSpecification, "WITH FUNCTION"),
)

_NOT_AFTER_COMMA = frozenset(
    {TokenType.COMMA, TokenType.R_PAREN, TokenType.FROM, TokenType.WHERE, TokenType.SEMICOLON}
)
_WITH_BY = frozenset({"GROUP", "ORDER", "PARTITION"})
_KEYWORDS = (
    *(
        "SELECT",
        "VALUES",
        "FROM",
        "WHERE",
        "HAVING",
        "LIMIT",
        "OFFSET",
        "UNION",
        "DISTINCT",
        "BETWEEN",
        "INTERVAL",
    ),
    *("CASE", "WHEN", "THEN", "ELSE", "JOIN", "LEFT", "RIGHT", "INNER", "CROSS", "OVER", "WITH", *_WITH_BY),
)
_WORD = re.compile(r"\w+")
_MISSING_QUOTE = re.compile(r"Missing (?P<quote>\S+) from")
_UNEXPECTED = re.compile(r"Invalid expression / Unexpected token|Required keyword: .*| but got <Token.*")
_LACKING = re.compile(r"Required keyword: '\w+' missing for .*expressions\.(?!core)")
_TOO_FEW = "the call that ends here has too few arguments"
_END_OF_TEXT = "SENTINEL"
# What planning takes grows with these, and nothing can end it.
TEXT_MAX_CHARACTERS = 1024 * 1024
NODES_MAX = 50_000
DEPTH_MAX = 1000  # the engine's own
# A backfill plans one text thousands of times.
_TEXTS_KEPT_MAX = 64


def read_statement(context: PlanContext) -> None:
    """Take the request's tree, or parse its text.

    Raises:
        SqlSyntaxError: it is not exactly one SELECT, VALUES or set operation; has line and column.
        UnsupportedSql: it is another statement, or has a part that is not run here.
    """
    sql = context.request.sql
    if isinstance(sql, str):
        context.statement = parse_query(sql, context.dialect).copy()
        return
    context.statement = sql.copy()
    for node in context.statement.walk():
        node.meta.clear()  # where a part stood in another text
    context.text = context.statement.sql(dialect=FRONT_DOORS[context.dialect])
    _check_parts(context.text, context.statement)


@lru_cache(maxsize=_TEXTS_KEPT_MAX)
def parse_query(sql: str, dialect: Dialect) -> exp.Query:
    """A text as a tree, which is everybody's: not to be changed. Raises what `read_statement` does."""
    if len(sql) > TEXT_MAX_CHARACTERS:
        raise UnsupportedSql(
            f"a text of more than {TEXT_MAX_CHARACTERS:,} characters is not run here",
            place=Place(1, 1),
            hint=_LARGE_HINT,
        )
    other = _STATEMENT.match(sql)
    if other:
        place = place_of(sql, other.start("word"))
        word = other["word"].upper()
        raise UnsupportedSql(f"{word} is not run here", place=place, hint=_HINTS.get(word, _QUERY_HINT))
    if "\0" in sql:
        raise SqlSyntaxError(
            "the character U+0000", place=place_of(sql, sql.index(chr(0))), hint="leave it out"
        )
    statements = _parse(sql, dialect)
    if not statements:
        raise SqlSyntaxError("the query is empty", place=Place(1, 1), hint="write SELECT …")
    if len(statements) > 1:
        raise UnsupportedSql(
            "a second statement", place=_second_place(sql, dialect), hint="a query is exactly one statement"
        )
    statement = _as_query(sql, statements[0])
    _check_parts(sql, statement)
    return statement


def _check_size(sql: str, statement: exp.Query) -> None:
    """Refuse what would take too long to plan; chains of AND and OR are no depth, but for us."""
    waiting: list[tuple[exp.Expr, int]] = [(statement, 0)]
    count = 0
    while waiting:
        node, depth = waiting.pop()
        count += 1
        if depth > DEPTH_MAX or count > NODES_MAX:
            what, hint = f"more than {NODES_MAX:,} parts", _LARGE_HINT
            if depth > DEPTH_MAX:
                what, hint = f"more than {DEPTH_MAX:,} terms in a row", "put some of them into a subquery"
            raise UnsupportedSql(
                f"a query with {what} is not run here", place=node_place(sql, node), hint=hint
            )
        below = depth + (not isinstance(node, exp.Connector))
        waiting.extend((part, below) for part in node.iter_expressions())


def _check_parts(sql: str, statement: exp.Query) -> None:
    _check_size(sql, statement)
    for node in statement.walk():
        for refused, what in _REFUSED:
            if isinstance(node, refused) and not isinstance(node, exp.Query):
                raise UnsupportedSql(f"{what} is not run here", place=node_place(sql, node))
        if isinstance(node, exp.Select):
            _check_groups(sql, node)
            _check_columns(sql, node)
        _check_samples(sql, node)
        _check_counts(sql, node)


def _check_counts(sql: str, node: exp.Expr) -> None:
    """What the parser lets pass, and the engine complains of without a place."""
    if isinstance(node, exp.Distinct) and not node.expressions and isinstance(node.parent, exp.AggFunc):
        raise SqlSyntaxError("DISTINCT without a column", place=node_place(sql, node.parent))
    if isinstance(node, (exp.Limit, exp.Offset)) and node.find(exp.Column):
        raise SqlSyntaxError(f"{node.key.upper()} takes a number, no column", place=node_place(sql, node))
    if isinstance(node, exp.With):
        names: set[str] = set()
        for query in node.expressions:
            if query.alias.lower() in names:
                raise SqlSyntaxError(
                    f"WITH names {query.alias} twice",
                    place=node_place(sql, query.args["alias"]),
                    hint="give one another name",
                )
            names.add(query.alias.lower())


def _check_samples(sql: str, node: exp.Expr) -> None:
    """Forms that the engine would read without a part of them."""
    options = node.args.get("limit_options") if isinstance(node, exp.Fetch) else None
    if options is not None and options.args.get("with_ties"):
        place = node_place(sql, node.parent or node)
        raise UnsupportedSql("FETCH … WITH TIES", place=place, hint="use RANK() OVER (…)")
    if isinstance(node, exp.TableSample) and node.args.get("bucket_numerator"):
        raise UnsupportedSql(
            "TABLESAMPLE (BUCKET …) is not run here",
            place=node_place(sql, node),
            hint="write WHERE uid % 2 = 0",
        )


def _parse(sql: str, dialect: Dialect) -> list[exp.Expr]:
    front_door = FRONT_DOORS[dialect]()
    parser = front_door.parser(error_level=ErrorLevel.IMMEDIATE)
    try:
        tokens = front_door.tokenize(sql)
        _check_commas(sql, tokens)
        _check_parameters(sql, tokens, dialect)
        parsed = parser.parse(tokens, sql)
    except ParseError as error:
        message, place = _parse_message(sql, error)
        raise SqlSyntaxError(message, place=place, hint=_word_hint(sql, error)) from None
    except TokenError as error:
        message, place = _token_message(sql, error)
        raise SqlSyntaxError(message, place=place) from None
    # A comment behind the last semicolon is a statement to the parser.
    return [
        statement for statement in parsed if statement is not None and type(statement) is not exp.Semicolon
    ]


def _as_query(sql: str, statement: exp.Expr) -> exp.Query:
    if isinstance(statement, exp.Values):
        return exp.select("*").from_(statement)
    if isinstance(statement, exp.Insert):  # WITH … INSERT INTO, FROM … INSERT INTO
        raise UnsupportedSql(
            "INSERT is not run here", place=_word_place(sql, statement, "INSERT"), hint=_RESULT_HINT
        )
    if not isinstance(statement, exp.Query) or isinstance(statement, exp.Table):
        raise SqlSyntaxError(
            "this is not a query",
            place=node_place(sql, statement),
            hint="a query starts with SELECT, WITH or VALUES",
        )
    return statement


def _word_place(sql: str, node: exp.Expr, word: str) -> Place:
    found = re.search(rf"\b{word}\b", sql, re.IGNORECASE)
    return place_of(sql, found.start()) if found else node_place(sql, node)


def _check_commas(sql: str, tokens: Sequence[Token]) -> None:
    """The parser lets `SELECT a,, b` and `SELECT a, FROM t` pass."""
    for token, following in pairwise(tokens):
        if token.token_type is TokenType.COMMA and following.token_type in _NOT_AFTER_COMMA:
            place = place_of(sql, following.start)
            raise SqlSyntaxError(f"this is unexpected after a comma, near {following.text!r}", place=place)


def _check_columns(sql: str, select: exp.Select) -> None:
    """The parser lets `SELECT` alone and `SELECT FROM t` pass."""
    if not select.expressions:
        has_place = any("start" in part.meta for part in select.walk())
        place = node_place(sql, select) if has_place else place_of(sql, len(sql.rstrip()))
        raise SqlSyntaxError("SELECT without a column", place=place, hint="write SELECT *")


def _check_parameters(sql: str, tokens: Sequence[Token], dialect: Dialect) -> None:
    signs = {TokenType.PLACEHOLDER, TokenType.PARAMETER, TokenType.L_BRACE, TokenType.BLOCK_START}
    if dialect is Dialect.TRINO:
        signs.add(TokenType.COLON)  # has no other use there; in Hive STRUCT<a:int> has it
    for token in tokens:
        if token.token_type in signs or (token.token_type is TokenType.VAR and token.text[0] == "$"):
            place = place_of(sql, token.start)
            raise UnsupportedSql("a parameter is not run here", place=place, hint="write the value")


def _second_place(sql: str, dialect: Dialect) -> Place:
    """Where the statement after the first semicolon begins."""
    tokens = FRONT_DOORS[dialect]().tokenize(sql)
    starts = [after.start for token, after in pairwise(tokens) if token.token_type is TokenType.SEMICOLON]
    return place_of(sql, starts[0]) if starts else Place(1, 1)


def _check_groups(sql: str, select: exp.Select) -> None:
    """The parser lets `GROUP BY` without an end pass."""
    group = select.args.get("group")
    if group is not None and not any(group.args.values()):
        raise SqlSyntaxError("GROUP BY without a column", place=node_place(sql, select))


def _parse_message(sql: str, error: ParseError) -> tuple[str, Place]:
    if not error.errors:  # a few of the parser's errors carry no place
        return "this cannot be read as SQL", Place(1, 1)
    first = error.errors[0]
    highlight, description = str(first["highlight"]), str(first["description"])
    start = _offset(sql, int(first["line"]), int(first["col"])) - len(highlight)
    if _LACKING.search(description):
        return _TOO_FEW, place_of(sql, start)
    is_last = start + len(highlight) == len(sql.rstrip()) and "Unexpected" not in description
    if is_last or _END_OF_TEXT in description:
        return f"the text ends too early, after {highlight!r}", place_of(sql, len(sql.rstrip()))
    said = _UNEXPECTED.sub("this is unexpected", description)
    return f"{said}, near {highlight!r}", place_of(sql, start)


def _word_hint(sql: str, error: ParseError) -> str:
    """The keyword that one of the last two words was probably meant to be."""
    if not error.errors:
        return ""
    first = error.errors[0]
    if str(first["highlight"]).startswith("`"):
        return 'names are quoted as in "price"; `price` is Hive\'s: -T hive'
    words = [word.upper() for word in _WORD.findall(sql[: _offset(sql, first["line"], first["col"])])]
    begun = _FIRST_WORD.match(sql)
    first_word = begun["word"].upper() if begun else ""
    if first_word and first_word not in _FIRST_WORDS:  # `SELEC a` could be a name and its alias
        return did_you_mean(near) if (near := _near(first_word)) else _QUERY_HINT
    before, *last = ["", "", *words][-3:]
    if last[0] in _WITH_BY and last[1] != "BY":
        return f"write {last[0]} BY"
    for previous, word in ((last[0], last[1]), (before, last[0])):
        near = _near(word)
        if near and previous not in ("FROM", "JOIN"):
            return did_you_mean(near)
    return ""


def _near(word: str) -> str:
    """The keyword that a word is nearly; "" for none, or where it is one."""
    return "" if word in _KEYWORDS else nearest(word, _KEYWORDS, likeness=0.75)


def _token_message(sql: str, error: TokenError) -> tuple[str, Place]:
    missing = _MISSING_QUOTE.match(str(error.__cause__))
    if missing:
        quote = missing["quote"]
        return f"{quote} is opened and never closed", place_of(sql, max(sql.rfind(quote), 0))
    return "the text ends inside a comment or a literal", place_of(sql, len(sql))


def _offset(sql: str, line: int, column: int) -> int:
    return sum(len(text) + 1 for text in sql.split("\n")[: line - 1]) + column
