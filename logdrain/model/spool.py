"""Nouns of the spool: a delivery that is kept on disk until the store has it."""

from typing import NamedTuple

from logdrain.model.events import Delivery


class Spooled(NamedTuple):
    """A delivery as it came, enough to take it in again at any later time.

    Attributes:
        delivery: How its request names it: a replay makes the same event ids.
        body: Decoded octets, or as they came where they could not be decoded.
        problem: Why the body could not be decoded, or "".
    """

    delivery: Delivery
    body: bytes
    problem: str


class SpooledEntry(NamedTuple):
    """One entry of a segment, read back.

    Attributes:
        segment: The segment's number; segments are replayed and removed in this order.
        offset: Where in the segment the entry starts, octets: with `segment` it names the entry.
        spooled: The delivery, or None where the entry is damaged.
        damaged: The octets that are no whole entry any more, "" where it is sound.
    """

    segment: int
    offset: int
    spooled: Spooled | None
    damaged: bytes
