"""Values that Trino's functions yield, where the engine has no function for them."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logdrain.query.values.distributions import inverse_normal_cdf, normal_cdf, numeric_histogram
from logdrain.query.values.java_regex import (
    all_extracted,
    compiled,
    extracted,
    is_beyond_re2,
    is_match,
    position,
    replaced,
    split,
)
from logdrain.query.values.json_pieces import json_piece
from logdrain.query.values.trino_texts import is_luhn, number_in_base, span_in_words
from logdrain.query.values.xxhash import xxhash64

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@pytest.mark.parametrize(
    ("text", "pointer", "piece"),
    [
        ('{"a": 1.50}', "/a", "1.50"),
        ('{"a": [1, {"b" : 1e3 }]}', "/a/1", '{"b":1e3}'),
        ('{"a": {"b": "x  y"}}', "/a", '{"b":"x  y"}'),
        ('{"a/b": {"~": 12345678901234567.89}}', "/a~1b/~0", "12345678901234567.89"),
        (" [ 1 , 2 ] ", "/1", "2"),
        ("7.0", "", "7.0"),
        ('{"a":1}', "/b", None),
        ('{"a":1}', "/a/b", None),
        ("[]", "/0", None),
        ("bad", "/a", None),
        ('{"a"', "/a", None),
        ("", "", None),
    ],
)
def test_a_piece_of_json_is_as_it_is_written(text: str, pointer: str, piece: str | None) -> None:
    assert json_piece(text, pointer) == piece


@given(JSON, st.sampled_from((None, 1)))
def test_every_value_is_found_at_its_pointer(value: Any, indent: int | None) -> None:
    text = json.dumps({"a/b": [value]}, indent=indent)
    piece = json_piece(text, "/a~1b/0")
    assert piece is not None
    assert json.loads(piece) == value


@given(st.text(max_size=40), st.text(max_size=10))
def test_any_text_is_json_or_none(text: str, pointer: str) -> None:
    piece = json_piece(text, pointer)
    assert piece is None or isinstance(piece, str)


@pytest.mark.parametrize(
    "pattern",
    ["a(?=b)", "a(?!b)", "(?<=a)b", "(?<!a)b", r"(a)\1", r"(?<n>a)\k<n>", "a++", "(?>a)b"],
)
def test_what_re2_lacks(pattern: str) -> None:
    assert is_beyond_re2(pattern)


@pytest.mark.parametrize(
    "pattern", [r"\\1", r"a\+\+", "[(?=]+", "(?:a|b)+?", "(?i)a", r"[\]*+]", "(?<n>a)", "(?P<n>a)"]
)
def test_what_re2_has(pattern: str) -> None:
    assert not is_beyond_re2(pattern)


def test_a_second_engine_for_patterns() -> None:
    optional = compiled("a(b)?(?=c)")
    assert optional is not None
    assert is_match("xac", optional)
    assert extracted("ac", optional, 1) is None
    assert extracted("abc", optional, 1) == "b"
    assert extracted("abc", optional, 2) is None
    assert all_extracted("ac abc", optional, 1) == [None, "b"]
    assert all_extracted("ac", optional, 9) == []
    assert position("xac", optional) == 2
    assert position("x", optional) == -1
    pair = compiled(r"(?P<first>\w)(?=\d)")
    assert pair is not None
    assert replaced("a1", pair, r"<${first}$1\$>") == "<aa$>1"
    assert split("a1b2", pair) == ["", "1", "2"]
    assert compiled("(") is None
    end = compiled(r"a\z(?!b)")
    assert end is not None
    assert is_match("a", end)


def test_a_match_ends_in_time() -> None:
    slow = compiled("(a|aa)+(?=c)")
    assert slow is not None
    with pytest.raises(TimeoutError):
        is_match("a" * 60, slow)


@pytest.mark.parametrize(
    ("data", "found"),
    [
        (b"", "ef46db3751d8e999"),
        (b"a", "d24ec4f1a98c6e5b"),
        (b"abc", "44bc2cf5ad770999"),
        (b"Nobody inspects the spammish repetition", "fbcea83c8a378bf1"),
    ],
)
def test_xxh64(data: bytes, found: str) -> None:
    assert xxhash64(data).hex() == found


def test_the_normal_distribution() -> None:
    assert normal_cdf(0, 1, 1.96) == pytest.approx(0.9750021048517796)
    assert inverse_normal_cdf(0, 1, 0.975) == pytest.approx(1.959963984540054)
    assert normal_cdf(0, 0, 1) is None
    assert inverse_normal_cdf(0, 1, 0) is None
    assert inverse_normal_cdf(0, 1, 1) is None


@given(st.lists(st.integers(-1000, 1000), min_size=1, max_size=400), st.integers(2, 12))
def test_a_histogram_keeps_number_and_sum(values: list[int], buckets: int) -> None:
    found = numeric_histogram(buckets, values, [1.0] * len(values))
    assert found is not None
    assert len(found) <= buckets
    assert list(found) == sorted(found)
    assert sum(found.values()) == pytest.approx(len(values))
    assert sum(value * weight for value, weight in found.items()) == pytest.approx(sum(values), abs=1e-6)
    if len(set(values)) <= buckets:
        assert found == {value: values.count(value) for value in set(values)}


def test_no_histogram() -> None:
    assert numeric_histogram(1, [1.0], [1.0]) is None
    assert numeric_histogram(2, [], []) is None


def test_numbers_and_spans_in_words() -> None:
    assert number_in_base("-ff", 16) == -255
    assert number_in_base("8", 8) is None
    assert number_in_base("1_0", 10) is None
    assert number_in_base("1", 1) is None
    assert is_luhn("79927398713") is True
    assert is_luhn("") is None
    assert is_luhn("x") is None
    assert span_in_words(0) == "0 seconds"
    assert span_in_words(604_801.4) == "1 week, 1 second"
