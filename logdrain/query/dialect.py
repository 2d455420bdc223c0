"""The two front doors: Treasure Data's Trino and Hive, as sqlglot dialects."""

from typing import ClassVar

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


class UntypedCast(exp.Expression):
    """`CAST(x)` without a type, as Treasure Data's own classic example has it."""

    arg_types: ClassVar[dict[str, bool]] = {"this": True}


def _untyped_cast(generator: Generator, node: exp.Expr) -> str:
    return generator.func("CAST", node.this)


class UntypedCasts(Parser):
    """Lets a parser read `CAST(x)`."""

    def _parse_cast(self, strict: bool, safe: bool | None = None) -> exp.Expr:  # noqa: FBT001  sqlglot's signature
        start = self._index
        argument = self._parse_assignment()
        if self._match(TokenType.R_PAREN, advance=False):
            return self.expression(UntypedCast(this=argument))
        self._retreat(start)
        return super()._parse_cast(strict, safe)


class TdTrinoParser(UntypedCasts, TrinoParser):
    """Trino's grammar, and `CAST(x)`."""


class TdHiveParser(UntypedCasts, HiveParser):
    """Hive's grammar, and `CAST(x)`."""


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
