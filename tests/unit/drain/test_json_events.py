import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logdrain.drain.ids import make_id
from logdrain.drain.json_events import AHEAD_MAX_MS, read_items, split_items
from logdrain.errors import BadRequest
from logdrain.model.events import Content, Delivery, DropReason, Event, LineKind, Table

NOW_MS = 1_330_560_001_000
DELIVERY = Delivery("site", "D1", "", None, Content.ITEMS, NOW_MS)


def events(*items: Any, delivery: Delivery = DELIVERY) -> list[Event]:
    parsed = read_items(json.dumps(items).encode(), delivery)
    assert parsed.rejected_items == []
    return parsed.batch.events


def rejection(item: Any) -> tuple[DropReason, str]:
    (rejected,) = read_items(json.dumps([item]).encode(), DELIVERY).rejected_items
    return rejected.reason, rejected.detail


@pytest.mark.parametrize(
    "body",
    [
        b'[{"event":"a.b"},{"event":"a.c"}]',
        b' [ {"event":"a.b"} , {"event":"a.c"} ] \n',
        b'{"event":"a.b"}\n{"event":"a.c"}',
        b'\xef\xbb\xbf{"event":"a.b"}\r\n\r\n{"event":"a.c"}\n',
    ],
)
def test_a_body_is_an_array_or_lines(body: bytes) -> None:
    assert split_items(body) == [b'{"event":"a.b"}', b'{"event":"a.c"}']


def test_one_object_may_have_lines() -> None:
    assert len(split_items(b'{\n"event": "a.b"\n}\n')) == 1
    assert split_items(b"") == split_items(b"[]") == []


@pytest.mark.parametrize("body", [b"[", b'[{"event":"a.b"}', b"[1,]", b"[" * 100_000])
def test_what_begins_as_an_array_and_is_none(body: bytes) -> None:
    with pytest.raises(BadRequest):
        split_items(body)


def test_an_item_becomes_an_event() -> None:
    (event,) = events(
        {
            "event": "Shop.Pay",
            "properties": {"price": 2**53 + 1, "user_id": 5, "_id": 1},
            "user_id": "u7",
            "session_id": 3,
            "anonymous_id": None,
            "time": "2012-03-01T00:00:00.123+01:00",
        }
    )
    assert event.table == Table("shop", "pay")
    assert event.time_ms == 1_330_556_400_123
    assert event.record == {
        "price": 2**53 + 1,
        "user_id_": 5,
        "_id_": 1,
        "user_id": "u7",
        "session_id": 3,
    }
    assert event.origin == ("site", "", "", "")


@pytest.mark.parametrize(
    ("item", "time_ms", "record"),
    [
        ({}, NOW_MS, {}),
        ({"time": None}, NOW_MS, {}),
        ({"time": 1_000}, 1_000_000, {}),
        ({"time": NOW_MS + AHEAD_MAX_MS}, NOW_MS + AHEAD_MAX_MS, {}),
        ({"properties": {"time": 1_000}}, 1_000_000, {}),
        ({"properties": {"time": 1_000}, "time": 2_000}, 2_000_000, {"time_": 1_000}),
        ({"properties": {"time": "noon", "time_": 1}}, NOW_MS, {"time__": "noon", "time_": 1}),
    ],
)
def test_time(item: dict[str, Any], time_ms: int, record: dict[str, Any]) -> None:
    (event,) = events({"event": "a.b", **item})
    assert (event.time_ms, event.record) == (time_ms, record)


def test_a_local_time_of_the_properties_is_counted() -> None:
    body = b'{"event":"a.b","properties":{"time":"2012-03-01 10:00"}}'
    parsed = read_items(body, DELIVERY)
    assert parsed.times_without_zone == 1
    assert parsed.batch.events[0].record == {"time_": "2012-03-01 10:00"}


def test_an_insert_id_makes_the_id() -> None:
    item = {"event": "a.b", "insert_id": "order-7", "time": 1_000}
    first, again = events(item, {**item, "properties": {"n": 1}})
    (later,) = events(item, delivery=DELIVERY._replace(id="D2", received_ms=NOW_MS + 10**9))
    assert first.id == again.id == later.id == make_id(1_000_000, "site", "insert_id:order-7", 0)
    (other_time,) = events({**item, "time": 1_001})
    (other_key,) = events(item, delivery=DELIVERY._replace(drain="app"))
    assert len({first.id, other_time.id, other_key.id}) == 3


def test_equal_items_without_insert_id_are_two_events() -> None:
    first, second = events({"event": "a.b", "time": 1_000}, {"event": "a.b", "time": 1_000})
    (other_delivery,) = events({"event": "a.b", "time": 1_000}, delivery=DELIVERY._replace(id="D2"))
    assert len({first.id, second.id, other_delivery.id}) == 3


