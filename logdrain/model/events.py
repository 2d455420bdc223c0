"""Nouns of the road in: delivery, frame, message, event, quarantine."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, NamedTuple

NEAR_MISSES_KEPT = 1_000
"""Of lines that are nearly tagged lines, the latest."""

Record = dict[str, Any]
"""A JSON object as an application printed it."""


class Table(NamedTuple):
    """Where events of one tag live: the two halves of a normalised tag."""

    database: str
    table: str

    @property
    def name(self) -> str:
        """`database.table`: the tag, and the MongoDB collection."""
        return f"{self.database}.{self.table}"


class LineKind(StrEnum):
    """What became of a frame; every frame has exactly one kind."""

    EVENT = "event"  # stored as an event
    REJECTED = "rejected"  # a tagged line that went to quarantine
    PIECE = "piece"  # part of a line that was cut by the sender
    NEAR_MISS = "near_miss"  # nearly a tagged line: kept for a while, with its reason
    APP = "app"  # any other line of the application
    PLATFORM = "platform"  # router, dyno states, add-ons, api
    LOSS = "loss"  # L10, L12, L13: the sender says it dropped lines
    UNREADABLE = "unreadable"  # the frame has no readable header; went to quarantine


class DropReason(StrEnum):
    """Why something is in quarantine. Closed: docs/reference/quarantine.md explains each."""

    JUNK = "junk"  # bytes between frames
    BAD_ENCODING = "bad_encoding"  # the body's Content-Encoding cannot be decoded
    BAD_HEADER = "bad_header"  # a frame without a syslog header
    BAD_TAG = "bad_tag"  # no dot, or an empty half
    NAME_TOO_LONG = "name_too_long"  # tag beyond MongoDB's namespace limit
    RESERVED_NAME = "reserved_name"  # a name that MongoDB keeps for itself
    BAD_JSON = "bad_json"  # not JSON; NaN, Infinity and numbers out of range are not JSON
    NOT_AN_OBJECT = "not_an_object"  # JSON, but no object
    NUL_IN_KEY = "nul_in_key"  # a key with U+0000: BSON cannot hold it
    NUMBER_OUT_OF_RANGE = "number_out_of_range"  # an integer beyond 34 digits
    TOO_DEEP = "too_deep"  # nested deeper than 100 levels
    TOO_MANY_KEYS = "too_many_keys"  # above the limit of keys a record
    TOO_LARGE = "too_large"  # above MongoDB's 16 MiB a document
    NO_TIME = "no_time"  # neither the record nor the frame has a readable time
    BAD_ITEM = "bad_item"  # an item of POST /v1/events that has not its form
    BAD_TIME = "bad_time"  # an item's time that is no instant, or more than an hour ahead
    INSERT_ID_WITHOUT_TIME = "insert_id_without_time"  # an item's insert_id names an event only with its time
    SPLIT = "split"  # a cut line whose other pieces did not come
    TOO_MANY_TABLES = "too_many_tables"  # above the table limit
    STORE_REJECTED = "store_rejected"  # MongoDB refused this one document
    SPOOL_REFUSED = "spool_refused"  # a spooled delivery that the store did not take, time and again
    SPOOL_DAMAGED = "spool_damaged"  # octets of the spool that are no whole delivery any more


class NearMissReason(StrEnum):
    """Why a line is no event, though it nearly is. Closed: docs/reference/quarantine.md explains each."""

    TEXT_BEFORE = "text_before"  # no known logger writes what stands before the tag
    BAD_FORM = "bad_form"  # not written @[database.table] {…}
    NO_RECORD = "no_record"  # a tag, and no JSON object behind it
    NOT_WHOLE = "not_whole"  # in a logger's way, but its tag or its record cannot be read
    JSON_FIELD = "json_field"  # in JSON, but not as msg, message or event


class Origin(NamedTuple):
    """Where an event came from; `token` is Logplex-Drain-Token, "" where the sender has none."""

    drain: str
    app: str
    proc: str
    token: str


class Content(StrEnum):
    """What the body of a delivery is made of."""

    FRAMES = "frames"  # POST /logs
    ITEMS = "items"  # POST /v1/events


class Delivery(NamedTuple):
    """One POST, as its request names it.

    Attributes:
        drain: Name of the drain: the user name of the drain URL.
        id: What the sender repeats when it sends the same body again.
        token: Logplex-Drain-Token, or "" where the sender has none.
        message_count: Logplex-Msg-Count, or None.
        content: What the body is made of.
        received_ms: Of items: when the server took them, unix milliseconds; a replay judges by it, too.
    """

    drain: str
    id: str
    token: str
    message_count: int | None
    content: str = Content.FRAMES
    received_ms: int = 0


class Frame(NamedTuple):
    """One octet-counted message of a body.

    Attributes:
        position: Place in the delivery, from 0, over frames and junk alike.
        data: The octets after the count; for junk, the octets between frames.
        resync: The count was wrong and the end was found another way.
        junk: No frame: bytes that belong to none.
        digits: The count before it, as it came.
    """

    position: int
    data: bytes
    resync: bool
    junk: bool
    digits: bytes = b""


class Message(NamedTuple):
    """A parsed syslog line.

    Attributes:
        position: The frame's position in its delivery.
        time_ms: The header's time, unix milliseconds, or None where it is unreadable.
        payload: The message octets without the final newline.
        ended: Whether there was a final newline.
        structured_data: What was taken from before the payload: structured data or the dash that stands for
            none, with its space. It was text if the line's first piece had none.
    """

    position: int
    priority: int
    time_ms: int | None
    host: str
    app: str
    proc: str
    payload: bytes
    ended: bool
    structured_data: bytes = b""


class Event(NamedTuple):
    """A record with its time and origin, ready to store.

    Attributes:
        id: 16 bytes, a version 8 UUID: time-ordered and the same on every retry.
        time_ms: Event time, unix milliseconds.
        record: The fields as printed, reserved keys renamed.
        raw: The payload it came from, kept until it is stored.
        has_time_without_zone: The record's `time` is a local one, so the frame's counts.
    """

    id: bytes
    table: Table
    time_ms: int
    record: Record
    origin: Origin
    raw: bytes
    has_time_without_zone: bool = False


class Quarantined(NamedTuple):
    """What could not become an event.

    Attributes:
        id: 16 bytes, the same on every retry.
        reason: From the closed list.
        detail: One line for people: what exactly is wrong.
        time_ms: The frame's time, or None.
        raw: All the octets, unchanged.
    """

    id: bytes
    reason: DropReason
    detail: str
    time_ms: int | None
    origin: Origin
    raw: bytes


class RejectedItem(NamedTuple):
    """An item of `POST /v1/events` that is no event; its octets are in quarantine.

    Attributes:
        position: Place in the body, from 0.
        insert_id: The item's own, or None.
        reason: From the closed list.
        detail: One line for people: what exactly is wrong.
    """

    position: int
    insert_id: str | None
    reason: DropReason
    detail: str


class NearMiss(NamedTuple):
    """A line that is nearly a tagged line.

    Attributes:
        id: 16 bytes, the same on every retry.
        detail: One line for people: what exactly is wrong.
        time_ms: The frame's time, or None.
        raw: Its octets, the first 10,000.
    """

    id: bytes
    reason: NearMissReason
    detail: str
    time_ms: int | None
    origin: Origin
    raw: bytes


class Split(NamedTuple):
    """The first pieces of a tagged line that was cut, waiting for the rest from a later delivery.

    Pieces join only within the same origin.

    Attributes:
        delivery_id: The delivery of the first piece; with `position` it names the event to be.
        raw: The octets so far.
        continued_by: `<delivery id>:<position>` of every piece that was added to the first ones.
        claimed_by: Piece that ends the line and whose event is being stored, or "".
        is_structured: Each piece has structured data, or the dash for none, before its text.
    """

    id: bytes
    origin: Origin
    time_ms: int | None
    delivery_id: str
    position: int
    raw: bytes
    continued_by: tuple[str, ...]
    claimed_by: str = ""
    is_structured: bool = False


class SplitJoin(NamedTuple):
    """A waiting split that a piece of a later delivery continues.

    Attributes:
        split_id: The waiting split.
        by: `<delivery id>:<position>` of the continuing piece: a retry finds it again.
        raw: Grown octets if the line still waits, or None where it is complete.
        after: How many pieces had been added when the line was read; the join is void if others came since.
    """

    split_id: bytes
    by: str
    raw: bytes | None
    after: int


@dataclass(frozen=True, slots=True)
class TableDocuments:
    """Events of one table as documents, ready to insert.

    Attributes:
        documents: BSON, see `types/event_documents.py`.
        raws: The payload that each came from, kept until it is stored.
        shapes: A document of each shape and hour, by the shape's hash and the hour of event time since 1970.
    """

    documents: list[bytes] = field(default_factory=list)
    raws: list[bytes] = field(default_factory=list)
    shapes: dict[tuple[int, int], bytes] = field(default_factory=dict)

    @property
    def hours(self) -> set[int]:
        """Which hours of event time they belong to."""
        return {hour for _, hour in self.shapes}

    def add(self, other: "TableDocuments") -> None:
        """Put others of the same table behind these."""
        self.documents.extend(other.documents)
        self.raws.extend(other.raws)
        self.shapes.update(other.shapes)


@dataclass(frozen=True, slots=True)
class Batch:
    """Everything of one delivery that must be durable before it is answered.

    Attributes:
        documents: More events, by table: those that were read in bulk.
    """

    events: list[Event] = field(default_factory=list)
    quarantined: list[Quarantined] = field(default_factory=list)
    splits: list[Split] = field(default_factory=list)
    joins: list[SplitJoin] = field(default_factory=list)
    documents: defaultdict[str, TableDocuments] = field(default_factory=lambda: defaultdict(TableDocuments))

    def add(self, other: "Batch") -> None:
        """Put what another delivery holds behind this."""
        self.events.extend(other.events)
        self.quarantined.extend(other.quarantined)
        self.splits.extend(other.splits)
        self.joins.extend(other.joins)
        for table, documents in other.documents.items():
            self.documents[table].add(documents)

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to write."""
        return not self.count

    @property
    def events_count(self) -> int:
        """How many events there are."""
        return len(self.events) + sum(len(table.documents) for table in self.documents.values())

    @property
    def count(self) -> int:
        """How many things there are to write."""
        return self.events_count + len(self.quarantined) + len(self.splits) + len(self.joins)

    @property
    def size_bytes(self) -> int:
        """What the batch weighs while it waits: the octets it was made from."""
        return (
            sum(len(event.raw) for event in self.events)
            + sum(len(raw) for table in self.documents.values() for raw in table.raws)
            + sum(len(item.raw) for item in self.quarantined)
            + sum(len(split.raw) for split in self.splits)
            + sum(len(join.raw or b"") for join in self.joins)
        )


@dataclass(frozen=True, slots=True)
class Stored:
    """What became of a batch, counted.

    Attributes:
        events: New events.
        duplicates: Events that were there already.
        quarantined: New quarantine entries by reason.
        rejected: Events that the store itself turned away, by reason (also in `quarantined`).
    """

    events: int = 0
    duplicates: int = 0
    quarantined: Mapping[DropReason, int] = field(default_factory=dict)
    rejected: int = 0
