"""Functions that the engine lacks, over whole Arrow columns. The engine gets those that a plan uses."""

from collections.abc import Callable
from dataclasses import dataclass
from inspect import Parameter, Signature
from typing import Any

import pyarrow as pa

from logdrain.query.values.scalars import SCALAR_FUNCTIONS, ScalarFunction
from logdrain.types.postgres_types import SQL_TYPES

Column = Any
"""pa.Array or pa.ChunkedArray. The engine evaluates annotations, and pyarrow's classes take no parameters."""

_ARROW_TYPES = {name: of.arrow for name, of in SQL_TYPES.items()} | {
    "BLOB": pa.binary(),
    "MAP(DOUBLE, DOUBLE)": pa.map_(pa.float64(), pa.float64()),
    "MAP(VARCHAR, VARCHAR)": pa.map_(pa.string(), pa.string()),
    "VARCHAR[]": pa.list_(pa.string()),
}


@dataclass(frozen=True, slots=True)
class VectorFunction:
    """A function for the engine; type names are the engine's. It gets NULLs and may return them."""

    argument_types: tuple[str, ...]
    return_type: str
    function: Callable[..., Column]


def by_row(scalar: ScalarFunction) -> VectorFunction:
    """The function over columns; rows that are the same are computed once."""

    def function(*columns: Column) -> Column:
        rows = list(zip(*map(_hashable, columns), strict=True))
        values = {row: scalar(*row) for row in set(rows)}
        return pa.array([values[row] for row in rows], _ARROW_TYPES[scalar.returns])

    # The engine counts the parameters.
    parameters = [Parameter(f"_{at}", Parameter.POSITIONAL_ONLY) for at in range(len(scalar.parameters))]
    vars(function)["__signature__"] = Signature(parameters)
    return VectorFunction(tuple(of.type for of in scalar.parameters), scalar.returns, function)


def _hashable(column: Column) -> list[Any]:
    return [tuple(value) if isinstance(value, list) else value for value in column.to_pylist()]


VECTOR_FUNCTIONS: dict[str, VectorFunction] = {scalar.name: by_row(scalar) for scalar in SCALAR_FUNCTIONS}
