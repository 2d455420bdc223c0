"""The two front doors: Treasure Data's Trino and Hive, as sqlglot dialects."""

import logging
import re
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from sqlglot import TokenType, exp
from sqlglot.dialects.dialect import Dialect as SqlglotDialect
from sqlglot.dialects.dialect import build_default_decimal_type
from sqlglot.dialects.hive import Hive
from sqlglot.dialects.trino import Trino
from sqlglot.generator import Generator
from sqlglot.generators.hive import HiveGenerator
from sqlglot.generators.trino import TrinoGenerator
from sqlglot.parser import Parser
from sqlglot.parsers.hive import HiveParser
from sqlglot.parsers.trino import TrinoParser

from logdrain.model.plans import Dialect
from logdrain.query.sql.signatures import OWN_NAMES, SIGNATURES, Signature

# It prints its doubts about a text on STDERR; those that matter are errors of ours.
logging.getLogger("sqlglot").addHandler(logging.NullHandler())


class UntypedCast(exp.Expression):
    """`CAST(x)` without a type, as Treasure Data's own classic example has it."""

    arg_types: ClassVar[dict[str, bool]] = {"this": True}


def _untyped_cast(generator: Generator, node: exp.Expr) -> str:
    return generator.func("CAST", node.this)


_CAST_TOKENS = 2  # `CAST` and `(`
_DECIMAL = re.compile(r"[+-]?(?P<whole>[0-9]*)(?:\.(?P<fraction>[0-9]*))?", re.ASCII)


class UntypedCasts(Parser):
    """Lets a parser read `CAST(x)`, and keeps the place of every cast."""

    def _parse_function_call(self, *args: Any, **kwargs: Any) -> exp.Expr | None:
        """The parser forgets where calls with a grammar of their own stand: MAX_BY, EXTRACT, CASE, …."""
        word = self._curr
        parsed = super()._parse_function_call(*args, **kwargs)
        called = parsed
        while isinstance(called, (exp.Window, exp.Filter, exp.WithinGroup, exp.IgnoreNulls)):
            called = called.this
        if word and isinstance(called, exp.Func) and "start" not in called.meta:
            called.update_positions(word)
        return parsed

    def _parse_cast(self, strict: bool, safe: bool | None = None) -> exp.Expr:  # noqa: FBT001  sqlglot's signature
        start = self._index
        argument = self._parse_assignment()
        if self._match(TokenType.R_PAREN, advance=False):
            return self.expression(UntypedCast(this=argument))
        self._retreat(start)
        cast = super()._parse_cast(strict, safe)
        if start >= _CAST_TOKENS:
            cast.update_positions(self._tokens[start - _CAST_TOKENS])
        return cast


Builder = Callable[..., Any]


def _functions(builders: Mapping[str, Builder], dialect: Dialect) -> dict[str, Builder]:
    """What the parser reads as nodes: all but our own names. A call with a wrong count stays a plain call."""
    signatures = SIGNATURES[dialect]
    found = {name: build for name, build in builders.items() if name.lower() not in OWN_NAMES[dialect]}
    for name, build in found.items():
        signature = signatures.get(name.lower())
        if signature is not None:
            found[name] = _counting(name, signature, build)
    return found


def _own_grammars(parsers: Mapping[str, Builder], dialect: Dialect) -> dict[str, Builder]:
    """Calls that the parser reads by a grammar of their own: our names are not among them."""
    return {name: parse for name, parse in parsers.items() if name.lower() not in OWN_NAMES[dialect]}


def _counting(name: str, signature: Signature, build: Builder) -> Builder:
    takes_dialect = "dialect" in build.__code__.co_varnames  # as the parser asks, too

    def counting(arguments: list[exp.Expr], dialect: SqlglotDialect) -> exp.Expr:
        if signature.problem(name, len(arguments)):
            return exp.Anonymous(this=name, expressions=arguments)  # `check_calls` refuses it with its place
        built: exp.Expr = build(arguments, dialect=dialect) if takes_dialect else build(arguments)
        return built

    return counting


def _decimal_literal(_: Parser, value: exp.Expr, of: exp.DataType) -> exp.Expr:
    """`DECIMAL '1.50'` has as many digits as are written, DECIMAL(3, 2)."""
    written = _DECIMAL.fullmatch(value.name) if value.is_string else None
    if written is not None:
        scale = len(written["fraction"] or "")
        precision = max(len(written["whole"].lstrip("0")) + scale, 1)
        of = exp.DataType.build(f"DECIMAL({precision}, {scale})")
    return exp.Cast(this=value, to=of)


