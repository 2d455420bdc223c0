from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from logdrain.drain.messages import PIECE_SIZE_BYTES
from logdrain.drain.reading import ParsedDelivery, parse, quarantine_body, read, unfinished
from logdrain.model.events import NEAR_MISSES_KEPT, Delivery, DropReason, LineKind, Split, SplitJoin, Table

TIME = "2012-03-01T00:12:34.567890+00:00"
TIME_MS = 1330560754567


def delivery(name: str = "one", drain: str = "shop") -> Delivery:
    return Delivery(drain, name, "d.token", None)


def frame(text: bytes, proc: str = "web.1", time: str = TIME, *, newline: bool = True) -> bytes:
    message = f"<190>1 {time} host app {proc} - ".encode() + text + b"\n" * newline
    return b"%d %s" % (len(message), message)


def reading_of(body: bytes, named: Delivery | None = None, waiting: Sequence[Split] = ()) -> ParsedDelivery:
    named = named or delivery()
    return read(parse(body, named), named, waiting)


def reasons(reading: ParsedDelivery) -> list[DropReason]:
    return [item.reason for item in reading.batch.quarantined]


def test_the_classic_lines() -> None:
    body = b"".join(
        [
            frame(b'@[production.register] {"uid":123}'),
            frame(b'@[production.pay] {"uid":123,"item_category":"categoryA","price":321321}'),
            frame(b"Started GET / for 127.0.0.1"),
        ]
    )
    found = reading_of(body)
    assert [(event.table, event.time_ms, event.record) for event in found.batch.events] == [
        (Table("production", "register"), TIME_MS, {"uid": 123}),
        (
            Table("production", "pay"),
            TIME_MS,
            {"uid": 123, "item_category": "categoryA", "price": 321321},
        ),
    ]
    assert found.batch.events[0].origin == ("shop", "app", "web.1", "d.token")
    assert found.kinds == {LineKind.EVENT: 2, LineKind.APP: 1}


def test_identical_lines_are_two_events_and_a_repeat_is_none() -> None:
    body = frame(b'@[production.pay] {"price":1}') * 2
    first, again = reading_of(body), reading_of(body)
    ids = [event.id for event in first.batch.events]
    assert len(set(ids)) == 2
    assert ids == [event.id for event in again.batch.events]
    assert set(ids).isdisjoint(event.id for event in reading_of(body, delivery("two")).batch.events)


def test_a_records_own_time_wins() -> None:
    event = reading_of(frame(b'@[a.b] {"time":1330560000.5,"x":1}')).batch.events[0]
    assert (event.time_ms, event.record) == (1330560000500, {"x": 1})


def test_a_time_that_is_none_is_kept_under_another_name() -> None:
    event = reading_of(frame(b'@[a.b] {"time":"12ms","time_":1,"_id":"x"}')).batch.events[0]
    assert (event.time_ms, event.record) == (TIME_MS, {"time__": "12ms", "time_": 1, "_id_": "x"})


def test_a_local_time_is_counted() -> None:
    times = [
        b'{"time":"2012-03-01 00:00:00"}',
        b'{"time":"2012-03-01 00:00:00 UTC"}',
        b'{"time":"12ms"}',
        b"{}",
    ]
    found = reading_of(b"".join(frame(b"@[a.b] " + record) for record in times))
    assert [event.has_time_without_zone for event in found.batch.events] == [True, False, False, False]
    assert found.times_without_zone == 1
    assert found.batch.events[0][2:4] == (TIME_MS, {"time_": "2012-03-01 00:00:00"})


def test_near_misses_are_kept_up_to_a_bound() -> None:
    misses = [b'sent %d @[a.b] {"x":1}' % number for number in range(NEAR_MISSES_KEPT + 1)]
    found = reading_of(b"".join(map(frame, misses)) + frame(b'INFO:root:@[a.b] {"x":1}'))
    assert found.kinds == {LineKind.NEAR_MISS: NEAR_MISSES_KEPT + 1, LineKind.EVENT: 1}
    assert [miss.raw for miss in found.near_misses] == misses[1:]
    assert found.near_misses[0].time_ms == TIME_MS


