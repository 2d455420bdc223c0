"""One column of what UNNEST makes of a map or of a list of rows."""

from typing import ClassVar

from sqlglot import exp

from logdrain.query.sql.kinds import is_map, is_of

_LISTS = (exp.DType.ARRAY, exp.DType.LIST)


class UnnestedColumn(exp.Expression, exp.Func):
    """The list of a map's keys or values, or of one field of each row; which is it is known by the type.

    Arguments:
        this: The map or the list of rows.
        place: Of the column, from 1.
        width: How many columns there are; 0: it is a list of rows.
    """

    arg_types: ClassVar[dict[str, bool]] = {"this": True, "place": True, "width": True}


def unnested_column(source: exp.Expr, place: int, width: int) -> UnnestedColumn:
    """A column of UNNEST(source)."""
    numbers = [exp.Literal.number(number) for number in (place, width)]
    return UnnestedColumn(this=source.copy(), place=numbers[0], width=numbers[1])


def holds_rows(node: UnnestedColumn) -> bool:
    """Whether the source is a list of rows; where that is not known, two columns are those of a map."""
    if isinstance(node.this, exp.Array) or is_of(node.this, _LISTS):
        return True
    return not (is_map(node.this) or node.args["width"].name == "2")


def column_type(node: UnnestedColumn) -> exp.DataType:
    """The type of the column: a list."""
    place = int(node.args["place"].name) - 1
    parts = node.this.type.expressions if node.this.type else []
    if holds_rows(node):
        parts = parts[0].expressions if parts and isinstance(parts[0], exp.DataType) else []
    of = parts[place] if place < len(parts) else None
    kind = of.args.get("kind") if isinstance(of, exp.ColumnDef) else of
    return exp.DataType(this=exp.DType.ARRAY, expressions=[kind.copy()] if kind else [], nested=True)


def row_fields(source: exp.Expr) -> list[exp.Expr]:
    """The fields of the rows in a list that says what they are: CAST(… AS ARRAY(ROW(…))), ARRAY[ROW(…)]."""
    if isinstance(source, exp.Cast) and source.to.is_type(exp.DType.ARRAY) and source.to.expressions:
        row = source.to.expressions[0]
        return list(row.expressions) if row.is_type(exp.DType.STRUCT) else []
    first = source.expressions[0] if isinstance(source, exp.Array) and source.expressions else None
    return list(first.expressions) if isinstance(first, (exp.Struct, exp.Tuple)) else []


def field_names(fields: list[exp.Expr]) -> list[str]:
    """What the fields are called; empty where one has no name."""
    names = [field.name for field in fields if isinstance(field, exp.ColumnDef)]
    return names if len(names) == len(fields) else []