class TdTrinoParser(UntypedCasts, TrinoParser):
    """Trino's grammar, and `CAST(x)`."""

    FUNCTION_PARSERS: ClassVar = _own_grammars(TrinoParser.FUNCTION_PARSERS, Dialect.TRINO)
    FUNCTIONS: ClassVar = _functions(TrinoParser.FUNCTIONS, Dialect.TRINO)
    TYPE_CONVERTERS: ClassVar = {exp.DType.DECIMAL: build_default_decimal_type(38, 0)}
    TYPE_LITERAL_PARSERS: ClassVar[dict[exp.DType, Callable[..., Any]]] = {
        **TrinoParser.TYPE_LITERAL_PARSERS,
        exp.DType.DECIMAL: _decimal_literal,
    }


def _unix_timestamp(arguments: list[exp.Expr], dialect: SqlglotDialect) -> exp.Expr:
    if arguments:  # the pattern stays Java's
        return exp.Anonymous(this="UNIX_TIMESTAMP", expressions=arguments)
    present: exp.Expr = HiveParser.FUNCTIONS["UNIX_TIMESTAMP"](arguments, dialect)
    return present


def _cast_to(of: exp.DType) -> Builder:
    """`INT(x)` is a cast; a call with another count stays a plain call."""

    def build(arguments: list[exp.Expr]) -> exp.Expr:
        if len(arguments) == 1:
            return exp.Cast(this=arguments[0], to=of.into_expr())
        return exp.Anonymous(this=of.value, expressions=arguments)

    return build


_TYPES_AS_FUNCTIONS = {
    "BIGINT": exp.DType.BIGINT,
    "BOOLEAN": exp.DType.BOOLEAN,
    "DOUBLE": exp.DType.DOUBLE,
    "FLOAT": exp.DType.FLOAT,
    "INT": exp.DType.INT,
    "SMALLINT": exp.DType.SMALLINT,
    "STRING": exp.DType.TEXT,
    "TINYINT": exp.DType.TINYINT,
}


class TdHiveParser(UntypedCasts, HiveParser):
    """Hive's grammar, and `CAST(x)`."""

    FUNCTION_PARSERS: ClassVar = _own_grammars(HiveParser.FUNCTION_PARSERS, Dialect.HIVE)
    FUNCTIONS: ClassVar = {
        **_functions(HiveParser.FUNCTIONS, Dialect.HIVE),
        **dict.fromkeys(("STD", "STDDEV"), exp.StddevPop.from_arg_list),  # elsewhere of a sample
        **{name: _cast_to(of) for name, of in _TYPES_AS_FUNCTIONS.items()},
        "ELEMENT_AT": TrinoParser.FUNCTIONS["ELEMENT_AT"],
        "UNIX_TIMESTAMP": _unix_timestamp,
        "VARIANCE": exp.VariancePop.from_arg_list,
    }
    TYPE_CONVERTERS: ClassVar = {exp.DType.DECIMAL: build_default_decimal_type(10, 0)}


class TdTrinoGenerator(TrinoGenerator):
    """Writes Trino's SQL for people to read."""

    TRANSFORMS: ClassVar = {**TrinoGenerator.TRANSFORMS, UntypedCast: _untyped_cast}


class TdHiveGenerator(HiveGenerator):
    """Writes Hive's SQL for people to read."""

    TRANSFORMS: ClassVar = {**HiveGenerator.TRANSFORMS, UntypedCast: _untyped_cast}


class TdTrino(Trino):
    """Treasure Data's Trino."""

    DEFAULT_NULL_TYPE = exp.DType.NULL  # so inference says where it is nothing but NULL
    INDEX_OFFSET = 0  # the parser and the generator would move `list[n]` back and forth, by types that differ

    Parser = TdTrinoParser
    Generator = TdTrinoGenerator


class TdHive(Hive):
    """Treasure Data's Hive; `''` inside a text is a quote, as in Trino, where Hive joins two texts."""

    DEFAULT_NULL_TYPE = exp.DType.NULL

    class Tokenizer(Hive.Tokenizer):
        """Hive's words."""

        STRING_ESCAPES: ClassVar = ["\\", "'"]

    Parser = TdHiveParser
    Generator = TdHiveGenerator


FRONT_DOORS: dict[Dialect, type[SqlglotDialect]] = {Dialect.TRINO: TdTrino, Dialect.HIVE: TdHive}
