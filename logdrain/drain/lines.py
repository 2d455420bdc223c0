"""Messages -> lines: pieces of a line that the sender cut are put together again.

Logplex cuts a line every 10,000 octets, inside a UTF-8 character if need be, with no mark but this:
the piece has exactly 10,000 octets and no newline. The rest follows from the same process, in the same
delivery or in a later one. log-shuttle does the same, and relays; they write structured data, or a dash for
none, before each piece: if the first piece of a line had it, it is taken from all of them.
"""

from collections.abc import Iterable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from typing import NamedTuple

import msgspec

from logdrain.drain.ids import make_id
from logdrain.drain.loggers import may_start_event
from logdrain.drain.messages import PIECE_SIZE_BYTES, without_structured_data
from logdrain.drain.tags import bare, has_tag_sign
from logdrain.model.events import Delivery, Message, Origin, Split, SplitJoin

# Pieces of one line have nearly the same timestamp; another line much later is another line.
_PIECE_GAP_MS = 5_000
# Of a delivery with more processes than that, the first ones may continue earlier lines.
CONTINUED_MAX = 1000
# A line is broken off before it is more than one document of 16 MiB holds, names of its pieces included.
LINE_SIZE_MAX_BYTES = 15 * 1024 * 1024


class Line(NamedTuple):
    """One line as the application printed it.

    Attributes:
        delivery_id: With `position` the place of its first piece, which names it.
        broken: The rest of it never came.
    """

    origin: Origin
    delivery_id: str
    position: int
    time_ms: int | None
    text: bytes
    broken: bool


@dataclass(slots=True)
class _Growing:
    """A line whose end has not come yet."""

    line: Line
    chunks: list[bytes]
    size_bytes: int
    is_structured: bool
    split_id: bytes | None = None  # it began in an earlier delivery
    continued_by: str = ""
    after: int = 0  # so many pieces had been added to it by then
    is_repeat: bool = False  # these pieces were joined when the delivery came first


@dataclass(slots=True)
class AssembledLines:
    """What a delivery's messages make: whole lines, lines still open, and joins with earlier deliveries."""

    lines: list[Line] = field(default_factory=list)
    splits: list[Split] = field(default_factory=list)
    joins: list[SplitJoin] = field(default_factory=list)
    pieces: int = 0


def _origin_of(message: Message, delivery: Delivery) -> Origin:
    """Who printed a message."""
    return Origin(delivery.drain, message.app, message.proc, delivery.token)


def _piece_name(delivery: Delivery, message: Message) -> str:
    """Names a continuing piece so that a repeated delivery is known again."""
    return f"{delivery.id}:{message.position}"


class LineFilter:
    """Tells the messages that matter from those that can only be plain lines.

    A plain line, one without `@`, matters where it is the first of its process (it may end a line of an
    earlier delivery) or comes behind a piece (it ends or breaks that one).

    Attributes:
        seen: Processes that had a message.
        open: Those whose last message was a piece of a line.
    """

    def __init__(self, delivery: Delivery) -> None:
        self._delivery = delivery
        self.seen: set[Origin] = set()
        self.open: set[Origin] = set()

    def takes(self, message: Message) -> bool:
        """Whether this message, the next one of its delivery, matters."""
        origin = _origin_of(message, self._delivery)
        matters = origin not in self.seen or origin in self.open or has_tag_sign(message.payload)
        self.seen.add(origin)
        if _is_cut(message.payload, message):
            self.open.add(origin)
            return True
        self.open.discard(origin)
        return matters


def _is_cut(text: bytes, message: Message) -> bool:
    """Whether more of a line follows this text of a message."""
    return len(text) == PIECE_SIZE_BYTES and not message.ended


def _text_of(message: Message, *, is_structured: bool) -> bytes:
    """The text of a message that continues a line, by what the first piece of that line looked like."""
    if not is_structured:
        return message.structured_data + message.payload
    return message.payload if message.structured_data else without_structured_data(message.payload)


def continuations(
    messages: Iterable[Message], delivery: Delivery, begun: AbstractSet[Origin] = frozenset()
) -> dict[Origin, str]:
    """Pieces that may continue a line of an earlier delivery: (origin -> name of the piece).

    Only the first message of a process can, and only if it could be the middle or the end of a record.
    Of more than CONTINUED_MAX processes, those that come first.

    Args:
        messages: In order.
        delivery: Where they came in.
        begun: Processes whose first message is not among these, and continues nothing.
    """
    seen = set(begun)
    found: dict[Origin, str] = {}
    for message in messages:
        origin = _origin_of(message, delivery)
        if origin in seen:
            continue
        seen.add(origin)
        payload = message.payload
        if not may_start_event(payload) and (_is_cut(payload, message) or _may_end_record(payload)):
            found[origin] = _piece_name(delivery, message)
            if len(found) == CONTINUED_MAX:
                break
    return found


