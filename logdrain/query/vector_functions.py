"""Functions that the engine lacks, over whole Arrow columns. The engine gets those that a plan uses."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC
from typing import Any

import pyarrow as pa

from logdrain.query.td_time import find_zone, unix_time

TIME_PARSE = "parse_td_time"

Column = Any
"""pa.Array or pa.ChunkedArray. The engine evaluates annotations, and pyarrow's classes take no parameters."""


@dataclass(frozen=True, slots=True)
class VectorFunction:
    """A function for the engine; type names are the engine's. It gets NULLs and may return them."""

    argument_types: tuple[str, ...]
    return_type: str
    function: Callable[..., Column]


def parse_td_time(texts: Column, zones: Column) -> Column:
    """Unix seconds of time strings; NULL where one is no time. The zone is for strings without one."""
    seconds = [
        None if text is None else unix_time(text, find_zone(zone) or UTC)
        for text, zone in zip(texts.to_pylist(), zones.to_pylist(), strict=True)
    ]
    return pa.array(seconds, pa.int64())


VECTOR_FUNCTIONS: dict[str, VectorFunction] = {
    TIME_PARSE: VectorFunction(("VARCHAR", "VARCHAR"), "BIGINT", parse_td_time),
}
