"""From a written column name to the column it means."""

from collections.abc import Iterable, Mapping, Sequence

from sqlglot import exp

from logdrain.errors import SqlError, SqlTypeError
from logdrain.model.catalog import FieldPath
from logdrain.model.names import nearest, nearest_hint
from logdrain.query.names.result_tables import ResultSource
from logdrain.query.names.sources import (
    EventSource,
    NameScope,
    Source,
    below,
    holds_list,
    is_seen,
    matches,
    sometimes_list,
)
from logdrain.query.sql.context import PlanContext, quoted
from logdrain.query.sql.nodes import JsonFieldText
from logdrain.types.sql_types import column_type, sql_type

Parts = Sequence[exp.Identifier]

Outputs = Mapping[str, exp.Expr]
"""What a SELECT puts out: name in lower case -> expression."""


def column_parts(node: exp.Expr) -> list[exp.Identifier] | None:
    """The identifiers of `a`, `a.b`, `a.b.c.d.e`; None where the node is something else."""
    below_the_dots: list[exp.Identifier] = []
    while isinstance(node, exp.Dot) and isinstance(node.expression, exp.Identifier):
        below_the_dots.insert(0, node.expression)
        node = node.this
    if not isinstance(node, exp.Column) or not isinstance(node.this, exp.Identifier):
        return None
    return [part for part in node.parts if isinstance(part, exp.Identifier)] + below_the_dots


def find_column(context: PlanContext, parts: Parts, scope: NameScope) -> exp.Expr | None:
    """The column that a name means here or in a query around; None where no source has it.

    Raises:
        SqlError: several sources have it, or the name before the dot is not what the table is called.
    """
    for level in scope.chain():
        found = _in_level(context, parts, level)
        if found is not None:
            return found
    return None


def unseen_column(context: PlanContext, parts: Parts, scope: NameScope, outputs: Outputs) -> exp.Expr:
    """A name that no source has: a field that no event has had yet, of the first event table in sight.

    Raises:
        SqlError: there is no event table in sight, or the name before the dot is a wrong alias.
    """
    name = ".".join(part.name for part in parts)
    place = context.place(parts[0])
    for level in scope.chain():
        for source in level.event_sources():
            if len(parts) > 1 and source.scan.catalog.table.table == parts[0].name.lower():
                raise SqlError(
                    f"the table {parts[0].name} is called {source.alias} here",
                    place=place,
                    hint=f"write {source.alias}.{parts[-1].name}",
                )
        if level.event_sources():
            _check_qualifier(context, parts, level)
            return event_column(context, level.event_sources()[0], parts)
    known = [name for level in scope.chain() for source in level.sources for name in source.names()]
    raise SqlError(
        f"there is no column {name} here", place=place, hint=nearest_hint(name, [*known, *outputs])
    )


def _check_qualifier(context: PlanContext, parts: Parts, level: NameScope) -> None:
    """`x.price` where a table has `price`, and nothing is called x: a wrong alias, not an unseen object."""
    having = [source for source in level.sources if len(parts) > 1 and matches(parts[1].name, source.names())]
    if having:
        qualifier, name = parts[0].name, ".".join(part.name for part in parts[1:])
        alias = nearest(qualifier, [source.alias for source in level.sources])
        raise SqlError(
            f"no table is called {qualifier} here, and no event has had that field",
            place=context.place(parts[0]),
            hint=f"write {alias or having[0].alias}.{name}; of a field that is still to come, "
            f"{having[0].alias}.{qualifier}.{name}",
        )


def event_column(context: PlanContext, source: EventSource, parts: Parts) -> exp.Expr:
    """A field of an event table by its path; the scan reads it from now on, as NULL where it is unseen.

    Below a field that is a list in some events and an object in others, it is taken from its JSON text.

    Raises:
        SqlTypeError: the path goes through a list.
    """
    path: tuple[str, ...] = ()
    for part in parts:
        if holds_list(source.scan, path):
            raise SqlTypeError(
                f"{'.'.join(path)} is a list, it has no field {part.name}",
                place=context.place(part),
                hint="use CROSS JOIN UNNEST(…), or one element: list[1]",
            )
        path = (*path, _one_of(context, part, below(source.scan, path)) or part.name)
    if not is_seen(source.scan, path):
        _warn_unseen(context, source, path, parts[0])
    above = sometimes_list(source.scan, path)
    column = source.scan.column(above or path)
    found = exp.Column(this=quoted(column.name, parts[0]), table=quoted(source.alias))
    return _below_text(context, source, found, above, path) if above else found


