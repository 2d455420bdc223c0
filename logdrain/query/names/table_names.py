"""From a written table name to the event table it means."""

import re

from sqlglot import exp

from logdrain.errors import UnknownTable, UnsupportedSql
from logdrain.model.events import Table
from logdrain.model.names import nearest_hint
from logdrain.query.sql.context import PlanContext

_SYSTEM_SCHEMAS = frozenset({"information_schema", "pg_catalog", "system", "temp", "main", "sys"})
_EVENT_TABLE = re.compile(r"[a-z0-9_]+")


def find_table(context: PlanContext, node: exp.Table) -> Table:
    """The event table that a table reference names.

    Raises:
        UnknownTable: there is none of this name; the hint has the nearest, or where else it is.
        UnsupportedSql: the name is that of a file or of a system table.
    """
    parts = [part.name.lower() for part in node.parts]
    written, place = node_name(node), context.place(node)
    if not all(_EVENT_TABLE.fullmatch(part) for part in parts) or parts[0] in _SYSTEM_SCHEMAS:
        raise UnsupportedSql(f"{written} cannot be read", place=place, hint="a query reads event tables only")
    if len(parts) == 1:
        parts.insert(0, context.request.database.lower())
    if not parts[0]:
        raise UnknownTable(
            f"the table {written} has no database", place=place, hint=_elsewhere(context, parts[-1])
        )
    if len(parts) == len(Table._fields) and Table(*parts) in context.tables:
        return Table(*parts)
    name = ".".join(parts)
    raise UnknownTable(f"there is no table {name}", place=place, hint=_hint(context, parts), table=name)


def node_name(node: exp.Table) -> str:
    """A table reference as it was written, without its alias."""
    return ".".join(part.name for part in node.parts)


def _hint(context: PlanContext, parts: list[str]) -> str:
    elsewhere = [table.name for table in context.tables if table.table == parts[-1]]
    if elsewhere:
        return f"there is {' and '.join(elsewhere[:3])}"
    known = [table.name for table in context.tables]
    return nearest_hint(".".join(parts), known, "`logdrain tables` lists the tables")


def _elsewhere(context: PlanContext, name: str) -> str:
    found = next((table.name for table in context.tables if table.table == name), f"database.{name}")
    return f"write {found}, or name a database"
