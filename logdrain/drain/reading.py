"""The recipe of the drain: what is in a delivery's body.

parse    body      -> frames -> messages, and what is neither
(`ingest` asks the store for lines that earlier deliveries left open)
read     messages  -> lines -> events, quarantine, counts
"""

from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import dataclass, field

from logdrain.drain.frames import split_frames
from logdrain.drain.ids import make_id
from logdrain.drain.lines import Line, LineFilter, assemble, continuations
from logdrain.drain.loggers import may_start_event, read_logged
from logdrain.drain.messages import PIECE_SIZE_BYTES, kind_of, losses, read_message
from logdrain.drain.near_misses import Miss, find_miss
from logdrain.drain.records import free_name, read_record, rename_reserved
from logdrain.drain.tags import Rejection, bare, has_tag_sign, read_tagged, table_of
from logdrain.drain.times import is_local_time, record_time_ms
from logdrain.drain.unreadable import UnreadableFrames, quarantine_octets
from logdrain.model.events import (
    NEAR_MISSES_KEPT,
    Batch,
    Delivery,
    DropReason,
    Event,
    Frame,
    LineKind,
    Message,
    NearMiss,
    NearMissReason,
    Origin,
    Quarantined,
    Record,
    RejectedItem,
    Split,
    Table,
)


@dataclass(slots=True)
class ParsedDelivery:
    """What one or more deliveries hold.

    Attributes:
        batch: What to store.
        kinds: How many frames there were of each kind; every frame counts once.
        lost: Lines that senders say they dropped, by code (L10, L12, L13).
        frames: How many frames there were, whatever is in them.
        resynced: How many of them had a wrong count.
        miscounted: Deliveries whose Logplex-Msg-Count is not the number of frames found.
        near_misses: The latest lines that are nearly tagged lines.
        times_without_zone: Events whose record has a local time.
        messages: The application's messages, in order, until `read` makes lines of them.
        begun: Processes whose first message was read in bulk, and is not among these.
        rejected_items: Of a body of items, those that are no events.
    """

    batch: Batch = field(default_factory=Batch)
    kinds: Counter[LineKind] = field(default_factory=Counter)
    lost: Counter[str] = field(default_factory=Counter)
    frames: int = 0
    resynced: int = 0
    miscounted: int = 0
    near_misses: deque[NearMiss] = field(default_factory=lambda: deque(maxlen=NEAR_MISSES_KEPT))
    times_without_zone: int = 0
    messages: list[Message] = field(default_factory=list)
    begun: set[Origin] = field(default_factory=set)
    rejected_items: list[RejectedItem] = field(default_factory=list)

    def add(self, other: "ParsedDelivery") -> None:
        """Put what another delivery holds behind this."""
        self.batch.add(other.batch)
        self.kinds.update(other.kinds)
        self.lost.update(other.lost)
        self.frames += other.frames
        self.resynced += other.resynced
        self.miscounted += other.miscounted
        self.near_misses.extend(other.near_misses)
        self.times_without_zone += other.times_without_zone


def parse(body: bytes, delivery: Delivery) -> ParsedDelivery:
    """Cut a body into messages; junk and unreadable frames go to quarantine."""
    frames = FrameReader(delivery)
    for frame in split_frames(body):
        frames.take(frame)
    return frames.finish()


class FrameReader:
    """Takes the frames of one delivery, in order: what is in them is kept, counted or quarantined.

    Attributes:
        parsed: What they hold.
        line_filter: Which processes they are of.
    """

    def __init__(self, delivery: Delivery) -> None:
        self.parsed = ParsedDelivery()
        self.line_filter = LineFilter(delivery)
        self._delivery = delivery
        self._unreadable = UnreadableFrames(delivery)

    def take(self, frame: Frame) -> Message | None:
        """Look at the next frame or junk; returns what it says, where an application said it."""
        parsed = self.parsed
        if frame.junk:
            self._unreadable.add(frame)
            return None
        parsed.frames += 1
        parsed.resynced += frame.resync
        message = read_message(frame)
        if message is None:
            self._unreadable.add(frame)
            parsed.kinds[LineKind.UNREADABLE] += 1
            return None
        kind = kind_of(message)
        if kind is LineKind.APP and self.line_filter.takes(message):
            parsed.messages.append(message)
            return message
        parsed.kinds[kind] += 1
        if kind is LineKind.LOSS and (loss := losses(message)):
            code, lines = loss
            parsed.lost[code] += lines
        return message if kind is LineKind.APP else None

    def finish(self) -> ParsedDelivery:
        """All of them were taken."""
        self.parsed.batch.quarantined.extend(self._unreadable.entries())
        self.parsed.miscounted = int(self._delivery.message_count not in (None, self.parsed.frames))
        return self.parsed