def _below_text(
    context: PlanContext, source: EventSource, text: exp.Column, above: FieldPath, path: FieldPath
) -> exp.Expr:
    """A field below a JSON text; NULL where that is a list, no JSON, or the value has another type."""
    context.warn(
        f"{'.'.join(above)} is a list in some events of {source.scan.catalog.table.name}: "
        f"{'.'.join(path)} reads as NULL there"
    )
    steps = [exp.Literal.string(key) for key in path[len(above) :]]
    value = JsonFieldText(this=text, expressions=steps)
    of = column_type(source.scan.catalog, path)
    scalar = exp.DataType.build("VARCHAR") if of.element or of.fields else sql_type(of)
    return exp.TryCast(this=exp.Try(this=exp.Paren(this=value)), to=scalar, safe=True)


def source_column(context: PlanContext, source: Source, parts: Parts) -> exp.Expr:
    """A column of one source; what follows the name goes into its fields.

    Raises:
        SqlError: the derived table has no such column.
    """
    if isinstance(source, EventSource):
        return event_column(context, source, parts)
    name = _one_of(context, parts[0], source.columns)
    if name is None:
        raise SqlError(
            f"{source.alias} has no column {parts[0].name}",
            place=context.place(parts[0]),
            hint=nearest_hint(parts[0].name, source.columns),
        )
    if isinstance(source, ResultSource):
        source.read(name)
    column = exp.Column(this=quoted(name, parts[0]), table=quoted(source.alias))
    return _with_fields(column, parts[1:])


def _in_level(context: PlanContext, parts: Parts, level: NameScope) -> exp.Expr | None:
    for source in level.sources:
        rest = _after_table(parts, source)
        if rest:
            return source_column(context, source, rest)
    name = parts[0].name
    if name.lower() in level.merged:
        return _with_fields(level.merged[name.lower()].copy(), parts[1:])
    having = [source for source in level.sources if matches(name, source.names())]
    if len(having) > 1:
        raise SqlError(
            f"the column {name} is in " + " and in ".join(source.alias for source in having),
            place=context.place(parts[0]),
            hint=f"write {having[0].alias}.{name}",
        )
    return source_column(context, having[0], parts) if having else None


def _after_table(parts: Parts, source: Source) -> Parts:
    """The parts after `alias.` or `database.table.`; empty where the name does not start so."""
    names = [part.name.lower() for part in parts]
    alias = source.alias.lower()
    if isinstance(source, EventSource) and len(parts) > len(source.scan.catalog.table):
        database, table = source.scan.catalog.table
        if names[:2] == [database, table] and alias == table:
            return parts[2:]
    return parts[1:] if len(parts) > 1 and names[0] == alias else []


def _one_of(context: PlanContext, part: exp.Identifier, names: Iterable[str]) -> str | None:
    found = matches(part.name, names)
    if len(set(found)) < len(found):
        raise SqlError(
            f"there are several columns {part.name}", place=context.place(part), hint="name them apart"
        )
    if len(found) > 1:
        raise SqlError(
            f"{part.name} can be {' or '.join(found)}",
            place=context.place(part),
            hint="write the name with the very case of its letters",
        )
    return found[0] if found else None


def _with_fields(column: exp.Expr, parts: Parts) -> exp.Expr:
    for part in parts:
        column = exp.Dot(this=column, expression=quoted(part.name, part))
    return column


def _warn_unseen(
    context: PlanContext, source: EventSource, path: tuple[str, ...], written: exp.Identifier
) -> None:
    catalog = source.scan.catalog
    name = ".".join(path)
    hint = _alias_hint(written) or nearest_hint(name, [".".join(seen) for seen in catalog.fields])
    if catalog.is_full:
        text = f"the list of fields of {catalog.table.name} is full and {name} is not in it: reads as NULL"
    else:
        text = f"no event in {catalog.table.name} has had the field {name} yet: reads as NULL"
    context.warn(f"{text} ({hint})" if hint else text)


def _alias_hint(written: exp.Identifier) -> str:
    where = written.find_ancestor(exp.Where, exp.Select)
    select = where.parent_select if isinstance(where, exp.Where) else None
    aliases = [item for item in select.expressions if isinstance(item, exp.Alias)] if select else []
    for item in aliases:
        if item.alias == written.name and not isinstance(item.this, exp.Column):
            return f"WHERE does not know the alias {written.name}: repeat its expression"
    return ""
