"""From the types a field has held to the type its column has in SQL."""

from functools import lru_cache

from sqlglot import exp

from logdrain.model.catalog import ELEMENT, ColumnType, FieldPath, FieldType, TableCatalog, TypeKind
from logdrain.model.events import Origin
from logdrain.model.plans import PseudoColumn
from logdrain.types.type_table import COLUMN_KINDS

COLUMN_LEVELS_MAX = 63
"""Arrow's streams have 64 levels, and the row is one."""

ORIGIN = "_origin"
ORIGIN_PARTS = tuple(sorted(Origin._fields))

_VARCHAR = ColumnType(TypeKind.VARCHAR)

_PSEUDO: dict[FieldPath, ColumnType] = {
    (PseudoColumn.TIME.value,): ColumnType(TypeKind.BIGINT),
    (PseudoColumn.TIME_MS.value,): ColumnType(TypeKind.TIMESTAMPTZ),
    (ORIGIN,): ColumnType(TypeKind.STRUCT, fields=tuple((part, _VARCHAR) for part in ORIGIN_PARTS)),
    **{(ORIGIN, part): _VARCHAR for part in ORIGIN_PARTS},
}


def is_pseudo(path: FieldPath) -> bool:
    """Whether every table has this column, whatever its events hold."""
    return path in _PSEUDO


def pseudo_names(path: FieldPath) -> list[str]:
    """Names of the pseudo columns one step below a path."""
    depth = len(path) + 1
    return [known[-1] for known in _PSEUDO if len(known) == depth and known[:-1] == path]


def column_type(catalog: TableCatalog, path: FieldPath, levels: int = COLUMN_LEVELS_MAX) -> ColumnType:
    """The SQL type of a field path.

    NULL where nothing was seen; TEXT (JSON text) where types are mixed, the key is empty, or there are more
    levels than a column can have.
    """
    if path in _PSEUDO:
        return _PSEUDO[path]
    seen = catalog.types(path) - {FieldType.NULL}
    kind = next(kind for kind, row in COLUMN_KINDS.items() if seen <= row.holds)
    is_nested, levels = kind in (TypeKind.LIST, TypeKind.STRUCT), levels - 1
    if seen and (path[-1:] == ("",) or (is_nested and not levels)):
        return ColumnType(TypeKind.TEXT)
    if kind is TypeKind.LIST:
        element = column_type(catalog, (*path, ELEMENT), levels)
        return ColumnType(TypeKind.LIST, element=_VARCHAR if element.kind is TypeKind.NULL else element)
    return _struct(catalog, path, levels) if kind is TypeKind.STRUCT else ColumnType(kind)


def _struct(catalog: TableCatalog, path: FieldPath, levels: int) -> ColumnType:
    children = [child for child in catalog.children(path) if child[-1] != ELEMENT]
    # The engine compares the names inside a STRUCT without case and wants them non-empty and distinct.
    distinct = {child[-1].lower() for child in children} - {""}
    if not children or len(distinct) < len(children):
        return ColumnType(TypeKind.TEXT)
    return ColumnType(
        TypeKind.STRUCT, fields=tuple((child[-1], column_type(catalog, child, levels)) for child in children)
    )


def engine_type(name: str) -> exp.DataType:
    """A type by the engine's name for it, as a node."""
    return _read_type(name).copy()


@lru_cache(maxsize=256)
def _read_type(name: str) -> exp.DataType:
    return exp.DataType.build(name, dialect="duckdb")


def sql_type(of: ColumnType) -> exp.DataType:
    """A column type as a node, for type inference."""
    if of.kind is TypeKind.LIST and of.element is not None:
        return exp.DataType(this=exp.DType.ARRAY, expressions=[sql_type(of.element)], nested=True)
    if of.kind is TypeKind.STRUCT:
        parts = [
            exp.ColumnDef(this=exp.to_identifier(name, quoted=True), kind=sql_type(part))
            for name, part in of.fields
        ]
        return exp.DataType(this=exp.DType.STRUCT, expressions=parts, nested=True)
    scalar = engine_type(COLUMN_KINDS[of.kind].sql or of.kind)
    if of.kind is TypeKind.NULL:
        scalar.set("nullable", value=True)  # a mark: what no event has had yet can be of any type
    return scalar
