"""A line's tag -> the table it names, by stdout-hook's grammar and our names."""

import re
from functools import lru_cache
from typing import NamedTuple

from logdrain.model.events import DropReason, Table

# stdout-hook: ^\s*@\[(?<tag>[^ ]*)\] (?<record>{.*})\s*$
_TAGGED = re.compile(rb"\s*@\[([^ ]*)\] (.+)\Z", re.DOTALL)
_NOT_IN_NAMES = re.compile(r"[^a-z0-9_]")

# A MongoDB namespace has 255 bytes: "<our database>.<db>.<table>". 63 is what a database name may have.
NAMESPACE_BYTES_MAX = 255 - 63 - 1


class TaggedLine(NamedTuple):
    """A line of the form `@[tag] text`; whether the text is a record is not known yet."""

    tag: str
    text: bytes


class Rejection(NamedTuple):
    """Why a tagged line is no event."""

    reason: DropReason
    detail: str


def starts_tagged(payload: bytes) -> bool:
    """Whether a line begins as a tagged line does; cheap."""
    return payload.lstrip().startswith(b"@[")


def read_tagged(payload: bytes) -> TaggedLine | None:
    """Split a line at its tag; None for a line without one."""
    found = _TAGGED.match(payload)
    if found is None:
        return None
    return TaggedLine(found[1].decode("utf-8", "replace"), found[2].strip())


def table_of(tag: str) -> Table | Rejection:
    """The table a tag names: split at the first dot, normalised to `[a-z0-9_]`."""
    if len(tag) > NAMESPACE_BYTES_MAX:
        detail = f"the tag has {len(tag)} characters, at most {NAMESPACE_BYTES_MAX} are possible"
        return Rejection(DropReason.NAME_TOO_LONG, detail)
    return _table_of(tag)


@lru_cache(maxsize=4096)  # an application has a handful of tags
def _table_of(tag: str) -> Table | Rejection:
    database, dot, table = tag.partition(".")
    if not dot:
        return Rejection(DropReason.BAD_TAG, f"the tag {tag!r} has no dot: write @[database.table]")
    if not database or not table:
        return Rejection(DropReason.BAD_TAG, f"the tag {tag!r} has an empty half")
    found = Table(_normalise(database), _normalise(table))
    if found.database == "system":
        return Rejection(DropReason.RESERVED_NAME, "MongoDB keeps collections named system.* for itself")
    return found


def _normalise(name: str) -> str:
    return _NOT_IN_NAMES.sub("_", name.lower())