def test_an_insert_id_with_a_time_of_the_properties() -> None:
    (event,) = events({"event": "a.b", "insert_id": "7", "properties": {"time": 1_000}})
    assert event.id == make_id(1_000_000, "site", "insert_id:7", 0)


@pytest.mark.parametrize(
    ("item", "reason", "detail"),
    [
        (7, DropReason.NOT_AN_OBJECT, "object"),
        ([], DropReason.NOT_AN_OBJECT, "object"),
        ({}, DropReason.BAD_ITEM, "event must be the table's name"),
        ({"event": 7}, DropReason.BAD_ITEM, "event must be"),
        ({"event": "a.b", "propertis": {}}, DropReason.BAD_ITEM, "did you mean 'properties'?"),
        ({"event": "a.b", "price": 7}, DropReason.BAD_ITEM, "own fields stand in properties"),
        ({"event": "a.b", "properties": [1]}, DropReason.BAD_ITEM, "properties must be an object"),
        ({"event": "a.b", "user_id": True}, DropReason.BAD_ITEM, "user_id must be"),
        ({"event": "a.b", "user_id": 1.5}, DropReason.BAD_ITEM, "user_id must be"),
        ({"event": "a.b", "insert_id": "", "time": 1}, DropReason.BAD_ITEM, "insert_id must be"),
        ({"event": "a.b", "insert_id": "é" * 128, "time": 1}, DropReason.BAD_ITEM, "255 octets"),
        ({"event": "pay"}, DropReason.BAD_TAG, "no dot"),
        ({"event": "system.x"}, DropReason.RESERVED_NAME, "MongoDB"),
        ({"event": "a.b", "time": "noon"}, DropReason.BAD_TIME, "offset"),
        ({"event": "a.b", "time": "2012-03-01T00:00:00"}, DropReason.BAD_TIME, "offset"),
        ({"event": "a.b", "time": True}, DropReason.BAD_TIME, "offset"),
        ({"event": "a.b", "time": NOW_MS + AHEAD_MAX_MS + 1}, DropReason.BAD_TIME, "ahead"),
        ({"event": "a.b", "properties": {"time": NOW_MS * 2}}, DropReason.BAD_TIME, "ahead"),
        ({"event": "a.b", "insert_id": "7"}, DropReason.INSERT_ID_WITHOUT_TIME, "needs a time"),
        ({"event": "a.b", "properties": {"a\0": 1}}, DropReason.NUL_IN_KEY, "U+0000"),
        ({"event": "a.b", "properties": {"n": 10**40}}, DropReason.NUMBER_OUT_OF_RANGE, "34 digits"),
    ],
)
def test_what_is_no_event(item: Any, reason: DropReason, detail: str) -> None:
    found, said = rejection(item)
    assert (found, detail in said) == (reason, True), said


def test_a_bad_item_keeps_the_others_and_goes_to_quarantine() -> None:
    body = b'{"event":"a.b"}\n{"event":"a.b","x":NaN}\n{"event":"a.b","insert_id":"i"}\n'
    parsed = read_items(body, DELIVERY)
    assert parsed.kinds == {LineKind.EVENT: 1, LineKind.REJECTED: 2}
    assert [(item.position, item.insert_id, item.reason.value) for item in parsed.rejected_items] == [
        (1, None, "bad_json"),
        (2, "i", "insert_id_without_time"),
    ]
    assert [entry.raw for entry in parsed.batch.quarantined] == body.splitlines()[1:]
    again = read_items(body, DELIVERY._replace(id="D2", received_ms=NOW_MS + 1))
    assert [entry.id for entry in again.batch.quarantined] == [entry.id for entry in parsed.batch.quarantined]


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=20),
    lambda below: st.lists(below, max_size=4) | st.dictionaries(st.text(max_size=12), below, max_size=4),
    max_leaves=12,
)
items = st.fixed_dictionaries(
    {},
    optional={
        "event": st.sampled_from(["a.b", "A.B", "a", ""]) | json_values,
        "properties": json_values,
        "user_id": json_values,
        "time": st.integers(0, 2 * NOW_MS) | json_values,
        "insert_id": json_values,
        "other": json_values,
    },
)


@given(st.lists(items | json_values, max_size=6))
def test_every_item_is_an_event_or_rejected_and_a_replay_agrees(given_items: list[Any]) -> None:
    body = json.dumps(given_items, ensure_ascii=False).encode("utf-8", "replace")
    parsed = read_items(body, DELIVERY)
    assert parsed.frames == len(given_items) == len(parsed.batch.events) + len(parsed.rejected_items)
    assert len(parsed.batch.quarantined) == len(parsed.rejected_items)
    assert read_items(body, DELIVERY) == parsed


@given(st.binary(max_size=200))
def test_any_octets_are_items_or_a_clear_refusal(body: bytes) -> None:
    try:
        count = len(split_items(body))
    except BadRequest:
        return
    assert read_items(body, DELIVERY).frames == count
