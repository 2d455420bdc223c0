"""A record's own object with keys `$ref` and `$id`: bson takes it for a DBRef, we take it for what it is."""

from typing import Any

from bson.dbref import DBRef

REFERENCE_OCTETS = b"\x02$ref\x00"
"""In every encoded document that bson reads a DBRef from."""


def own_objects(value: Any) -> Any:
    """A decoded value with objects for its DBRefs; `$ref`, `$id` and `$db` come first in them."""
    if isinstance(value, DBRef):
        value = value.as_doc()
    if isinstance(value, dict):
        return {key: own_objects(item) for key, item in value.items()}
    if isinstance(value, list):
        return [own_objects(item) for item in value]
    return value
