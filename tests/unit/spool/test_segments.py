import os
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logdrain.model.events import Delivery
from logdrain.model.spool import Spooled
from logdrain.spool import segments
from logdrain.spool.segments import FoundSegment, ReadAt, SegmentSummary

KEY = b"\x01\x02\x03\x04\x05\x06\x07\x08"
OTHER_KEY = b"\x08\x07\x06\x05\x04\x03\x02\x01"

names = st.text(max_size=20) | st.just("caf\udce9")  # a header that is no UTF-8 comes like this
spooled = st.builds(
    Spooled,
    delivery=st.builds(
        Delivery, drain=names, id=names, token=names, message_count=st.none() | st.integers(0, 2**63)
    ),
    body=st.binary(max_size=200),
    problem=names,
)


def one(number: int, body: bytes = b"") -> Spooled:
    return Spooled(Delivery("app", f"delivery-{number}", "", 1), body or b"body %d " % number * 9, "")


def segment_of(*entries: Spooled, key: bytes = KEY) -> bytes:
    return segments.first_line(key) + b"".join(segments.encode(entry, key) for entry in entries)


def starts_of(*entries: Spooled) -> list[int]:
    """Where each entry begins, and where the last one ends."""
    starts = [segments.FIRST_LINE_SIZE]
    for entry in entries:
        starts.append(starts[-1] + len(segments.encode(entry, KEY)))
    return starts


def reader(octets: bytes) -> ReadAt:
    def read_at(offset: int, size: int) -> bytes:
        assert offset >= 0
        assert size > 0
        return octets[offset : offset + size]

    return read_at


def survey(octets: bytes) -> SegmentSummary:
    key = segments.read_first_line(octets)
    assert not isinstance(key, segments.Foreign)
    return segments.survey(reader(octets), len(octets), key)


def found_in(octets: bytes) -> list[FoundSegment]:
    """All that a reader gets, up to the torn tail."""
    key = segments.read_first_line(octets)
    assert not isinstance(key, segments.Foreign)
    end = survey(octets).end
    found: list[FoundSegment] = []
    offset = segments.entries_start(key)
    while offset < end:
        found.append(segments.find(reader(octets), offset, end, key))
        assert found[-1].start == offset
        offset = found[-1].end
    assert offset == max(end, segments.entries_start(key))
    return found


def found_from(octets: bytes) -> int:
    return segments.FIRST_LINE_SIZE if segments.read_first_line(octets) else 0


def sound_in(octets: bytes) -> list[Spooled]:
    return [found.spooled for found in found_in(octets) if found.spooled is not None]


@given(st.lists(spooled, max_size=5))
def test_what_was_written_is_read(entries: list[Spooled]) -> None:
    octets = segment_of(*entries)
    assert sound_in(octets) == entries
    assert survey(octets) == SegmentSummary(len(octets), len(entries))


@given(entry=spooled, keys=st.tuples(st.binary(min_size=8, max_size=8), st.binary(min_size=8, max_size=8)))
def test_size_does_not_depend_on_the_key(entry: Spooled, keys: tuple[bytes, bytes]) -> None:
    assert len(segments.encode(entry, keys[0])) == len(segments.encode(entry, keys[1]))


@given(st.data())
def test_damage_touches_no_other_entry_and_loses_no_octet(data: st.DataObject) -> None:
    entries = [one(number) for number in range(6)]
    whole = segment_of(*entries)
    starts = starts_of(*entries)
    start = data.draw(st.integers(0, len(whole) - 1), label="start")
    end = data.draw(st.integers(start, min(start + 300, len(whole))), label="end")
    put = data.draw(st.binary(max_size=100) | st.just(segments.encode(one(99), OTHER_KEY)), label="put")
    octets = whole[:start] + put + whole[end:]

    found = found_in(octets)

    untouched = [
        entry
        for entry, first, behind in zip(entries, starts, starts[1:], strict=False)
        if behind <= start or (first >= end and (first > start or end > start or not put))
    ]
    assert [each.spooled for each in found if each.spooled in untouched] == untouched
    # Without a first line the key is not known: what has a key of its own and is sound then counts.
    if start >= segments.FIRST_LINE_SIZE:
        assert all(each.spooled in entries for each in found if each.spooled is not None)
    # Every octet is delivered, handed on as damaged, or in a tail that only the touched entry can have torn.
    tail = octets[survey(octets).end :]
    assert b"".join(octets[each.start : each.end] for each in found) + tail == octets[found_from(octets) :]
    assert not tail or start + len(put) >= len(octets) - len(segments.encode(one(5), KEY))


