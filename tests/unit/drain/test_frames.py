import pytest
from hypothesis import given
from hypothesis import strategies as st

from logdrain.drain.frames import split_frames

HEAD = b"<190>1 2012-03-01T00:12:34.567890+00:00 host app web.1 - "
LOSS = (
    b"<172>1 2017-08-31T14:47:14+00:00 host heroku logplex - "
    b"Error L10 (output buffer overflow): 2 messages dropped since 2017-08-31T14:44:12+00:00."
)


def counted(message: bytes) -> bytes:
    return b"%d %s" % (len(message), message)


def frames_of(body: bytes) -> list[bytes]:
    return [frame.data for frame in split_frames(body) if not frame.junk]


def junk_of(body: bytes) -> list[bytes]:
    return [frame.data for frame in split_frames(body) if frame.junk]


def test_counted_frames_with_and_without_newline() -> None:
    messages = [HEAD + b"one\n", LOSS, HEAD + b"two\n", HEAD + b"three"]
    assert frames_of(b"".join(map(counted, messages))) == messages


def test_counts_are_octets_not_characters() -> None:
    messages = [HEAD + "170.221µs → 日本".encode() + b"\n", HEAD + b"next\n"]
    assert frames_of(b"".join(map(counted, messages))) == messages


def test_a_message_that_ends_in_a_digit_before_the_next_count() -> None:
    messages = [HEAD + b"took 12", HEAD + b"took 3", HEAD + b"end"]
    assert frames_of(b"".join(map(counted, messages))) == messages


def test_a_newline_that_was_not_counted_ends_its_frame() -> None:
    body = b"".join(counted(HEAD + text) + b"\n" for text in (b"one", b"two"))
    assert frames_of(body) == [HEAD + b"one\n", HEAD + b"two\n"]


def test_a_newline_that_was_counted_but_lost() -> None:
    message = HEAD + b"one"
    body = b"%d %s" % (len(message) + 1, message)
    assert frames_of(body + counted(HEAD + b"two\n")) == [message, HEAD + b"two\n"]
    assert not any(frame.resync for frame in split_frames(body))


@pytest.mark.parametrize("error", [-40, -7, 5, 30, 1_000_000])
def test_after_a_wrong_count_the_next_frame_is_found(error: int) -> None:
    first, second = HEAD + b"edited on the way, 12 times\n", HEAD + b"two\n"
    body = b"%d %s" % (max(1, len(first) + error), first) + counted(second)
    found = list(split_frames(body))
    assert [frame.data for frame in found] == [first, second]
    assert [frame.resync for frame in found] == [True, False]


def test_junk_between_frames_is_kept() -> None:
    body = b"5 junk\n" + counted(HEAD + b"one\n") + b"zomg bogus " + counted(HEAD + b"two\n") + b"tail"
    assert frames_of(body) == [HEAD + b"one\n", HEAD + b"two\n"]
    assert junk_of(body) == [b"5 junk", b"zomg bogus", b"tail"]


def test_wrong_counts_into_a_wide_space_take_no_longer_than_others() -> None:
    heads = b"".join(b"%d <1>1 x" % (1_000_000 + number) for number in range(2_000))
    assert len(list(split_frames(heads + b" " * 2_000_000))) == 1  # quadratic, this would take minutes


def test_empty_and_blank_bodies_have_no_frames() -> None:
    assert list(split_frames(b"")) == []
    assert list(split_frames(b" \r\n\t")) == []


def test_positions_count_frames_and_junk() -> None:
    found = list(split_frames(b"junk " + counted(HEAD + b"one\n") + counted(HEAD + b"two\n")))
    assert [frame.position for frame in found] == [0, 1, 2]


texts = st.binary(max_size=200).filter(lambda text: b"\n" not in text)


@given(st.lists(st.tuples(texts, st.booleans()), max_size=8))
def test_any_payload_survives_right_counts(lines: list[tuple[bytes, bool]]) -> None:
    # Without its newline a payload may end in space or digits that read as part of what follows:
    # that is for the other tests. The last one may.
    messages = [HEAD + text + b"\n" for text, _ in lines]
    assert frames_of(b"".join(map(counted, messages))) == messages


pieces = st.one_of(
    texts.map(lambda text: counted(HEAD + text + b"\n")),
    texts.map(lambda text: b"%d %s" % (len(text), HEAD + text)),
    st.binary(max_size=60),
    st.sampled_from([b"12 <1>1 ", b"99999999 <190>1 2012-", b"1 ", b"\n", b" 0 <1>1 2012-03-01T ", b"8"]),
)


@given(st.lists(pieces, max_size=10).map(b"".join))
def test_every_octet_is_in_a_frame_or_is_framing(body: bytes) -> None:
    rest = body
    for frame in split_frames(body):
        before, found, rest = rest.partition(frame.data)
        assert found == frame.data
        # What stands between is space and, before a frame, its count.
        assert before.strip() == b"" or (not frame.junk and before.strip().isdigit())
    assert rest.strip() == b""


@pytest.mark.parametrize("off", range(-30, 3))
def test_the_next_frame_is_found_wherever_the_hunt_looks_next(off: int) -> None:
    junk = b"x" * (256 * 1024 + off)
    body = junk + counted(HEAD + b"one\n")
    assert [len(frame.data) for frame in split_frames(body)] == [len(junk), len(HEAD) + 4]
