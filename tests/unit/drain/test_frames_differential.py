"""The fast readers against slow and obvious ones."""

from hypothesis import given
from hypothesis import strategies as st

from logdrain.drain.frames import split_frames
from logdrain.drain.loggers import may_start_event
from logdrain.drain.messages import PIECE_SIZE_BYTES, read_message
from logdrain.drain.reading import parse, read
from logdrain.model.events import Delivery, DropReason, Message
from tests.fuzz.bodies import mutated, samples
from tests.fuzz.frames_slowly import split_frames_slowly
from tests.fuzz.lines_slowly import put_together_slowly

DELIVERY = Delivery("shop", "one", "", None)

# Crumbs that a boundary is made of: random octets alone would hardly ever make one.
crumbs = st.one_of(
    st.sampled_from(
        [b"<190>1 2012-", b"<1>1 ", b"<1>", b"1", b"12 ", b"8", b"123456789", b" ", b"\n", b"\x0b", b"x"]
    ),
    st.sampled_from(
        [b"13 <1>1 2012- x", b"14 <1>1 2012- x\n", b"9 <1>1 2012- y", b"40 <1>1 2012-03 1", b" " * 63]
    ),
    st.integers(0, 60).map(lambda count: b"%d <190>1 2012-03-01T " % count),
    st.binary(max_size=8),
)


@given(st.lists(crumbs, max_size=20).map(b"".join))
def test_both_frame_readers_agree_on_crumbs(body: bytes) -> None:
    assert list(split_frames(body)) == split_frames_slowly(body)


@given(st.integers(0, 2**32))
def test_both_frame_readers_agree_on_mutated_bodies(seed: int) -> None:
    for sent in mutated(seed, 3, samples()):
        assert list(split_frames(sent.body)) == split_frames_slowly(sent.body)


def _frame(text: bytes, proc: str, second: int, structured_data: bytes, *, newline: bool) -> bytes:
    head = f"<190>1 2012-03-01T00:12:{second:02}+00:00 host app {proc} - ".encode()
    message = head + structured_data + text + b"\n" * newline
    return b"%d %s" % (len(message), message)


frames = st.builds(
    _frame,
    st.sampled_from(
        [
            b'@[a.b] {"text":"'.ljust(PIECE_SIZE_BYTES, b"x"),
            b"x" * PIECE_SIZE_BYTES,
            b'x"}',
            b"plain",
            b"- keep".ljust(PIECE_SIZE_BYTES, b"x"),
            b'@[a.b] {"x":1}',
        ]
    ),
    st.sampled_from(["web.1", "web.2"]),
    st.sampled_from([10, 13, 15, 17, 40]),
    st.sampled_from([b"", b"", b"- ", b'[meta sequenceId="7"][x y="\\]"] ']),
    newline=st.booleans(),
)


@given(st.lists(frames, max_size=8).map(b"".join))
def test_cut_lines_are_put_together_as_a_slow_reader_does(body: bytes) -> None:
    parsed = parse(body, DELIVERY)
    batch = read(parsed, DELIVERY, []).batch
    messages = [message for frame in split_frames(body) if (message := read_message(frame))]
    slow = put_together_slowly(messages)
    tagged = [text for _, text in slow.whole if may_start_event(text)]
    broken = [text for _, text in slow.broken if may_start_event(text)]
    lines = [item.raw for item in batch.quarantined if item.reason is DropReason.SPLIT]
    others = [item.raw for item in batch.quarantined if item.reason is not DropReason.SPLIT]
    assert sorted([event.raw for event in batch.events] + others) == sorted(tagged)
    assert sorted(lines) == sorted(broken)
    assert sorted((split.position, split.raw) for split in batch.splits) == slow.open
    assert _pieces(messages, body) == slow.pieces


def _pieces(messages: list[Message], body: bytes) -> int:
    kinds = read(parse(body, DELIVERY), DELIVERY, []).kinds
    assert sum(kinds.values()) == len(messages)
    return kinds["piece"]  # type: ignore[index]  # LineKind is its text
