"""Ids for dedup: a delivery that is sent again makes the same ones. 16 bytes, UUID version 8 (RFC 9562 5.8).

48 bits of unix milliseconds, then 74 bits of hash over what the sender repeats. Time first, so that
a range of time is a range of ids and new events go to the right edge of the tree.
"""

import hashlib
from collections.abc import Iterable

_VERSION_8 = 0x8 << 76 | 0b10 << 62
_LOW_BITS = (1 << 62) - 1
NAME_SIZE_MAX_BYTES = 255
"""Of what a sender names itself and its deliveries; each event, and each piece of a line, has it."""


class IdGenerator:
    """The ids of one delivery: what names it is hashed once."""

    def __init__(self, drain: str, delivery_id: str) -> None:
        # Lengths first: ("a", "bc") and ("ab", "c") must not meet.
        name = f"{len(drain)}:{drain}{len(delivery_id)}:{delivery_id}".encode("utf-8", "surrogatepass")
        self._named = hashlib.blake2b(name, digest_size=10)

    def make(self, times_ms: Iterable[int], positions: Iterable[int]) -> list[bytes]:
        """The ids of what stands at these positions."""
        ids = []
        copy, number = self._named.copy, int.from_bytes
        for time_ms, position in zip(times_ms, positions, strict=True):
            placed = copy()
            placed.update(b"%d" % position)
            digest = number(placed.digest(), "big") >> 6
            value = time_ms << 80 | _VERSION_8 | digest >> 62 << 64 | digest & _LOW_BITS
            ids.append(value.to_bytes(16, "big"))
        return ids


def make_id(time_ms: int | None, drain: str, delivery_id: str, position: int) -> bytes:
    """The id of what stands at `position` of a delivery; no time counts as 1970."""
    return IdGenerator(drain, delivery_id).make([time_ms or 0], [position])[0]


def body_id(body: bytes) -> str:
    """A delivery id for senders that name theirs in no header: the body's own hash."""
    return "body-" + hashlib.blake2b(body, digest_size=16).hexdigest()


def bounded_name(name: str) -> str:
    """A name that a sender chose, in 255 octets at most: of a longer one the beginning and a hash."""
    octets = name.encode("utf-8", "replace")
    if len(octets) <= NAME_SIZE_MAX_BYTES:
        return name
    digest = hashlib.blake2b(octets, digest_size=16).hexdigest()
    kept = octets[: NAME_SIZE_MAX_BYTES - len(digest) - 1].decode("utf-8", "ignore")
    return f"{kept}-{digest}"
