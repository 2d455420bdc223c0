"""A row filter over Arrow columns: which rows pass. What cannot be compared does not."""

import operator as python
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from decimal import Decimal
from functools import reduce
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from logdrain.model.catalog import FieldPath
from logdrain.model.narrowing import Junction, RowCondition, RowFilter, RowOperator, Wanted
from logdrain.types.type_table import json_text

_compute: Any = pc  # its stubs know few of its functions
_NEGATED = {RowOperator.NE: RowOperator.EQ, RowOperator.NOT_IN: RowOperator.IN}
_ORDERED: dict[RowOperator, Callable[[Any, Any], bool]] = {
    RowOperator.GT: python.gt,
    RowOperator.GTE: python.ge,
    RowOperator.LT: python.lt,
    RowOperator.LTE: python.le,
}
_OF_TEXT: dict[RowOperator, Callable[[str, str], bool]] = {
    RowOperator.CONTAINS: python.contains,
    RowOperator.STARTS_WITH: str.startswith,
    RowOperator.ENDS_WITH: str.endswith,
}


def passing(rows: RowFilter, columns: Mapping[FieldPath, Any]) -> Any:
    """A mask of the rows that pass, without NULL.

    Args:
        rows: The filter.
        columns: An array for each path that the filter names.
    """
    return _compute.fill_null(_known(rows, columns), False)  # noqa: FBT003  # the value that NULL becomes


def _known(rows: RowFilter, columns: Mapping[FieldPath, Any]) -> Any:
    """True, false, or NULL where a value is missing: then neither a condition nor its opposite holds."""
    if isinstance(rows, RowCondition):
        return _of_condition(rows, columns[rows.path])
    masks = [_known(part, columns) for part in rows.parts]
    if rows.junction is Junction.NOT:
        return _compute.invert(masks[0])
    joined = _compute.and_kleene if rows.junction is Junction.AND else _compute.or_kleene
    return reduce(joined, masks)


def _of_condition(condition: RowCondition, column: Any) -> Any:
    if condition.operator is RowOperator.EXISTS:
        # An empty list is no value, as for questions.
        has_value = pa.array([value not in (None, []) for value in column.to_pylist()], pa.bool_())
        return has_value if condition.wanted[0] else _compute.invert(has_value)
    plain = _NEGATED.get(condition.operator, condition.operator)
    mask = _distinct(column, lambda value: _fits(value, plain, condition.wanted))
    return mask if plain is condition.operator else _compute.invert(mask)


def _distinct(column: Any, fits: Callable[[Any], bool]) -> Any:
    """Ask once for each distinct value; of NULL the answer is NULL."""
    if pa.types.is_null(column.type):
        return pa.nulls(len(column), pa.bool_())
    if pa.types.is_nested(column.type):
        return pa.array([_any(value, fits) for value in column.to_pylist()], pa.bool_())
    encoded = column.dictionary_encode()
    answers = pa.array([fits(value) for value in encoded.dictionary.to_pylist()], pa.bool_())
    return answers.take(encoded.indices)


def _any(value: Any, fits: Callable[[Any], bool]) -> bool | None:
    if isinstance(value, list):
        return any(fits(element) for element in value) if value else None
    return None


def _fits(value: Any, operator: RowOperator, wanted: tuple[Wanted, ...]) -> bool:
    if value is None or isinstance(value, dict | list):
        return False
    if operator in (RowOperator.EQ, RowOperator.IN):
        return any(_is_equal(value, one) for one in wanted)
    [one] = wanted
    if operator in _OF_TEXT:
        return isinstance(value, str) and _OF_TEXT[operator](value, str(one))
    pair = _comparable(value, one)
    return pair is not None and _ORDERED[operator](*pair)


def _is_equal(value: Any, wanted: Wanted) -> bool:
    if isinstance(value, str) and not isinstance(wanted, str):
        return value == json_text(wanted)  # a column of mixed types is the text of its values
    pair = _comparable(value, wanted)
    return pair is not None and bool(pair[0] == pair[1])


def _comparable(value: Any, wanted: Wanted) -> tuple[Any, Any] | None:
    """Both as values of one type; None where they have none in common: no type is guessed for a text."""
    if isinstance(value, bool) or isinstance(wanted, bool):
        return (value, wanted) if isinstance(value, bool) and isinstance(wanted, bool) else None
    if isinstance(value, str) and isinstance(wanted, str):
        return value, wanted
    if isinstance(value, int | float | Decimal) and isinstance(wanted, int | float):
        return value, wanted
    if isinstance(value, datetime) and isinstance(wanted, str):
        with suppress(ValueError):
            instant = datetime.fromisoformat(wanted)
            return value, instant if instant.tzinfo else instant.replace(tzinfo=UTC)
    return None
