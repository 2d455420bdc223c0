"""What MongoDB is asked for cut lines: queries of a few MB, for it takes none above 16 MiB."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import product
from typing import Any, TypeVar

from logdrain.events.bson.documents import origin_document
from logdrain.model.events import Origin

_PART_SIZE_BYTES = 2 * 1024 * 1024
_PER_ITEM_BYTES = 100  # keys, lengths and types of BSON

_Item = TypeVar("_Item", Origin, str)


def split_queries(origins: Sequence[Origin], by: Sequence[str]) -> Iterator[dict[str, Any]]:
    """Queries for lines of these origins that wait, or that one of `by` has claimed or continued.

    One query, unless the names are long and many; a line may be found by several.
    """
    for origins_part, names in product(_parts(origins), list(_parts(by)) or [[]]):
        yield {
            "$or": [
                {
                    "origin": {"$in": list(map(origin_document, origins_part))},
                    "$or": [{"state": "waiting"}, {"state": "joining", "claimed_by": {"$in": names}}],
                },
                {"continued_by": {"$in": names}},  # without the origin, so that its index is used
            ]
        }


def _parts(items: Iterable[_Item]) -> Iterator[list[_Item]]:
    part: list[_Item] = []
    size_bytes = 0
    for item in items:
        item_bytes = _PER_ITEM_BYTES + len("".join(item).encode("utf-8", "surrogatepass"))
        if part and size_bytes + item_bytes > _PART_SIZE_BYTES:
            yield part
            part, size_bytes = [], 0
        part.append(item)
        size_bytes += item_bytes
    if part:
        yield part
