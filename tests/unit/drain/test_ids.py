import uuid

from hypothesis import given
from hypothesis import strategies as st

from logdrain.drain.ids import NAME_SIZE_MAX_BYTES, body_id, bounded_name, make_id


@given(st.integers(0, 2**48 - 1), st.text(), st.text(), st.integers(0, 10**6))
def test_a_version_8_uuid_that_starts_with_its_time(time_ms: int, drain: str, delivery: str, at: int) -> None:
    found = make_id(time_ms, drain, delivery, at)
    parsed = uuid.UUID(bytes=found)
    assert (parsed.version, parsed.variant) == (8, uuid.RFC_4122)
    assert int.from_bytes(found[:6], "big") == time_ms
    assert found == make_id(time_ms, drain, delivery, at)


def test_every_part_counts() -> None:
    names = [("a", "bc", 1), ("ab", "c", 1), ("a", "bc", 11), ("a", "bc1", 1), ("", "abc", 1), ("1:a", "", 1)]
    assert len({make_id(5, *name) for name in names}) == len(names)


def test_no_time_sorts_first() -> None:
    assert make_id(None, "a", "b", 1)[:6] == bytes(6)


def test_a_body_without_an_id_is_named_by_its_octets() -> None:
    assert body_id(b"one") == body_id(b"one") != body_id(b"two")


@given(st.text(max_size=300))
def test_names_that_are_not_too_long_stay(name: str) -> None:
    assert (bounded_name(name) == name) is (len(name.encode()) <= NAME_SIZE_MAX_BYTES)
    assert len(bounded_name(name).encode()) <= NAME_SIZE_MAX_BYTES


def test_of_longer_names_the_beginning_is_kept_and_each_is_another() -> None:
    names = [letter * 200 + end for letter in "xé" for end in ("a" * 100, "b" * 100)]
    bounded = list(map(bounded_name, names))
    assert bounded == list(map(bounded_name, names))
    assert len(set(bounded)) == len(names)
    assert all(
        name.startswith(short[:100]) and len(short.encode()) in {254, 255}
        for name, short in zip(names, bounded, strict=True)
    )
