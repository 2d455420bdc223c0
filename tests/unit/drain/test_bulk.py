"""The road for many frames at once against the careful one: whatever a body holds, both say the same."""

import json
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import fields
from functools import partial
from typing import Any

import bson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from logdrain.drain.bulk import parse_in_bulk
from logdrain.drain.messages import PIECE_SIZE_BYTES
from logdrain.drain.reading import ParsedDelivery, parse, read, unfinished
from logdrain.events.write.encoding import encode_events
from logdrain.model.events import Delivery, LineKind, Origin, Split
from tests.fuzz.bodies import mutated, samples

DELIVERY = Delivery("shop", "one", "d.token", 2)
KEYS_MAX = 10_000
WAITING = [
    Split(bytes(15) + bytes([at]), Origin("shop", "app", proc, "d.token"), 1330560754567, "zero", at, raw, ())
    for at, (proc, raw) in enumerate([("web.1", b'@[a.b] {"x":"'), ("web.2", b'@[a.b] {"y":"')])
]
TIME = "2012-03-01T00:12:34.567890+00:00"

Parse = Callable[[bytes, Delivery], ParsedDelivery]


def in_bulk(body: bytes, delivery: Delivery, keys_max: int = KEYS_MAX) -> ParsedDelivery:
    return parse_in_bulk(body, delivery, keys_max)


def found_by(
    road: Parse, body: bytes, waiting: Sequence[Split] = (), keys_max: int = KEYS_MAX
) -> dict[str, Any]:
    """All that a road finds in a body, in an order of its own."""
    parsed = road(body, DELIVERY)
    found: dict[str, Any] = {"continued": unfinished(parsed, DELIVERY)}
    read(parsed, DELIVERY, [split for split in waiting if split.origin in found["continued"]])
    encoded = encode_events(parsed.batch.events, keys_max, parsed.batch.documents)
    for name, table in encoded.tables.items():
        found[f"table {name}"] = (
            sorted(zip(table.documents, table.raws, strict=True)),
            table.hours,
            table.shapes.keys(),
        )
    found["quarantined"] = sorted([*parsed.batch.quarantined, *encoded.quarantined])
    found["splits"], found["joins"] = parsed.batch.splits, parsed.batch.joins
    for part in fields(parsed):
        if part.name not in ("batch", "messages", "begun"):
            found[part.name] = getattr(parsed, part.name)
    return found


def assert_same(body: bytes, waiting: Sequence[Split] = ()) -> None:
    assert found_by(in_bulk, body, waiting) == found_by(parse, body, waiting)


def counted(message: bytes) -> bytes:
    return b"%d %b" % (len(message), message)


def frame(
    text: str, *, time: str = TIME, sender: str = "host app web.1 -", priority: str = "<190>1"
) -> bytes:
    return counted(f"{priority} {time} {sender} {text}\n".encode())


def events_in_bulk(body: bytes) -> int:
    return sum(len(table.documents) for table in in_bulk(body, DELIVERY).batch.documents.values())


CLEAN = [
    '@[a.b] {"n":1}',
    '@[A.b-c] {"time":1330560000,"deep":{"list":[1,2.5,"x",null,{"a":true}]}}',
    '@[a.b] {"time":1330560000.25,"\u65e5":"\u672c"}',
    '@[a.b] {"time":"2012-03-01T09:12:34.5Z"}',
    '@[a.b] {"n":9223372036854775807} \t',
    "@[a.b] {}",
]


@pytest.mark.parametrize("text", CLEAN)
def test_whole_tagged_lines_are_read_in_bulk(text: str) -> None:
    body = frame(text) * 2
    assert events_in_bulk(body) == 2
    assert_same(body)


