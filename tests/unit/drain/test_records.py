import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logdrain.drain.records import read_record, rename_reserved
from logdrain.drain.tags import Rejection
from logdrain.model.events import DropReason


def reason(text: bytes) -> DropReason:
    found = read_record(text)
    assert isinstance(found, Rejection)
    return found.reason


def nested(depth: int) -> bytes:
    return b'{"a":' * depth + b"1" + b"}" * depth


def test_a_record() -> None:
    text = b'{"uid":123,"price":9.5,"tags":["a","b"],"paid":true,"coupon":null,"a.b":1,"$set":2,"":3}'
    assert read_record(text) == json.loads(text)


def test_duplicate_keys_the_last_wins() -> None:
    assert read_record(b'{"a":1,"a":2}') == {"a": 2}


def test_integers_beyond_64_bits_are_exact() -> None:
    assert read_record(b'{"id":18446744073709551616,"n":-99999999999999999999}') == {
        "id": 2**64,
        "n": -99999999999999999999,
    }


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (b"{invalid}", DropReason.BAD_JSON),
        (b'{"a":1', DropReason.BAD_JSON),
        (b'{"a":NaN}', DropReason.BAD_JSON),
        (b'{"a":Infinity}', DropReason.BAD_JSON),
        (b'{"a":1e999}', DropReason.BAD_JSON),
        (b'{"a":"\xff"}', DropReason.BAD_JSON),
        (b'{"a":"\\ud800"}', DropReason.BAD_JSON),
        (b'{"a":1}}', DropReason.BAD_JSON),
        (b"[1,2]", DropReason.NOT_AN_OBJECT),
        (b'"text"', DropReason.NOT_AN_OBJECT),
        (b"42", DropReason.NOT_AN_OBJECT),
        (b"null", DropReason.NOT_AN_OBJECT),
        (b'{"a\\u0000b":1}', DropReason.NUL_IN_KEY),
        (b'{"a":[{"\\u0000":1}]}', DropReason.NUL_IN_KEY),
        (b'{"a":' + b"9" * 35 + b"}", DropReason.NUMBER_OUT_OF_RANGE),
        (nested(101), DropReason.TOO_DEEP),
        (nested(100_000), DropReason.TOO_DEEP),
        (b'{"a":' + b"[" * 100 + b"]" * 100 + b"}", DropReason.TOO_DEEP),
    ],
)
def test_rejections(text: bytes, expected: DropReason) -> None:
    assert reason(text) is expected


def test_a_hundred_levels_are_fine() -> None:
    assert read_record(nested(100)) == json.loads(nested(100))
    assert read_record(b'{"a":' + b"9" * 34 + b"}") == {"a": int("9" * 34)}


@pytest.mark.parametrize(
    ("text", "half"),
    [
        (rb'{"a":"\ud800"}', r"\ud800 (byte 6)"),
        (rb'{"a":"x\uD83D cut"}', r"\uD83D (byte 7)"),
        (rb'{"a":"\ude00"}', r"\ude00 (byte 6)"),
        (rb'{"a":"\ude00\ud83d"}', r"\ude00 (byte 6)"),
        (rb'{"\ud800":1}', r"\ud800 (byte 2)"),
        (rb'{"a":"\ud83d\ude00\\\ud800"}', r"\ud800 (byte 20)"),
        (b'{"a":"\xed\xa0\xbd"}', "ed a0 bd (byte 6)"),
    ],
)
def test_a_lone_surrogate_is_said_to_be_one(text: bytes, half: str) -> None:
    found = read_record(text)
    assert isinstance(found, Rejection)
    assert found.reason is DropReason.BAD_JSON
    assert f"lone surrogate, {half}: half of a character" in found.detail


@pytest.mark.parametrize("text", [rb'{"a":"\ud83d\ude00",}', rb'{"a":"\\ud800",}', rb'{"a":"\u00e9" x}'])
def test_no_other_text_is(text: bytes) -> None:
    found = read_record(text)
    assert isinstance(found, Rejection)
    assert "surrogate" not in found.detail


@pytest.mark.parametrize("text", [b"hello", b"said hi {x}", b"nul", b"[error] text"])
def test_text_that_only_looks_tagged(text: bytes) -> None:
    assert read_record(text) is None


def test_reserved_keys_are_kept_under_another_name() -> None:
    assert rename_reserved({"_id": 1, "_id_": 2, "_origin": 3, "_time": 4, "a": 5}) == {
        "_id__": 1,
        "_id_": 2,
        "_origin_": 3,
        "_time_": 4,
        "a": 5,
    }


values: st.SearchStrategy[Any] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


@given(st.dictionaries(st.text().filter(lambda key: "\x00" not in key), values, max_size=6))
def test_any_json_object_comes_back(record: dict[str, Any]) -> None:
    found = read_record(json.dumps(record, ensure_ascii=False).encode("utf-8", "replace"))
    if isinstance(found, Rejection):
        assert found.reason is DropReason.NUL_IN_KEY
    else:
        assert found == record


@given(st.binary(max_size=200))
def test_any_octets_are_a_record_or_a_reason(text: bytes) -> None:
    assert isinstance(read_record(text), dict | Rejection | None)
