"""Times by magnitude, items that are stamped again, answers of servers."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from logdrain.clients.event_items import BatchAnswer, event_item, read_answer, tagged_line, unix_ms
from logdrain.clients.plain_values import JsonWriter

WRITER = JsonWriter(lambda _: None)
MS = 1_772_366_400_123


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (datetime.fromtimestamp(MS / 1000, UTC), MS),
        ("2026-03-01T12:00:00.123Z", MS),
        (MS // 1000, MS // 1000 * 1000),
        (MS, MS),
        (MS * 1000, MS),
        (MS * 1_000_000, MS),
        ("2026-03-01T12:00:00", None),
        ("soon", None),
        (True, None),
        (float("inf"), None),
        (float("nan"), None),
        (object(), None),
    ],
    ids=["datetime", "text", "s", "ms", "us", "ns", "no zone", "words", "true", "inf", "nan", "object"],
)
def test_a_time_is_read_as_a_drain_reads_it(value: Any, expected: int | None) -> None:
    assert unix_ms(value) == expected


@pytest.mark.parametrize("properties", [{}, {"a": 1}], ids=["empty", "some"])
def test_an_item_is_stamped_again_with_a_mark(properties: dict[str, int]) -> None:
    item = event_item("a.b", {"insert_id": "i"}, properties, (1000, True), WRITER)
    assert json.loads(item.encode()) == {
        "event": "a.b",
        "insert_id": "i",
        "time": 1000,
        "properties": properties,
    }
    again = json.loads(item.adjusted(500).encode())
    assert again["time"] == 1500
    assert again["properties"] == {"clock_adjusted": True, **properties}
    assert again["insert_id"] == "i"


def test_a_tag_cannot_end_itself_or_the_line() -> None:
    assert tagged_line("a.b] {}\n@[c.d", {"x": "\n"}, WRITER) == '@[a.b__{}_@[c.d] {"x":"\\n"}\n'


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (
            b'{"rejected":[{"insert_id":"a","code":"bad_time"}],"server_time":"2026-03-01T12:00:00.123Z"}',
            BatchAnswer({"a": "bad_time"}, MS),
        ),
        (b'{"accepted":2}', BatchAnswer({}, None)),
        (b"<html>", BatchAnswer({}, None)),
        (b'[{"rejected":1}]', BatchAnswer({}, None)),
        (b'{"rejected":7,"server_time":[]}', BatchAnswer({}, None)),
    ],
    ids=["whole", "short", "html", "list", "odd"],
)
def test_any_answer_is_read(body: bytes, expected: BatchAnswer) -> None:
    assert read_answer(body) == expected