@pytest.mark.parametrize(
    "text",
    [
        '@[a.b] {"n":9223372036854775808}',
        '@[a.b] {"_id":1}',
        '@[a.b] {"_time":1}',
        '@[a.b] {"time":true}',
        '@[a.b] {"time":-1}',
        '@[a.b] {"time":"2012-03-01T09:12:34"}',
        '@[a.b] {"time":"2012-03-01T09:12:34+09:00"}',
        '@[a.b] {"\\u0000":1}',
        '@[a.b] {"a":"\\ud800"}',
        '@[a.b] {"n":NaN}',
        '@[a.b] {"n":1',
        "@[a.b] [1]",
        '@[a.b] {"a":1}{"b":2}',
        "@[a.b] " + '{"a":' * 34 + "1" + "}" * 34,
        "@[a.b] " + '{"a":' * 101 + "1" + "}" * 101,
        "@[a b] {}",
        "@[ab] {}",
        "@[a\x1b[31m.b] {}",
        "@[a\u00e4.b] {}",
        "@[a.] {}",
        "@[system.a] {}",
        "@[" + "a" * 200 + ".b] {}",
        "@[a.b]{}",
        "- @[a.b] {}",
        '[x@1 y="z"] @[a.b] {}',
        " @[a.b] {}",
        "plain",
        "plain with an @[a.b] {} inside",
        "",
    ],
)
def test_anything_else_is_looked_at_carefully(text: str) -> None:
    body = frame(text) * 2
    assert events_in_bulk(body) == 0
    assert_same(body)
    assert_same(frame(CLEAN[0]) + body + frame(CLEAN[1]))


@pytest.mark.parametrize(
    "header",
    [
        {"time": "yesterday"},
        {"time": "2012-03-01T00:12:34"},
        {"time": "1912-03-01T00:12:34+00:00"},
        {"time": "2012-03-01T24:00:00.500000+00:00"},
        {"time": "20120301T001234.123.456789+00:00"},
        {"time": ""},
        {"time": "2012-03-01T00:12:34\t+00:00"},
        {"sender": "host app web.1"},
        {"sender": "host  web.1 -"},
        {"sender": "host app web.1 -\n"},
        {"sender": "host app web\x0b1 -"},
        {"sender": "host app web.1 - -"},
        {"sender": "heroku app web.1 -"},
        {"sender": "host heroku router -"},
        {"sender": "host app postgres.7 -"},
        {"priority": "<1900>1"},
        {"priority": "<190>"},
        {"priority": "190>1"},
    ],
)
def test_headers_that_are_not_plain(header: dict[str, str]) -> None:
    body = frame(CLEAN[0], **header) * 2
    assert events_in_bulk(body) == 0
    assert_same(body)


def test_header_times_in_other_forms_are_read() -> None:
    for time in ("2012-03-01T00:12:34+00:00", "2012-03-01T00:12:34.5+09:00", "2012-03-01T00:12:34Z"):
        body = frame(CLEAN[0], time=time)
        assert events_in_bulk(body) == 1
        assert_same(body)


@pytest.mark.parametrize("more", [b"\n", b" ", b" \n", b"x", b"junk <1>1 2012-", b"12"])
def test_what_stands_between_frames(more: bytes) -> None:
    one = frame(CLEAN[0])
    for body in (one + more + one, one + more, more + one, one + one + more + one):
        assert_same(body)
    assert_same(one[:-1])
    assert_same(one[:-1] + one)
    assert_same(b"0" + one + b"000000" + one)


def test_a_wrong_count_does_not_carry_over() -> None:
    one, message = frame(CLEAN[0]), frame(CLEAN[0]).partition(b" ")[2]
    for count in (0, 1, len(message) - 1, len(message) + 1, len(message) + len(one), 99_999_999):
        assert_same(one + b"%d " % count + message + one)


def test_lines_that_were_cut_before_are_ended_or_broken_off() -> None:
    cut = counted(
        f"<190>1 {TIME} host app web.1 - ".encode() + b'@[a.b] {"x":"'.ljust(PIECE_SIZE_BYTES, b"x")
    )
    end, tagged, other = frame('x"}'), frame(CLEAN[0]), frame(CLEAN[0], sender="host app web.2 -")
    middle = counted(f"<190>1 {TIME} host app web.1 - ".encode() + b"x" * PIECE_SIZE_BYTES)
    for body in (
        cut + end + tagged,
        cut + tagged + end,
        tagged + cut + other + end + tagged,
        end + tagged + end,
        tagged + end + middle,
        tagged + middle + end,
        middle + other + end,
        frame("plain") + middle + tagged,
    ):
        assert_same(body)
        assert_same(body, WAITING)