@pytest.mark.parametrize("bit", range(8))
def test_every_single_flipped_bit_costs_one_entry_at_most(bit: int) -> None:
    entries = [one(1), one(2), one(3)]
    whole = segment_of(*entries)
    starts = starts_of(*entries)
    for place in range(len(whole)):
        octets = bytearray(whole)
        octets[place] ^= 1 << bit
        expected = [
            entry
            for entry, first, behind in zip(entries, starts, starts[1:], strict=False)
            if not first <= place < behind
        ]
        assert sound_in(bytes(octets)) == expected, place
        damaged = [found for found in found_in(bytes(octets)) if found.spooled is None]
        assert len(damaged) == 1, place
        assert damaged[0].start <= place < damaged[0].end
        assert survey(bytes(octets)).end == len(whole)


def test_a_tail_torn_at_any_octet_is_told_from_damage() -> None:
    entries = [one(1), one(2)]
    whole = segment_of(*entries)
    starts = starts_of(*entries)
    for size in range(len(whole) + 1):
        kept = sum(behind <= size for behind in starts[1:])
        end = starts[kept] if size >= starts[0] else 0
        assert survey(whole[:size]) == SegmentSummary(end, kept), size
        assert sound_in(whole[:size]) == entries[:kept]


@pytest.mark.parametrize("size", [1, 27, 28, 4096, 3 * 1024 * 1024])
def test_zeros_behind_the_last_entry_are_a_torn_tail(size: int) -> None:
    whole = segment_of(one(1))
    assert survey(whole + bytes(size)) == SegmentSummary(len(whole), 1)


def test_zeros_in_a_first_line_that_was_never_written_are_a_torn_tail() -> None:
    assert survey(bytes(4096)) == SegmentSummary(0, 0)


def test_zeros_inside_the_last_entry_are_damage_that_is_handed_on() -> None:
    whole = segment_of(one(1), one(2))
    octets = whole[:-10] + bytes(10)
    assert sound_in(octets) == [one(1)]
    assert survey(octets) == SegmentSummary(len(whole), 2)


def test_a_body_that_looks_like_entries_is_only_a_body() -> None:
    inside = segment_of(one(7), one(8), key=OTHER_KEY)
    octets = bytearray(segment_of(one(1, inside), one(2)))
    assert sound_in(bytes(octets)) == [one(1, inside), one(2)]
    octets[segments.FIRST_LINE_SIZE] ^= 1  # the search for the next entry now goes through that body
    assert sound_in(bytes(octets)) == [one(2)]


def test_a_damaged_payload_is_skipped_by_its_length() -> None:
    inside = segments.encode(one(7), KEY)
    octets = bytearray(segment_of(one(1, inside), one(2)))
    octets[starts_of(one(1, inside))[1] - 1] ^= 1
    found = found_in(bytes(octets))
    assert [each.spooled for each in found] == [None, one(2)]


def test_large_damage_comes_in_pieces() -> None:
    junk = os.urandom(segments.DAMAGED_SIZE_MAX_BYTES + 1000)
    octets = segment_of(one(1)) + junk + segments.encode(one(2), KEY)
    found = found_in(octets)
    assert [each.spooled for each in found] == [one(1), None, None, one(2)]
    assert b"".join(octets[each.start : each.end] for each in found[1:3]) == junk


def test_a_sound_entry_across_the_edge_of_a_search_window_is_found() -> None:
    for shift in range(-3, 3):
        junk = b"x" * (1024 * 1024 + shift)
        found = found_in(segment_of() + junk + segments.encode(one(2), KEY))
        assert [each.spooled for each in found] == [None, one(2)], shift


def test_first_line() -> None:
    line = segments.first_line(KEY)
    assert line.decode().startswith("logdrain-spool 001 ")
    assert len(line) == segments.FIRST_LINE_SIZE
    assert segments.read_first_line(line + b"more") == KEY


def test_another_version_is_foreign_and_a_damaged_version_is_not() -> None:
    line = segments.first_line(KEY).replace(b" 001 ", b" 002 ")
    assert segments.read_first_line(line) is None
    start = line[: line.rindex(b" ") + 1]
    assert segments.read_first_line(start + b"%08x\n" % zlib.crc32(start)) is segments.Foreign.FORMAT


@given(st.binary(max_size=500))
def test_any_octets_are_read_without_an_exception(octets: bytes) -> None:
    end = survey(octets).end
    assert b"".join(octets[each.start : each.end] for each in found_in(octets)) == octets[:end]


def test_octets_of_no_format_are_damage() -> None:
    junk = os.urandom(5000)
    assert survey(junk) == SegmentSummary(5000, 1)
