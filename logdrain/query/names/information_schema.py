"""`information_schema.tables` and `.columns` over event tables: rows made of the catalogs, as a subquery."""

from collections.abc import Iterable, Sequence

from sqlglot import exp

from logdrain.errors import UnsupportedSql
from logdrain.model.catalog import ColumnType, TypeKind
from logdrain.model.events import Table
from logdrain.query.sql.context import PlanContext, quoted
from logdrain.types.sql_types import column_type

SCHEMA = "information_schema"

_CATALOG = "td"
_TABLES = ("table_catalog", "table_schema", "table_name", "table_type")
_COLUMNS = (
    *("table_catalog", "table_schema", "table_name", "column_name", "ordinal_position"),
    *("column_default", "is_nullable", "data_type"),
)
_DATA_TYPES = {
    TypeKind.DECIMAL: "decimal(38,0)",
    TypeKind.NULL: "unknown",
    TypeKind.TEXT: "varchar",
    TypeKind.TIMESTAMPTZ: "timestamp(3) with time zone",
}

Row = tuple[str | int | None, ...]


def information_rows(context: PlanContext, node: exp.Table) -> exp.Subquery:
    """What stands for `information_schema.tables` or `.columns`, with the alias of the reference.

    Raises:
        UnsupportedSql: another of its tables.
    """
    name = node.name.lower()
    if name not in ("tables", "columns"):
        raise UnsupportedSql(
            f"{SCHEMA}.{name} cannot be read", place=context.place(node), hint=f"{SCHEMA}.tables or .columns"
        )
    names, rows = (
        (_TABLES, [_table_row(table) for table in context.tables])
        if name == "tables"
        else (_COLUMNS, list(_column_rows(context, _wanted(context, node))))
    )
    return _select(names, rows).subquery(node.alias or name, copy=False)


def _table_row(table: Table) -> Row:
    return (_CATALOG, table.database, table.table, "BASE TABLE")


def _column_rows(context: PlanContext, tables: Iterable[Table]) -> Iterable[Row]:
    for table in tables:
        catalog = context.catalogs(table)
        names = ["time", *(path[0] for path in catalog.children(()) if path[0] != "time")]
        for place, name in enumerate(names, start=1):
            of = _data_type(column_type(catalog, (name,)))
            yield (_CATALOG, table.database, table.table, name, place, None, "YES", of)


def _data_type(of: ColumnType) -> str:
    """A type as Trino prints it."""
    if of.kind is TypeKind.LIST and of.element is not None:
        return f"array({_data_type(of.element)})"
    if of.kind is TypeKind.STRUCT:
        return f"row({', '.join(f'{name} {_data_type(part)}' for name, part in of.fields)})"
    return _DATA_TYPES.get(of.kind, of.kind.value.lower())


def _wanted(context: PlanContext, node: exp.Table) -> list[Table]:
    """The tables that the WHERE beside it leaves, so that no other's catalog is read."""
    select = node.find_ancestor(exp.Select)
    where = select.args.get("where") if select else None
    conditions = where.this.flatten() if where and isinstance(where.this, exp.And) else [where and where.this]
    fixed = {
        one.this.name.lower(): one.expression.name
        for one in conditions
        if isinstance(one, exp.EQ)
        and isinstance(one.this, exp.Column)
        and one.this.table.lower() in ("", node.alias_or_name.lower())
        and one.expression.is_string
    }
    return [
        table
        for table in context.tables
        if fixed.get("table_schema", table.database) == table.database
        and fixed.get("table_name", table.table) == table.table
    ]


def _select(names: Sequence[str], rows: Sequence[Row]) -> exp.Select:
    values = exp.Values(
        expressions=[
            exp.Tuple(expressions=[_literal(name, value) for name, value in zip(names, row, strict=True)])
            for row in rows or [(None,) * len(names)]
        ],
        alias=exp.TableAlias(this=quoted("known"), columns=[quoted(name) for name in names]),
    )
    made = exp.select(*[exp.column(name, table="known", quoted=True) for name in names]).from_(values)
    return made if rows else made.where(exp.false())


def _literal(name: str, value: str | int | None) -> exp.Expr:
    if isinstance(value, int):
        return exp.cast(exp.Literal.number(value), exp.DType.BIGINT)
    text = exp.Null() if value is None else exp.Literal.string(value)
    return exp.cast(text, exp.DType.BIGINT if name == "ordinal_position" else exp.DType.VARCHAR)