@pytest.mark.parametrize(
    "text", ['{"n":9223372036854775808}', '{"a":', '{"time":null}', '{"\\u0000":1}', '{"_id":1}']
)
def test_odd_lines_among_very_many(text: str) -> None:
    clean, odd = [frame(each) for each in CLEAN], frame(f"@[a.b] {text}")
    body = b"".join(odd if number % 100 == 7 else clean[number % len(clean)] for number in range(1000))
    assert events_in_bulk(body) == 990
    assert_same(body)


def test_lines_that_are_only_counted() -> None:
    tagged, plain = frame(CLEAN[0]), frame("GET / 200")
    router = frame("at=info", sender="host heroku router -")
    loss = frame(
        "Error L10 (output buffer overflow): 7 messages dropped since x", sender="host heroku logplex -"
    )
    for body in (
        tagged + plain * 3,
        plain * 3,
        router * 3,
        loss + router + loss,
        tagged + frame("mail a@b.c"),
    ):
        assert_same(body)
    assert in_bulk(tagged + plain * 3, DELIVERY).kinds == Counter({LineKind.APP: 3, LineKind.EVENT: 1})
    assert not in_bulk(tagged + plain * 3, DELIVERY).messages


def test_a_record_that_may_have_too_many_keys_is_left_to_the_store() -> None:
    body = frame('@[a.b] {"a":1,"b":2,"c":3}')
    few = partial(in_bulk, keys_max=2)
    assert not few(body, DELIVERY).batch.documents
    assert found_by(few, body, keys_max=2) == found_by(parse, body, keys_max=2)


def test_a_document_is_id_time_origin_and_the_fields() -> None:
    [document] = in_bulk(frame(CLEAN[1]), DELIVERY).batch.documents["a.b_c"].documents
    decoded = bson.decode(document)
    assert list(decoded) == ["_id", "time", "_origin", "deep"]
    assert decoded["_origin"] == {"drain": "shop", "app": "app", "proc": "web.1", "token": "d.token"}


values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**65), 2**65)
    | st.floats(allow_nan=False)
    | st.text(max_size=5),
    lambda below: st.lists(below, max_size=3) | st.dictionaries(st.text(max_size=3), below, max_size=3),
    max_leaves=6,
)
times = st.integers(-1, 10**18) | st.floats(0, 1e12) | st.sampled_from(["2012-03-01T00:00:00Z", "noon", None])
records = st.fixed_dictionaries({}, optional={"time": times, "_id": values, "a": values, "n": st.integers()})
texts = st.builds(
    lambda tag, record, end: f"@[{tag}] {json.dumps(record)}{end}",
    st.sampled_from(["a.b", "a.c", "ab", "a.b.c"]),
    records,
    st.sampled_from(["", "", "", " ", "}", "\n"]),
)
frames = st.builds(
    lambda text, sender, time: frame(text, sender=sender, time=time),
    texts | st.sampled_from([*CLEAN, "plain", 'x"}', "Error L10 (x): 7 messages dropped", "mail a@b.c"]),
    st.sampled_from(["host app web.1 -", "host app web.2 -", "host heroku router -", "host app web.1 - -"]),
    st.sampled_from([TIME, "2012-03-01T00:12:34+00:00", "2012-03-01T01:12:34.5Z", "never"]),
)
cuts = st.builds(
    lambda text, proc: counted(
        f"<190>1 {TIME} host app {proc} - ".encode() + text.ljust(PIECE_SIZE_BYTES, b"x")
    ),
    st.sampled_from([b'@[a.b] {"x":"', b"x"]),
    st.sampled_from(["web.1", "web.2"]),
)
crumbs = st.sampled_from([b"\n", b" ", b"12", b"junk", b"12 <190>1 2012-"]) | st.binary(max_size=6)


@given(st.lists(frames | frames | frames | cuts | crumbs, max_size=12).map(b"".join))
def test_both_roads_agree_on_bodies_of_many_frames(body: bytes) -> None:
    assert_same(body)
    assert_same(body, WAITING)


@given(st.integers(0, 2**32))
def test_both_roads_agree_on_mutated_bodies(seed: int) -> None:
    for sent in mutated(seed, 5, samples()):
        assert_same(sent.body)
        assert_same(sent.body, WAITING)
