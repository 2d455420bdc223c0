"""What an application puts into properties, and what is written of it."""

import json
import math
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from enum import Enum
from pathlib import PurePosixPath
from typing import Any
from uuid import UUID

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from logdrain.clients.plain_values import DEPTH_MAX, JsonWriter


class Plan(Enum):
    PRO = "pro"


@dataclass
class Item:
    sku: UUID
    bought: date


class Broken:
    def __str__(self) -> str:
        raise RuntimeError


def written(value: Any) -> tuple[Any, list[str]]:
    warnings: list[str] = []
    text = JsonWriter(warnings.append).write({"v": value})
    assert "\n" not in text
    return json.loads(text)["v"], warnings


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (datetime(2026, 3, 1, 12, tzinfo=UTC), "2026-03-01T12:00:00+00:00"),
        (date(2026, 3, 1), "2026-03-01"),
        (timedelta(minutes=2), 120.0),
        (Decimal("10.50"), 10.5),
        (Decimal(12345678901234567890), 12345678901234567890),
        (Decimal("NaN"), None),
        (Decimal("1e999999"), None),
        (UUID(int=1), "00000000-0000-0000-0000-000000000001"),
        (PurePosixPath("/a"), "/a"),
        (Plan.PRO, "pro"),
        (Item(UUID(int=2), date(2026, 1, 2)), {"sku": str(UUID(int=2)), "bought": "2026-01-02"}),
        ({3, 1}, [1, 3]),
        ((1, "a"), [1, "a"]),
        ({Plan.PRO: 1, None: 2, True: 3, (1, 2): 4}, {"pro": 1, "null": 2, "true": 3, "(1, 2)": 4}),
        (np.int64(7), 7),
        (np.float32(1.5), 1.5),
        (np.datetime64("2026-01-02"), "2026-01-02"),
        (np.arange(3), [0, 1, 2]),
    ],
    ids=str,
)
def test_a_value_that_json_lacks_has_a_plain_form(value: Any, expected: Any) -> None:
    assert written(value) == (expected, [])


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (math.nan, None),
        (math.inf, None),
        (b"abc", "abc"),
        (Broken(), "<Broken>"),
        (10**5000, hex(10**5000)),
    ],
    ids=["nan", "infinite", "bytes", "broken", "long"],
)
def test_what_has_none_is_written_all_the_same_and_said(value: Any, expected: Any) -> None:
    seen, warnings = written(value)
    assert seen == expected
    assert len(warnings) >= 1


def test_half_a_character_is_a_question_mark() -> None:
    assert written("\ud800a")[0] == "?a"


def test_an_object_that_holds_itself_and_one_without_end_are_cut() -> None:
    circle: dict[str, Any] = {"a": 1}
    circle["me"] = circle
    assert written(circle)[0] == {"a": 1, "me": "<circular>"}
    well: list[Any] = []
    for _ in range(5000):
        well = [well]
    text = json.dumps(written(well)[0])
    assert text.count("[") <= DEPTH_MAX
    assert "<too deep>" in text


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary() | st.decimals(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text() | st.integers() | st.none(), inner),
    max_leaves=10,
)


@given(st.dictionaries(st.text(), ANYTHING))
@settings(max_examples=100)
def test_whatever_comes_one_line_of_json_goes(properties: dict[str, Any]) -> None:
    text = JsonWriter(lambda _: None).write(properties)
    text.encode()
    assert isinstance(json.loads(text), dict)
    assert "NaN" not in text or "NaN" in str(properties)
