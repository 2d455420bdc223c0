"""Records that no column can hold as they are never make SELECT * fail: they are JSON text."""

import json
from typing import Any

import pytest

from logdrain.model.events import Record
from logdrain.types.sql_types import COLUMN_LEVELS_MAX
from tests.integration.events.aggregated import SCHEDULED_TIME_S, aggregated_tables

DEPTH_MAX = 99
STAR = "SELECT * FROM deep_{}"


def objects(depth: int) -> Record:
    return {"a": objects(depth - 1) if depth > 1 else 1}


def lists(depth: int) -> Record:
    value: Any = 1
    for _ in range(depth - 1):
        value = [value]
    return {"a": value}


def plain(value: Any) -> Any:
    """A value with the JSON in it read, however deep."""
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [plain(item) for item in value]
    return plain(json.loads(value)) if isinstance(value, str) and value[:1] in "[{" else value


@pytest.mark.parametrize(
    ("records", "expected"),
    [
        ([{"": 3, "a": 1}, {"": "x"}], [("3", 1), ("x", None)]),
        ([{"": 3, "_": 1}], [("3", 1)]),
        ([{"a": {"": 1, "b": 2}}], [('{"":1,"b":2}',)]),
        ([{"a": [{"": {"": []}}]}], [(['{"":{"":[]}}'],)]),
        ([{"": {"": {"": None}}}], [('{"":{"":null}}',)]),
    ],
)
def test_empty_keys(mongodb_uri: str, records: list[Record], expected: list[tuple[Any, ...]]) -> None:
    with aggregated_tables(mongodb_uri) as tables:
        tables.store([(SCHEDULED_TIME_S * 1000, record) for record in records], "odd")
        found = tables.ask("SELECT * FROM odd", tables.in_store).rows
    assert sorted(row[1:] for row in found) == sorted(expected)


@pytest.mark.parametrize("record_of", [objects, lists])
def test_any_depth(mongodb_uri: str, record_of: Any) -> None:
    with aggregated_tables(mongodb_uri) as tables:
        for depth in (COLUMN_LEVELS_MAX, COLUMN_LEVELS_MAX + 1, DEPTH_MAX):
            record = record_of(depth)
            tables.store([(SCHEDULED_TIME_S * 1000, record)], f"deep_{depth}")
            [(_, value)] = tables.ask(STAR.format(depth), tables.in_store).rows
            assert plain(value) == record["a"]
