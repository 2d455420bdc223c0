"""What a narrowed read key may see: some tables, the rows of a filter, and not all fields."""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from fnmatch import fnmatchcase
from functools import partial

from logdrain.errors import UsageError
from logdrain.model.catalog import ELEMENT, FieldPath
from logdrain.model.events import Table

_LEVELS_MAX = 20
_PARTS_MAX = 200


class RowOperator(StrEnum):
    """How a condition compares; the words are those of questions."""

    EQ = "eq"
    NE = "ne"
    GT = "gt"
    GTE = "gte"
    LT = "lt"
    LTE = "lte"
    IN = "in"
    NOT_IN = "not_in"
    CONTAINS = "contains"
    STARTS_WITH = "starts_with"
    ENDS_WITH = "ends_with"
    EXISTS = "exists"


class Junction(StrEnum):
    """How the parts of a filter are joined; NOT has one part."""

    AND = "and"
    OR = "or"
    NOT = "not"


Wanted = bool | int | float | str


@dataclass(frozen=True, slots=True)
class RowCondition:
    """One comparison of a field. Of a list any element may fit; nothing but `exists` fits a missing field.

    Attributes:
        wanted: One value; any number for `in` and `not_in`.
    """

    path: FieldPath
    operator: RowOperator
    wanted: tuple[Wanted, ...]


@dataclass(frozen=True, slots=True)
class RowJunction:
    """Several filters as one, with SQL's meaning of what is not known."""

    junction: Junction
    parts: tuple["RowFilter", ...]


RowFilter = RowCondition | RowJunction


@dataclass(frozen=True, slots=True)
class Narrowing:
    """What is left of the events for somebody.

    Attributes:
        tables: Patterns of names, `shop.*`; none: all tables.
        rows: Which events; None: all.
        hidden: Fields that are not there, with all that is below them; the case of letters does not count.
    """

    tables: tuple[str, ...] = ()
    rows: RowFilter | None = None
    hidden: tuple[FieldPath, ...] = ()

    def has_table(self, table: Table) -> bool:
        """Whether a table is there."""
        return not self.tables or any(fnmatchcase(table.name, pattern) for pattern in self.tables)

    def hides(self, path: FieldPath) -> bool:
        """Whether a field is hidden, or below one that is."""
        keys = plain_keys(path)
        return any(keys[: len(hidden)] == hidden for hidden in map(plain_keys, self.hidden))

    def hides_below(self, path: FieldPath) -> bool:
        """Whether something in a field's values is hidden, or all of them."""
        keys = plain_keys(path)
        return self.hides(path) or any(hidden[: len(keys)] == keys for hidden in map(plain_keys, self.hidden))


def plain_keys(path: FieldPath) -> FieldPath:
    """A path that can be compared: elements of lists are where the list is, letters have no case."""
    return tuple(key.casefold() for key in path if key != ELEMENT)


def conditions_of(rows: RowFilter | None) -> tuple[RowCondition, ...]:
    """All comparisons of a filter."""
    if rows is None:
        return ()
    if isinstance(rows, RowCondition):
        return (rows,)
    return tuple(condition for part in rows.parts for condition in conditions_of(part))


def read_narrowing(tables: Iterable[str], rows: object, hidden: Iterable[object]) -> Narrowing:
    """A narrowing from what its parts are in JSON; `rows` None is no filter.

    Raises:
        UsageError: it cannot be read; with the JSON pointer of the first mistake.
    """
    return Narrowing(
        tuple(tables),
        None if rows is None else _filter(rows, "", _LEVELS_MAX, [_PARTS_MAX]),
        tuple(read_path(path, f"/hide/{number}") for number, path in enumerate(hidden)),
    )


def read_filter_text(text: str) -> object:
    """A filter as it stands on a command line, checked.

    Raises:
        UsageError: it is no JSON, or no filter.
    """
    try:
        document: object = json.loads(text)
    except ValueError as error:
        raise UsageError(
            f"the filter is no JSON: {error}", hint='{"field": "tenant", "op": "eq", "value": 7}'
        ) from error
    read_narrowing((), document, ())
    return document


def read_path(written: object, pointer: str) -> FieldPath:
    """A field's path from a text with dots, or from a list of keys.

    Raises:
        UsageError: it is neither.
    """
    keys = written.split(".") if isinstance(written, str) else written
    if not isinstance(keys, list) or not keys or not all(isinstance(key, str) and key for key in keys):
        raise _wrong(pointer, "a field is a name, or a list of names")
    return tuple(keys)


def _filter(document: object, pointer: str, levels: int, parts_left: list[int]) -> RowFilter:
    parts_left[0] -= 1
    if not levels or parts_left[0] < 0:
        raise _wrong(pointer, f"a filter has {_PARTS_MAX} parts on {_LEVELS_MAX} levels at most")
    if not isinstance(document, dict):
        raise _wrong(pointer, "a filter is an object")
    below: Callable[[object, str], RowFilter] = partial(_filter, levels=levels - 1, parts_left=parts_left)
    names = set(document)
    for junction in Junction:
        if names != {junction.value}:
            continue
        where, inner = f"{pointer}/{junction}", document[junction.value]
        if junction is Junction.NOT:
            return RowJunction(junction, (below(inner, where),))
        if not isinstance(inner, list) or not inner:
            raise _wrong(where, "a list of filters stands here")
        return RowJunction(junction, tuple(below(part, f"{where}/{n}") for n, part in enumerate(inner)))
    return _condition(document, pointer)


def _condition(document: Mapping[str, object], pointer: str) -> RowCondition:
    unknown = set(document) - {"field", "op", "value"}
    if unknown or "field" not in document:
        raise _wrong(pointer, "a filter has field, op and value, or one of and, or, not")
    path = read_path(document["field"], f"{pointer}/field")
    written = document.get("op")
    if written not in [operator.value for operator in RowOperator]:
        raise _wrong(f"{pointer}/op", f"op is one of {', '.join(RowOperator)}")
    operator = RowOperator(written)
    value = document.get("value", True if operator is RowOperator.EXISTS else None)
    return RowCondition(path, operator, _wanted(operator, value, f"{pointer}/value"))


def _wanted(operator: RowOperator, value: object, pointer: str) -> tuple[Wanted, ...]:
    if operator in (RowOperator.IN, RowOperator.NOT_IN):
        if not isinstance(value, list) or not value:
            raise _wrong(pointer, f"{operator} takes a list of values")
        return tuple(_one(each, f"{pointer}/{number}") for number, each in enumerate(value))
    one = _one(value, pointer)
    if operator is RowOperator.EXISTS and not isinstance(one, bool):
        raise _wrong(pointer, "exists takes true or false")
    texts: Sequence[RowOperator] = (RowOperator.CONTAINS, RowOperator.STARTS_WITH, RowOperator.ENDS_WITH)
    if operator in texts and not isinstance(one, str):
        raise _wrong(pointer, f"{operator} takes a text")
    return (one,)


def _one(value: object, pointer: str) -> Wanted:
    if isinstance(value, bool | int | float | str):
        return value
    raise _wrong(pointer, "a value is a text, a number, true or false")


def _wrong(pointer: str, message: str) -> UsageError:
    return UsageError(f"{message} (at {pointer or '/'} of the filter)")
