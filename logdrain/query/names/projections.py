"""The SELECT list: `*` written out, and a name for every result column."""

from sqlglot import exp

from logdrain.errors import SqlError, UnsupportedSql
from logdrain.model.plans import Dialect
from logdrain.query.names.column_names import column_parts, event_column, source_column
from logdrain.query.names.sources import NameScope, QuerySource, Source
from logdrain.query.sql.context import PlanContext, quoted, unused_name

# What Trino and Hive call a result column that has no name, with its position after it.
_UNNAMED = {Dialect.TRINO: "_col", Dialect.HIVE: "_c"}


def star_columns(context: PlanContext, projection: exp.Expr, scope: NameScope) -> list[exp.Alias] | None:
    """The columns that `*` or `t.*` stands for, resolved and named; None for any other projection.

    Columns joined by USING come first and once, as in standard SQL.

    Raises:
        SqlError: there is no such table.
        UnsupportedSql: `* EXCEPT …` and the like.
    """
    is_qualified = isinstance(projection, exp.Column) and isinstance(projection.this, exp.Star)
    star = projection.this if is_qualified else projection
    if not isinstance(star, exp.Star):
        return None
    place = context.place(projection)
    if any(star.args.values()):
        raise UnsupportedSql("* with EXCEPT, REPLACE or RENAME", place=place, hint="name the columns")
    wanted = projection.args["table"].name.lower() if is_qualified else None
    sources = [source for source in scope.sources if wanted in (None, source.called.lower())]
    if not sources:
        raise SqlError(f"there is no table for {projection.sql()}", place=place)
    merged = {} if is_qualified else scope.merged
    columns = [exp.Alias(this=column.copy(), alias=quoted(name)) for name, column in merged.items()]
    for source in sources:
        names = [name for name in source.star() if name.lower() not in merged]
        columns.extend(_star_column(context, source, quoted(name, star)) for name in names)
    return columns


def with_name(context: PlanContext, projection: exp.Expr, index: int) -> exp.Alias:
    """A projection with its result name: the alias, else the column's name as written, else its position."""
    if isinstance(projection, exp.Alias):
        return projection
    parts = column_parts(projection)
    name = parts[-1].name if parts else f"{_UNNAMED[context.dialect]}{index}"
    return exp.Alias(this=projection, alias=quoted(name))


def separate_names(context: PlanContext) -> None:
    """Two result columns never share a name, whatever the case of its letters."""
    taken: set[str] = set()
    for projection in context.statement.selects:
        name = unused_name(projection.alias, taken)
        if name != projection.alias:
            context.warn(f"two result columns are called {projection.alias}: the second becomes {name}")
            projection.set("alias", quoted(name))
        taken.add(name.lower())


def _star_column(context: PlanContext, source: Source, name: exp.Identifier) -> exp.Alias:
    if isinstance(source, QuerySource):
        return exp.Alias(this=source_column(context, source, [name]), alias=quoted(name.name))
    column = event_column(context, source, [name])
    return exp.Alias(this=column, alias=quoted(column.name or name.name))
