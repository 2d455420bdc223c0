"""Putting many ids in order without holding up other threads."""

from collections.abc import Sequence
from heapq import merge

# A sort does not let go of the interpreter: one of this length takes milliseconds.
_RUN = 10_000


def places_in_order(ids: Sequence[bytes]) -> list[int]:
    """The places of these ids, the smallest first; equal ones as they come."""
    runs = [
        sorted(range(start, min(start + _RUN, len(ids))), key=ids.__getitem__)
        for start in range(0, len(ids), _RUN)
    ]
    return list(merge(*runs, key=ids.__getitem__))
