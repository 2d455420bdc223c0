import pytest

from logdrain.drain.lines import CONTINUED_MAX, LINE_SIZE_MAX_BYTES, assemble, continuations
from logdrain.drain.messages import PIECE_SIZE_BYTES
from logdrain.model.events import Delivery, Message, Origin, Split

DELIVERY = Delivery("shop", "B", "", None)
ORIGIN = Origin("shop", "app", "web.1", "")


def message(payload: bytes, *, ended: bool = True) -> Message:
    return Message(0, 190, 0, "host", "app", "web.1", payload, ended)


def split(raw: bytes, *continued_by: str, claimed_by: str = "") -> Split:
    return Split(b"\0" * 16, ORIGIN, 0, "A", 0, raw, continued_by, claimed_by)


@pytest.mark.parametrize(
    "payload", [b'{"level":"info"}', b'{"a":{"b":"}"}} ', b"plain", b'@[a.b] {"x":1}', b"[}"[:1]]
)
def test_lines_that_end_no_earlier_record_ask_for_none(payload: bytes) -> None:
    assert continuations([message(payload)], DELIVERY) == {}


@pytest.mark.parametrize("payload", [b'rest"}', b'{"b":1}}', b"}", b"\xa9 }", b"1}", b"[" * 9000 + b"}"])
def test_lines_that_may_end_one_do(payload: bytes) -> None:
    assert continuations([message(payload)], DELIVERY) == {ORIGIN: "B:0"}


def test_a_delivery_that_claimed_a_line_ends_that_one_when_it_comes_again() -> None:
    nearer = split(b'@[a.b] {"t":"')._replace(id=b"\1" * 16)
    claimed = split(b'@[a.b] {"t":"', "A2:0", claimed_by="B:0")._replace(time_ms=3000)
    done = assemble([message(b'x"}')], DELIVERY, [nearer, claimed])
    [join] = done.joins
    assert (join.split_id, join.by, join.raw, join.after) == (claimed.id, "B:0", None, 1)
    assert done.lines[0].text == b'@[a.b] {"t":"x"}'


def test_a_line_is_given_up_before_it_outgrows_its_document() -> None:
    names = [f"{number:05}" * 20 for number in range(100)]
    room = LINE_SIZE_MAX_BYTES - PIECE_SIZE_BYTES - sum(map(len, names))
    piece = message(b"x" * PIECE_SIZE_BYTES, ended=False)
    for size_bytes, is_broken in ((room, False), (room + 1, True)):
        waiting = split(b"@[a.b] ".ljust(size_bytes, b"x"), *names)
        done = assemble([piece], DELIVERY, [waiting])
        assert [line.broken for line in done.lines] == [True] * is_broken
        assert (done.joins[0].raw is None) is is_broken


def test_names_of_pieces_count_in_octets() -> None:
    names = ["\N{REPLACEMENT CHARACTER}" * 1000] * 100
    waiting = split(b"@[a.b] ".ljust(LINE_SIZE_MAX_BYTES - PIECE_SIZE_BYTES - 200_000, b"x"), *names)
    done = assemble([message(b"x" * PIECE_SIZE_BYTES, ended=False)], DELIVERY, [waiting])
    assert [line.broken for line in done.lines] == [True]


def test_of_a_thousand_processes_the_first_may_continue_lines() -> None:
    messages = [message(b"}")._replace(proc=f"web.{number}") for number in range(CONTINUED_MAX + 1)]
    found = continuations(messages, DELIVERY)
    assert [origin.proc for origin in found] == [each.proc for each in messages[:CONTINUED_MAX]]