def _may_end_record(payload: bytes) -> bool:
    """Whether a record that began earlier may end here.

    Not where the piece is whole JSON by itself: it opens every brace that it closes. Applications that log
    JSON without a tag print such lines all day.
    """
    text = bare(payload)
    if not text.endswith(b"}"):
        return False
    try:
        msgspec.json.decode(without_structured_data(text))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return True
    return False


def assemble(
    messages: Sequence[Message],
    delivery: Delivery,
    waiting: Sequence[Split],
    begun: AbstractSet[Origin] = frozenset(),
) -> AssembledLines:
    """Put the application's messages of one delivery together to lines.

    Args:
        messages: The application's messages in order.
        delivery: Where they came in.
        waiting: Open lines of earlier deliveries, of the origins that `continuations` named.
        begun: See `continuations`.
    """
    done = AssembledLines()
    growing: dict[Origin, _Growing] = {}
    starts = continuations(messages, delivery, begun) if waiting else {}
    for message in messages:
        origin = _origin_of(message, delivery)
        if (name := starts.get(origin)) and name == _piece_name(delivery, message):
            split = _beginning_of(message, name, [split for split in waiting if split.origin == origin])
            if split is not None:
                growing[origin] = _resume(split, name)
        current = growing.pop(origin, None)
        if current is not None and not _continues(current, message):
            _break_off(current, done)
            current = None
        if current is None:
            line = Line(origin, delivery.id, message.position, message.time_ms, message.payload, broken=False)
            if not _is_cut(message.payload, message):
                done.lines.append(line)
                continue
            current = _Growing(line, [], 0, is_structured=bool(message.structured_data))
        text = _text_of(message, is_structured=current.is_structured)
        current.chunks.append(text)
        current.size_bytes += len(text)
        if _is_cut(text, message):
            done.pieces += 1
            growing[origin] = current
        else:
            _finish(current, done)
    for current in growing.values():
        _keep_waiting(current, done)
    return done


def _beginning_of(message: Message, name: str, waiting: Sequence[Split]) -> Split | None:
    """The waiting line that this piece continues.

    The one that it continued when this delivery came first; else the one nearest in time, for the rest
    of another may have been lost on the way.
    """
    for split in waiting:
        if name in (split.claimed_by, *split.continued_by):
            return split
    fitting = [split for split in waiting if split.raw and _fits(split.time_ms, message)]
    return min(fitting, key=lambda split: abs((message.time_ms or 0) - (split.time_ms or 0)), default=None)


def _resume(split: Split, name: str) -> _Growing:
    line = Line(split.origin, split.delivery_id, split.position, split.time_ms, b"", broken=False)
    return _Growing(
        line,
        [split.raw],
        len(split.raw) + sum(len(each.encode("utf-8", "surrogatepass")) for each in split.continued_by),
        split.is_structured,
        split_id=split.id,
        continued_by=name,
        after=len(split.continued_by),
        is_repeat=name in split.continued_by,
    )


def _fits(time_ms: int | None, message: Message) -> bool:
    if time_ms is None or message.time_ms is None:
        return True
    return abs(message.time_ms - time_ms) <= _PIECE_GAP_MS


def _continues(current: _Growing, message: Message) -> bool:
    text = _text_of(message, is_structured=current.is_structured)
    return (
        not may_start_event(text)
        and _fits(current.line.time_ms, message)
        and current.size_bytes + len(text) <= LINE_SIZE_MAX_BYTES
    )


def _finish(current: _Growing, done: AssembledLines) -> None:
    if current.is_repeat:
        done.pieces += 1
        return
    _close(current, done)
    done.lines.append(current.line._replace(text=b"".join(current.chunks)))


def _break_off(current: _Growing, done: AssembledLines) -> None:
    if current.is_repeat:
        return
    _close(current, done)
    done.lines.append(current.line._replace(text=b"".join(current.chunks), broken=True))


def _close(current: _Growing, done: AssembledLines) -> None:
    if current.split_id is not None:
        done.joins.append(SplitJoin(current.split_id, current.continued_by, None, current.after))


def _keep_waiting(current: _Growing, done: AssembledLines) -> None:
    line, raw = current.line, b"".join(current.chunks)
    if current.is_repeat or not may_start_event(raw):
        return  # a long line without a tag is no event, whole or not
    if current.split_id is not None:
        done.joins.append(SplitJoin(current.split_id, current.continued_by, raw, current.after))
        return
    split_id = make_id(line.time_ms, line.origin.drain, line.delivery_id, line.position)
    done.splits.append(
        Split(
            split_id,
            line.origin,
            line.time_ms,
            line.delivery_id,
            line.position,
            raw,
            continued_by=(),
            is_structured=current.is_structured,
        )
    )
