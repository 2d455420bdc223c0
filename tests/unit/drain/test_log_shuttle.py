"""log-shuttle's bytes, as its LogplexBatchFormatter writes them: every line comes back octet by octet."""

import json
from collections.abc import Iterable, Sequence

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from logdrain.drain.messages import PIECE_SIZE_BYTES
from logdrain.drain.reading import ParsedDelivery, parse, read, unfinished
from logdrain.model.events import Delivery, Event, LineKind, Split

TIME = "2026-07-01T12:00:00.000000+00:00"
# What stands between PROCID and the text: log-shuttle by default, with -msgid -, and a relay.
SHUTTLE, LOGPLEX, RELAY = "- - ", "- ", r'- [meta sequenceId="7" note="a\]b"][x y="1"] '


def frames(line: bytes, before: str, piece: int = PIECE_SIZE_BYTES) -> list[bytes]:
    """A line with its newline as frames; the newline may be a piece of its own."""
    head = f"<190>1 {TIME} shuttle token shuttle {before}".encode()
    pieces = [line[at : at + piece] for at in range(0, len(line), piece)]
    return [b"%d %s%s" % (len(head) + len(each), head, each) for each in pieces]


def tagged(number: int, text: str) -> bytes:
    record = json.dumps({"n": number, "text": text}, ensure_ascii=False)
    return f"@[a.b] {record}\n".encode()


def texts(bodies: Iterable[bytes]) -> list[bytes]:
    """The texts of all events, of deliveries that come one after the other."""
    return [event.raw for event in events(bodies)]


def events(bodies: Iterable[bytes]) -> list[Event]:
    """The events of deliveries that come one after the other, as the store keeps open lines between them."""
    found: list[Event] = []
    waiting: dict[bytes, Split] = {}
    for number, body in enumerate(bodies):
        done = read_delivery(body, f"D{number}", list(waiting.values()))
        found += done.batch.events
        assert not done.batch.quarantined
        for join in done.batch.joins:
            split = waiting.pop(join.split_id)
            if join.raw is not None:
                waiting[split.id] = split._replace(raw=join.raw, continued_by=(*split.continued_by, join.by))
        waiting |= {split.id: split for split in done.batch.splits}
    assert not waiting
    return found


def read_delivery(body: bytes, name: str, waiting: Sequence[Split]) -> ParsedDelivery:
    delivery = Delivery("shop", name, "", None)
    parsed = parse(body, delivery)
    origins = unfinished(parsed, delivery)
    return read(parsed, delivery, [split for split in waiting if split.origin in origins])


SIZES = (100, 9_982, 9_983, 9_984, 15_000, 25_000, 29_983, 100_000)


@pytest.mark.parametrize("before", [SHUTTLE, LOGPLEX, RELAY])
@pytest.mark.parametrize("is_one_delivery", [True, False])
def test_lines_of_all_sizes_come_back(before: str, is_one_delivery: bool) -> None:  # noqa: FBT001  # a parameter
    lines = [tagged(number, "é" * (size // 2) + "- keep") for number, size in enumerate(SIZES)]
    sent = [frame for line in lines for frame in frames(line, before)]
    assert texts([b"".join(sent)] if is_one_delivery else sent) == [line[:-1] for line in lines]


# Texts that go on, behind a cut, as something else begins.
crumbs = st.sampled_from(
    ["- ", "- - ", "[x] ", "[x y=1] ", "- keep", "@[", "}", " ", "é", "x" * 40, "\\]", "]"]
)


@given(
    rests=st.lists(st.lists(crumbs, max_size=40).map("".join), min_size=1, max_size=3),
    before=st.sampled_from([SHUTTLE, LOGPLEX, RELAY]),
    size=st.integers(PIECE_SIZE_BYTES - 60, PIECE_SIZE_BYTES),
    is_one_delivery=st.booleans(),
)
@example(rests=["- - keep"], before=LOGPLEX, size=PIECE_SIZE_BYTES, is_one_delivery=False)
@example(rests=["- - keep"], before=SHUTTLE, size=PIECE_SIZE_BYTES, is_one_delivery=False)
@example(rests=["[x] [y] keep"], before=RELAY, size=PIECE_SIZE_BYTES, is_one_delivery=True)
def test_what_a_piece_begins_with_is_text(
    rests: list[str],
    *,
    before: str,
    size: int,
    is_one_delivery: bool,
) -> None:
    start = '@[a.b] {"n":0, "text": "'
    lines = [tagged(0, "x" * (size - len(start)) + rest) for rest in rests]
    sent = [frames(line, before) for line in lines]
    cut = [each[PIECE_SIZE_BYTES:] for each in lines if len(each) > PIECE_SIZE_BYTES]
    if any(rest.lstrip().startswith(b"@[") or b"}" not in rest for rest in cut):
        return  # a rest that begins a line, or ends none, is taken for a line of its own
    bodies = (
        [b"".join(map(b"".join, sent))] if is_one_delivery else [frame for each in sent for frame in each]
    )
    assert texts(bodies) == [line[:-1] for line in lines]


@pytest.mark.parametrize("before", [SHUTTLE, LOGPLEX])
def test_long_lines_of_loggers_come_back_from_two_deliveries(before: str) -> None:
    line = tagged(0, "é" * 8_000)
    log = json.dumps({"level": 30, "msg": line[:-1].decode()}).encode() + b"\n"
    colourful = b"\x1b[32m@[a.b]\x1b[0m " + line[7:-1] + b"\x1b[0m\n"
    for printed in (b"INFO:root:" + line, b"[d1a8] [pay] " + line, b"\xef\xbb\xbf" + line, log, colourful):
        [event] = events(frames(printed, before))
        assert event.record == {"n": 0, "text": "é" * 8_000}


def test_lines_without_a_tag_leave_those_beside_them_alone() -> None:
    plain = [b"- - plain\n", b"x" * 25_000 + b"\n", b'{"level":"info"}\n', b"[x] y\n"]
    sent = [frame for line in plain for frame in frames(line, SHUTTLE)]
    found = read_delivery(b"".join([*sent, *frames(tagged(1, "é"), SHUTTLE)]), "one", [])
    assert found.kinds == {LineKind.APP: 4, LineKind.PIECE: 2, LineKind.EVENT: 1}
