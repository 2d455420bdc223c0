from hypothesis import given
from hypothesis import strategies as st

from logdrain.drain.frames import split_frames
from logdrain.drain.messages import read_message
from logdrain.drain.reading import ParsedDelivery, parse
from logdrain.drain.unreadable import ENTRY_SIZE_MAX_BYTES
from logdrain.model.events import Delivery, DropReason, LineKind

DELIVERY = Delivery("shop", "one", "d.token", None)
PLAIN = b"<190>1 2012-03-01T00:12:34+00:00 host app web.1 - plain\n"


def parsed(*pieces: bytes) -> ParsedDelivery:
    return parse(b"".join(pieces), DELIVERY)


def framed(message: bytes) -> bytes:
    return b"%d %s" % (len(message), message)


def test_frames_without_a_header_share_an_entry_and_are_counted_each() -> None:
    found = parsed(b"6 <1>1 " * 1000)
    [entry] = found.batch.quarantined
    assert entry.raw == b"\n".join([b"6 <1>1 "] * 1000)
    assert entry.detail.endswith(" (1000 such pieces)")
    assert found.kinds == {LineKind.UNREADABLE: 1000}


def test_readable_frames_between_them_make_no_more_entries() -> None:
    found = parsed(*[framed(b"<1>1 oops\n"), b"junk\n", framed(PLAIN)] * 50)
    assert [(entry.reason, entry.raw) for entry in found.batch.quarantined] == [
        (DropReason.BAD_HEADER, b"10 <1>1 oops\n" * 50),
        (DropReason.JUNK, b"\n".join([b"junk"] * 50)),
    ]
    assert found.kinds == {LineKind.UNREADABLE: 50, LineKind.APP: 49}
    assert len({entry.id for entry in found.batch.quarantined}) == 2


def test_one_alone_is_kept_as_it_came() -> None:
    [entry] = parsed(framed(PLAIN), b"9 <1>1 oops").batch.quarantined
    assert (entry.raw, "pieces" in entry.detail) == (b"9 <1>1 oops", False)


def test_an_entry_ends_before_it_is_too_long() -> None:
    piece = framed(b"<1>1 " + b"x" * 400_000 + b"\n")
    found = parsed(piece * 5)
    assert [len(entry.raw) for entry in found.batch.quarantined] == [
        2 * len(piece),
        2 * len(piece),
        len(piece),
    ]
    assert b"".join(entry.raw for entry in found.batch.quarantined) == piece * 5
    assert found.batch.quarantined == parsed(piece * 5).batch.quarantined
    assert len({entry.id for entry in found.batch.quarantined}) == 3
    [large] = parsed(framed(b"<1>1 " + b"x" * 2 * ENTRY_SIZE_MAX_BYTES)).batch.quarantined
    assert len(large.raw) > 2 * ENTRY_SIZE_MAX_BYTES


@given(st.lists(st.sampled_from([b"5 <1>1", b"x", b"7 <1>1 \n", framed(PLAIN), b"1 <1>1 2012-"])))
def test_no_octet_of_theirs_is_lost(pieces: list[bytes]) -> None:
    unread = [frame for frame in split_frames(b"".join(pieces)) if frame.junk or read_message(frame) is None]
    expected = {
        DropReason.JUNK: [frame.data for frame in unread if frame.junk],
        DropReason.BAD_HEADER: [b"%s %s" % (frame.digits, frame.data) for frame in unread if not frame.junk],
    }
    found = parsed(*pieces).batch.quarantined
    assert len(found) <= 2
    assert {entry.reason: b"".join(entry.raw.split()) for entry in found} == {
        reason: b"".join(b"".join(octets).split()) for reason, octets in expected.items() if octets
    }


def test_lines_that_can_only_be_plain_are_counted_and_let_go() -> None:
    found = parsed(framed(PLAIN) * 100)
    assert len(found.messages) == 1  # the first of a process may end an earlier line
    assert found.kinds == {LineKind.APP: 99}
