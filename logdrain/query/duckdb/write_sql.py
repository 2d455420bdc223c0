"""The engine's SQL, written from the finished tree."""

import re
from collections.abc import Iterable

from sqlglot import exp
from sqlglot.dialects.duckdb import DuckDB
from sqlglot.errors import ErrorLevel, ParseError
from sqlglot.generators.duckdb import DuckDBGenerator

from logdrain.errors import UnknownFunction, UnsupportedSql
from logdrain.model.names import nearest_hint
from logdrain.query.duckdb.allowed_functions import ENGINE_FUNCTIONS
from logdrain.query.duckdb.errors import EnginePlace
from logdrain.query.duckdb.translations import SUGGESTIONS
from logdrain.query.duckdb.vector_functions import VECTOR_FUNCTIONS
from logdrain.query.sql.context import SqlTree, place_of
from logdrain.query.sql.signatures import SIGNATURES
from logdrain.query.td.registry import TD_FUNCTIONS
from logdrain.query.values.address_functions import ADDRESS_FUNCTIONS

_ALLOWED = ENGINE_FUNCTIONS | VECTOR_FUNCTIONS.keys() | {name.lower() for name in ADDRESS_FUNCTIONS}

# The engine's session is in UTC, so parts of a TIMESTAMPTZ are those of UTC, as in Trino; the others change
# how a query is run, or how exact an approximation is, not what it means.
_NO_DIFFERENCE = ("EXTRACT from TIMESTAMPTZ", "Hints are", "Argument 'accuracy'")

_MARK = re.compile("\ue000([0-9]+)\ue001")

# What is written for a function: a call, or a word alone; the user's names are in quotes.
_CALL = re.compile(r"(?P<name>\w+)(?:\(|\Z)")

_LACKING = re.compile(r"(?P<name>\w+) is not supported in DuckDB")


class EngineGenerator(DuckDBGenerator):
    """DuckDB's SQL; collects the functions that would be called by a name that is not allowed."""

    def __init__(self) -> None:
        super().__init__(
            dialect=DuckDB(), identify=True, pretty=True, comments=False, unsupported_level=ErrorLevel.IGNORE
        )
        self.unknown: list[tuple[exp.Expr, str]] = []
        self.lacking: set[str] = set()
        self.refused: list[tuple[exp.Expr, str]] = []
        self._path: list[exp.Expr] = []

    @property
    def current(self) -> exp.Expr | None:
        """The part that is written now: the innermost that the user wrote."""
        return next((node for node in reversed(self._path) if "start" in node.meta), None)

    def sql(self, expression: str | exp.Expr | None, key: str | None = None, comment: bool = True) -> str:  # noqa: FBT001, FBT002  sqlglot's signature
        """A part, which is `current` meanwhile."""
        if not isinstance(expression, exp.Expr) or key is not None:
            return super().sql(expression, key, comment)
        self._path.append(expression)
        text = super().sql(expression, key, comment)
        self._path.pop()
        if isinstance(expression, exp.Func) and (call := _CALL.match(text)):
            self._check(expression, call["name"])  # sqlglot has words of its own for some
        return text

    def function_fallback_sql(self, expression: exp.Func) -> str:
        """A function that has the same name in the engine, if the engine has it."""
        self._check(expression, self.function_name(expression))
        return super().function_fallback_sql(expression)

    def anonymous_sql(self, expression: exp.Anonymous) -> str:
        """A function that sqlglot does not know."""
        self._check(expression, expression.name)
        return super().anonymous_sql(expression)

    def unsupported(self, message: str) -> None:
        """Something of the dialect that the engine lacks; a lacking function is worth an error of its own."""
        super().unsupported(message)
        lacking = _LACKING.fullmatch(message)
        if lacking:
            self.lacking.add(lacking["name"].upper())
        elif not message.startswith(_NO_DIFFERENCE):
            self.refused.append((self.current or exp.Null(), message))

    def _check(self, node: exp.Expr, name: str) -> None:
        if name.lower() not in _ALLOWED:
            self.unknown.append((node, name))


class PlacesGenerator(EngineGenerator):
    """Writes the same text, with the offset in the user's text before each part that has one."""

    def sql(self, expression: str | exp.Expr | None, key: str | None = None, comment: bool = True) -> str:  # noqa: FBT001, FBT002  sqlglot's signature
        """A part and its mark."""
        text = super().sql(expression, key, comment)
        if key is not None or not isinstance(expression, exp.Expr) or "start" not in expression.meta:
            return text
        return f"\ue000{expression.meta['start']}\ue001{text}"

    def too_wide(self, args: Iterable[str]) -> bool:
        """The width without marks, so that lines break at the same places."""
        return super().too_wide([_MARK.sub("", text) for text in args])


def write_sql(tree: SqlTree) -> str:
    """Write the tree as the engine's SQL.

    Raises:
        UnknownFunction: a function that neither the dialect nor the engine has, with line and column.
        UnsupportedSql: a form that the engine would read differently.
    """
    generator = EngineGenerator()
    try:
        sql = generator.generate(tree.statement)
    except ParseError as error:
        place = tree.place(generator.current or tree.statement)
        raise UnsupportedSql("a function is not run here with these arguments", place=place) from error
    lacking = [node for node in tree.statement.find_all(exp.Func) if node.sql_name() in generator.lacking]
    for node, name in [*generator.unknown, *((node, node.sql_name()) for node in lacking)]:
        known = [*ENGINE_FUNCTIONS, *SIGNATURES[tree.dialect], *(td_name.lower() for td_name in TD_FUNCTIONS)]
        written = tree.written(node) or name
        raise UnknownFunction(
            f"there is no function {written}",
            place=tree.place(node),
            hint=SUGGESTIONS.get(written.lower()) or nearest_hint(written, known),
        )
    for node, message in generator.refused:
        # It would run, and mean something else.
        raise UnsupportedSql(f"a part of this query is not run here: {message}", place=tree.place(node))
    return sql


def find_places(tree: SqlTree, sql: str) -> tuple[EnginePlace, ...]:
    """Where parts of the engine's SQL come from; none where marks would change the SQL."""
    try:
        marked = PlacesGenerator().generate(tree.statement)
    except ParseError:  # sqlglot writes some functions by parsing a template
        return ()
    if _MARK.sub("", marked) != sql:
        return ()
    words = {
        node.meta["start"]: tree.written(node)
        for node in tree.statement.find_all(exp.Func)
        if "start" in node.meta
    }
    places, marks_length = [], 0
    for found in _MARK.finditer(marked):
        start = int(found[1])
        place = place_of(tree.text, start)
        places.append(EnginePlace(found.start() - marks_length, place, words.get(start, "")))
        marks_length += len(found[0])
    return tuple(places)
