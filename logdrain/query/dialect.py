"""The two front doors: Treasure Data's Trino and Hive, as sqlglot dialects."""

import logging
from collections.abc import Callable, Collection, Mapping
from typing import Any, ClassVar

from sqlglot import TokenType, exp
from sqlglot.dialects.dialect import Dialect as SqlglotDialect
from sqlglot.dialects.hive import Hive
from sqlglot.dialects.trino import Trino
from sqlglot.generator import Generator
from sqlglot.generators.hive import HiveGenerator
from sqlglot.generators.trino import TrinoGenerator
from sqlglot.parser import Parser
from sqlglot.parsers.hive import HiveParser
from sqlglot.parsers.trino import TrinoParser

from logdrain.model.plans import Dialect
from logdrain.query.dialect_functions import OWN_NAMES

# It prints its doubts about a text on STDERR; those that matter are errors of ours.
logging.getLogger("sqlglot").addHandler(logging.NullHandler())


class UntypedCast(exp.Expression):
    """`CAST(x)` without a type, as Treasure Data's own classic example has it."""

    arg_types: ClassVar[dict[str, bool]] = {"this": True}


def _untyped_cast(generator: Generator, node: exp.Expr) -> str:
    return generator.func("CAST", node.this)


_CAST_TOKENS = 2  # `CAST` and `(`


class UntypedCasts(Parser):
    """Lets a parser read `CAST(x)`, and keeps the place of every cast."""

    @property
    def reached(self) -> int:
        """Where in the text the last token that was read begins."""
        return self._prev.start if self._prev else 0

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


def _without(
    functions: Mapping[str, Callable[..., Any]], names: Collection[str]
) -> dict[str, Callable[..., Any]]:
    return {name: read for name, read in functions.items() if name.lower() not in names}


class TdTrinoParser(UntypedCasts, TrinoParser):
    """Trino's grammar, and `CAST(x)`."""

    FUNCTIONS: ClassVar = _without(TrinoParser.FUNCTIONS, OWN_NAMES[Dialect.TRINO])


def _unix_timestamp(arguments: list[exp.Expr], dialect: SqlglotDialect) -> exp.Expr:
    if arguments:  # the pattern stays Java's
        return exp.Anonymous(this="UNIX_TIMESTAMP", expressions=arguments)
    present: exp.Expr = HiveParser.FUNCTIONS["UNIX_TIMESTAMP"](arguments, dialect)
    return present


class TdHiveParser(UntypedCasts, HiveParser):
    """Hive's grammar, and `CAST(x)`."""

    FUNCTIONS: ClassVar = {
        **_without(HiveParser.FUNCTIONS, OWN_NAMES[Dialect.HIVE]),
        **dict.fromkeys(("STD", "STDDEV"), exp.StddevPop.from_arg_list),  # elsewhere of a sample
        "UNIX_TIMESTAMP": _unix_timestamp,
        "VARIANCE": exp.VariancePop.from_arg_list,
    }


class TdTrinoGenerator(TrinoGenerator):
    """Writes Trino's SQL for people to read."""

    TRANSFORMS: ClassVar = {**TrinoGenerator.TRANSFORMS, UntypedCast: _untyped_cast}


class TdHiveGenerator(HiveGenerator):
    """Writes Hive's SQL for people to read."""

    TRANSFORMS: ClassVar = {**HiveGenerator.TRANSFORMS, UntypedCast: _untyped_cast}


class TdTrino(Trino):
    """Treasure Data's Trino."""

    Parser = TdTrinoParser
    Generator = TdTrinoGenerator


class TdHive(Hive):
    """Treasure Data's Hive."""

    Parser = TdHiveParser
    Generator = TdHiveGenerator


FRONT_DOORS: dict[Dialect, type[SqlglotDialect]] = {Dialect.TRINO: TdTrino, Dialect.HIVE: TdHive}