def test_without_any_time_there_is_no_event() -> None:
    found = reading_of(frame(b'@[a.b] {"x":1}', time="-") + frame(b'@[a.b] {"time":5}', time="-"))
    assert reasons(found) == [DropReason.NO_TIME]
    assert [event.time_ms for event in found.batch.events] == [5000]


def test_one_poisoned_line_leaves_its_neighbours_alone() -> None:
    lines = [
        b'@[a.b] {"x":1}',
        b"@[a.b] {oops}",
        b'@[nodot] {"x":1}',
        b"@[a.b] [1]",
        b'@[a.b] {"x":2}',
        b"@[friend] hello",
    ]
    found = reading_of(b"".join(map(frame, lines)))
    assert [event.record for event in found.batch.events] == [{"x": 1}, {"x": 2}]
    assert reasons(found) == [DropReason.BAD_JSON, DropReason.BAD_TAG, DropReason.NOT_AN_OBJECT]
    assert found.batch.quarantined[0].raw == b"@[a.b] {oops}"
    assert found.kinds == {LineKind.EVENT: 2, LineKind.REJECTED: 3, LineKind.APP: 1}


def test_only_application_lines_are_events() -> None:
    message = f'<134>1 {TIME} host heroku router - @[a.b] {{"x":1}}\n'.encode()
    found = reading_of(b"%d %s" % (len(message), message))
    assert not found.batch.events
    assert found.kinds == {LineKind.PLATFORM: 1}


def test_losses_and_unreadable_frames_are_counted() -> None:
    loss = (
        b"<172>1 2017-08-31T14:47:14+00:00 host heroku logplex - Error L10 (x): 7 messages dropped since y."
    )
    parsed = parse(b"%d %s" % (len(loss), loss) + b"9 <1>1 oops" + b" junk", delivery())
    assert parsed.lost == {"L10": 7}
    assert parsed.kinds == {LineKind.LOSS: 1, LineKind.UNREADABLE: 1}
    assert [item.reason for item in parsed.batch.quarantined] == [DropReason.BAD_HEADER]


def test_a_body_that_cannot_be_decoded_is_kept_whole() -> None:
    batch = quarantine_body(b"\x1f\x8bjunk", delivery(), DropReason.BAD_ENCODING, "no gzip")
    assert [(item.reason, item.raw) for item in batch.quarantined] == [
        (DropReason.BAD_ENCODING, b"\x1f\x8bjunk")
    ]


LONG = b'@[a.b] {"texts":"' + "é".encode() * 12_000 + b'"}'
PIECES = [LONG[at : at + PIECE_SIZE_BYTES] for at in range(0, len(LONG), PIECE_SIZE_BYTES)]
RECORD = {"texts": "é" * 12_000}


def piece(at: int, proc: str = "web.1") -> bytes:
    return frame(PIECES[at], proc, newline=at == len(PIECES) - 1)


def test_the_sample_is_cut_inside_a_character() -> None:
    assert len(PIECES) == 3
    assert PIECES[1][:1] == "é".encode()[1:]


def test_a_cut_line_is_put_together_among_other_processes() -> None:
    body = piece(0) + frame(b'@[a.b] {"x":1}', "web.2") + piece(1) + frame(b"plain}", "web.3") + piece(2)
    found = reading_of(body)
    assert [event.record for event in found.batch.events] == [{"x": 1}, RECORD]
    assert found.kinds == {LineKind.EVENT: 2, LineKind.APP: 1, LineKind.PIECE: 2}
    assert not found.batch.splits


def test_a_cut_line_that_another_line_follows_is_broken() -> None:
    found = reading_of(piece(0) + frame(b'@[a.b] {"x":1}'))
    assert reasons(found) == [DropReason.SPLIT]
    assert found.batch.quarantined[0].raw == PIECES[0]
    assert found.kinds == {LineKind.EVENT: 1, LineKind.PIECE: 1}


def test_pieces_far_apart_in_time_do_not_join() -> None:
    found = reading_of(piece(0) + frame(PIECES[1], time="2012-03-01T00:12:40.567890+00:00"))
    assert reasons(found) == [DropReason.SPLIT]