def unfinished(parsed: ParsedDelivery, delivery: Delivery) -> dict[Origin, str]:
    """The origins whose first message may continue a line of an earlier delivery, and that piece's name."""
    return continuations(parsed.messages, delivery, parsed.begun)


def read(parsed: ParsedDelivery, delivery: Delivery, waiting: Sequence[Split]) -> ParsedDelivery:
    """Turn the messages of a body into events; returns `parsed`, whose messages are gone.

    Args:
        parsed: What `parse` gave.
        delivery: Where it came in.
        waiting: What the store knows about the origins that `unfinished` named.
    """
    assembled = assemble(parsed.messages, delivery, waiting, parsed.begun)
    parsed.messages.clear()
    batch, kinds = parsed.batch, parsed.kinds
    batch.splits.extend(assembled.splits)
    batch.joins.extend(assembled.joins)
    kinds[LineKind.PIECE] += assembled.pieces
    for line in assembled.lines:
        outcome = to_event(line)
        if outcome is None:
            kind = LineKind.APP
        elif isinstance(outcome, Event):
            batch.events.append(outcome)
            parsed.times_without_zone += outcome.has_time_without_zone
            kind = LineKind.EVENT
        elif isinstance(outcome, NearMiss):
            parsed.near_misses.append(outcome)
            kind = LineKind.NEAR_MISS
        else:
            batch.quarantined.append(outcome)
            kind = LineKind.REJECTED
        # A line that broke off was counted when its pieces were.
        kinds[kind] += not line.broken
    parsed.kinds = +kinds
    return parsed


def to_event(line: Line) -> Event | Quarantined | NearMiss | None:
    """A line -> its event, its quarantine entry, what kept it from being an event; None for a plain line."""
    if line.broken:
        rejection = Rejection(DropReason.SPLIT, "the sender cut this line, the rest did not come")
        return _quarantine_line(line, rejection) if may_start_event(line.text) else None
    text = bare(line.text)
    direct = read_tagged(text)
    if direct is None and not has_tag_sign(text):
        return None
    tagged = direct or read_logged(text)
    record = read_record(tagged.text) if tagged else None
    if tagged is None or record is None:
        return _near_miss(line, find_miss(text[text.find(b"@[") :] if tagged else text))
    table = table_of(tagged.tag)
    reject = _quarantine_line if direct else _not_whole
    if isinstance(record, Rejection):
        return reject(line, record)
    return reject(line, table) if isinstance(table, Rejection) else _make_event(line, table, record)


def _make_event(line: Line, table: Table, record: Record) -> Event | Quarantined:
    time_ms, fields, is_local = _take_time(record, line.time_ms)
    if time_ms is None:
        detail = "neither the record's time nor the frame's timestamp can be read"
        return _quarantine_line(line, Rejection(DropReason.NO_TIME, detail))
    return Event(
        id=make_id(time_ms, line.origin.drain, line.delivery_id, line.position),
        table=table,
        time_ms=time_ms,
        record=rename_reserved(fields),
        origin=line.origin,
        raw=line.text,
        has_time_without_zone=is_local,
    )


def _take_time(record: Record, frame_time_ms: int | None) -> tuple[int | None, Record, bool]:
    """The event time, the fields without it, and whether `time` is a local time.

    A `time` that is no instant stays, as `time_`.
    """
    if "time" not in record:
        return frame_time_ms, record, False
    value = record["time"]
    own_time_ms = record_time_ms(value)
    if own_time_ms is not None:
        return own_time_ms, {key: value for key, value in record.items() if key != "time"}, False
    kept = free_name("time", record)
    fields = {kept if key == "time" else key: value for key, value in record.items()}
    return frame_time_ms, fields, is_local_time(value)


def _quarantine_line(line: Line, rejection: Rejection) -> Quarantined:
    return Quarantined(
        id=make_id(line.time_ms, line.origin.drain, line.delivery_id, line.position),
        reason=rejection.reason,
        detail=rejection.detail,
        time_ms=line.time_ms,
        origin=line.origin,
        raw=line.text,
    )


def _near_miss(line: Line, miss: Miss | None) -> NearMiss | None:
    if miss is None:
        return None
    return NearMiss(
        id=make_id(line.time_ms, line.origin.drain, line.delivery_id, line.position),
        reason=miss.reason,
        detail=miss.detail,
        time_ms=line.time_ms,
        origin=line.origin,
        raw=line.text[:PIECE_SIZE_BYTES],
    )


def _not_whole(line: Line, rejection: Rejection) -> NearMiss | None:
    """A tagged line in a logger's way that is no event: what a logger writes need not be meant as one."""
    return _near_miss(line, Miss(NearMissReason.NOT_WHOLE, rejection.detail))


def quarantine_body(body: bytes, delivery: Delivery, reason: DropReason, detail: str) -> Batch:
    """A body that cannot even be decoded, whole."""
    return Batch(quarantined=[quarantine_octets(body, delivery, 0, reason, detail)])
