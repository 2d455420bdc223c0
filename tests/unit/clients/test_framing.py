from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logdrain.clients.framing import Batcher, LineSplitter, check_field, frame
from logdrain.errors import UsageError

NOON = datetime(2012, 3, 1, 12, 0, 0, 120, tzinfo=UTC)
LINES = st.binary(max_size=300).map(lambda data: data.replace(b"\n", b""))


def unframe(body: bytes) -> list[bytes]:
    """Frames of a body, by their counts alone."""
    frames = []
    while body:
        count, _, rest = body.partition(b" ")
        frames.append(rest[: int(count)])
        body = rest[int(count) :]
    return frames


def message(data: bytes) -> bytes:
    """What stands after the seven words of a frame's header, without the final newline."""
    assert data.endswith(b"\n")
    return data[:-1].split(b" ", 6)[6]


def test_a_frame_is_what_logplex_writes() -> None:
    assert (
        frame(NOON, "app", "web.1", b"State changed")
        == b"71 <190>1 2012-03-01T12:00:00.000120+00:00 host app web.1 - State changed\n"
    )


def test_the_time_is_written_in_utc_with_microseconds() -> None:
    in_tokyo = NOON.replace(microsecond=0).astimezone(timezone(timedelta(hours=9)))

    assert b" 2012-03-01T12:00:00.000000+00:00 " in frame(in_tokyo, "app", "web.1", b"")


def test_octets_are_counted_not_characters() -> None:
    short, long = (frame(NOON, "app", "web.1", text.encode()) for text in ("sushi", "寿司"))

    assert int(long.split()[0]) == int(short.split()[0]) + 1


@given(st.lists(LINES, max_size=5))
def test_any_line_comes_out_of_its_frame_as_it_went_in(lines: list[bytes]) -> None:
    body = b"".join(frame(NOON, "app", "web.1", line) for line in lines)

    assert [message(data) for data in unframe(body)] == lines


@pytest.mark.parametrize(("name", "value"), [("app", "app"), ("app", "a" * 48), ("proc", "run.1234")])
def test_a_header_field_is_printable_ascii(name: str, value: str) -> None:
    assert check_field(name, value) == value


@pytest.mark.parametrize("value", ["", "web 1", "web\n", "wéb", "a" * 129])
def test_what_would_break_the_header_is_refused(value: str) -> None:
    with pytest.raises(UsageError, match="proc") as caught:
        check_field("proc", value)

    assert caught.value.hint


def test_nothing_waits_in_an_empty_batcher() -> None:
    batcher = Batcher()

    assert batcher.wait_s(now_s=5.0) is None
    assert batcher.take() == []


def test_a_batch_waits_for_its_oldest_frame_only() -> None:
    batcher = Batcher(wait_s=0.25)
    batcher.add(b"one", now_s=10.0)
    batcher.add(b"two", now_s=10.2)

    assert batcher.wait_s(now_s=10.2) == pytest.approx(0.05)
    assert batcher.wait_s(now_s=10.3) == 0
    assert batcher.take() == [b"one", b"two"]


def test_a_batch_is_full_by_number() -> None:
    batcher = Batcher(lines_max=2)
    batcher.add(b"one", now_s=0.0)
    assert batcher.wait_s(now_s=0.0) != 0
    batcher.add(b"two", now_s=0.0)
    assert batcher.wait_s(now_s=0.0) == 0

    batcher.add(b"three", now_s=0.0)

    assert batcher.take() == [b"one", b"two"]
    assert len(batcher) == 1


def test_a_batch_is_full_by_size() -> None:
    batcher = Batcher(size_max_bytes=10)
    batcher.add(b"12345", now_s=0.0)
    assert batcher.wait_s(now_s=0.0) != 0
    batcher.add(b"67890", now_s=0.0)
    assert batcher.wait_s(now_s=0.0) == 0

    batcher.add(b"!", now_s=0.0)

    assert batcher.take() == [b"12345", b"67890"]
    assert batcher.size_bytes == 1


def test_a_frame_above_the_size_goes_alone() -> None:
    batcher = Batcher(size_max_bytes=10)
    for data in (b"small", b"x" * 50, b"small"):
        batcher.add(data, now_s=0.0)

    assert [batcher.take() for _ in range(3)] == [[b"small"], [b"x" * 50], [b"small"]]


@given(st.lists(st.binary(min_size=1, max_size=30)), st.integers(1, 5), st.integers(1, 60))
def test_batches_keep_every_frame_in_order(frames: list[bytes], lines_max: int, size_max: int) -> None:
    batcher = Batcher(lines_max=lines_max, size_max_bytes=size_max)
    for data in frames:
        batcher.add(data, now_s=0.0)

    batches = list(iter(batcher.take, []))

    assert [data for batch in batches for data in batch] == frames
    assert all(len(batch) <= lines_max for batch in batches)
    assert all(len(batch) == 1 or sum(map(len, batch)) <= size_max for batch in batches)
    assert batcher.size_bytes == 0


@given(st.lists(st.binary(max_size=40)))
def test_lines_do_not_depend_on_chunks(chunks: list[bytes]) -> None:
    splitter = LineSplitter(size_max_bytes=10_000)

    lines = [line for chunk in chunks for line in splitter.feed(chunk)] + splitter.rest()

    stream = b"".join(chunks)
    expected = stream.split(b"\n")
    assert lines == (expected if expected[-1] else expected[:-1])


def test_a_line_that_is_too_long_keeps_one_byte_more_than_it_may() -> None:
    splitter = LineSplitter(size_max_bytes=4)

    lines = splitter.feed(b"1234\n123") + splitter.feed(b"45678") + splitter.feed(b"90\nnext\n")

    assert lines == [b"1234", b"12345", b"next"]