def test_a_long_line_without_a_tag_is_no_event() -> None:
    text = b"x" * PIECE_SIZE_BYTES
    body = frame(text, newline=False) + frame(b'@[a.b] {"x":1}', "web.2") + frame(b'rest @[a.b] {"x":1}')
    assert reading_of(body).kinds == {LineKind.PIECE: 1, LineKind.EVENT: 1, LineKind.NEAR_MISS: 1}
    assert reading_of(frame(text, newline=False)).batch.is_empty


def test_the_rest_may_come_in_later_deliveries() -> None:
    first = reading_of(piece(0), delivery("A"))
    [split] = first.batch.splits
    assert (split.delivery_id, split.position, split.raw) == ("A", 0, PIECES[0])

    middle = piece(1)
    parsed = parse(middle, delivery("B"))
    assert unfinished(parsed, delivery("B")) == {split.origin: "B:0"}
    grown = reading_of(middle, delivery("B"), [split])
    assert grown.batch.joins == [SplitJoin(split.id, "B:0", PIECES[0] + PIECES[1], 0)]
    assert not grown.batch.splits

    waiting = split._replace(raw=PIECES[0] + PIECES[1], continued_by=("B:0",))
    last = piece(2) + frame(b'@[a.b] {"x":1}')
    done = reading_of(last, delivery("C"), [waiting])
    assert [event.record for event in done.batch.events] == [RECORD, {"x": 1}]
    assert done.batch.joins == [SplitJoin(split.id, "C:0", None, 1)]
    whole = reading_of(piece(0) + piece(1) + piece(2), delivery("A"))
    assert done.batch.events[0].id == whole.batch.events[0].id

    over = waiting._replace(raw=b"", continued_by=("B:0", "C:0"))
    again = reading_of(last, delivery("C"), [over])
    assert [event.record for event in again.batch.events] == [{"x": 1}]
    assert not again.batch.joins
    assert again.kinds == {LineKind.PIECE: 1, LineKind.EVENT: 1}
    assert reading_of(middle, delivery("B"), [over]).batch.is_empty


def later(body: bytes, seconds: int) -> bytes:
    return body.replace(TIME.encode(), f"2012-03-01T00:12:{34 + seconds}.567890+00:00".encode())


def test_a_line_whose_rest_was_lost_does_not_take_that_of_another() -> None:
    [lost] = reading_of(piece(0), delivery("A")).batch.splits
    for seconds in (2, 10):
        [split] = reading_of(later(piece(0), seconds), delivery("B")).batch.splits
        rest = later(piece(1) + piece(2), seconds)
        found = reading_of(rest, delivery("C"), [lost, split])
        assert [event.record for event in found.batch.events] == [RECORD]
        assert found.batch.joins == [SplitJoin(split.id, "C:0", None, 0)]


def test_a_line_that_cannot_be_the_rest_leaves_a_waiting_one_alone() -> None:
    [split] = reading_of(piece(0), delivery("A")).batch.splits
    other = frame(b'@[a.b] {"x":1}')
    found = reading_of(other, delivery("B"), [split])
    assert [event.record for event in found.batch.events] == [{"x": 1}]
    assert not found.batch.joins
    assert unfinished(parse(other, delivery("B")), delivery("B")) == {}


lines = st.one_of(
    st.sampled_from(
        [b'@[a.b] {"x":1}', b"@[a.b] {oops", b"plain", b"x" * PIECE_SIZE_BYTES, PIECES[0], PIECES[1]]
    ),
    st.binary(max_size=50).map(lambda text: text.replace(b"\n", b"")),
)
bodies = st.lists(
    st.builds(frame, lines, st.sampled_from(["web.1", "router"]), newline=st.booleans()), max_size=8
)


@given(bodies.map(b"".join), st.binary(max_size=20))
def test_every_frame_has_one_kind_and_the_same_ids_every_time(body: bytes, junk: bytes) -> None:
    body += junk
    parsed = parse(body, delivery())
    first, again = reading_of(body), reading_of(body)
    assert sum(first.kinds.values()) == parsed.frames
    assert first == again
    batch = first.batch
    ids = [event.id for event in batch.events] + [item.id for item in batch.quarantined]
    assert len(set(ids)) == len(ids)
