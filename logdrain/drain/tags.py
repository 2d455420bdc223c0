r"""A tagged line, `@[database.table] {…}` -> its tag and record, and the table that the tag names.

The grammar is stdout-hook's, `^\s*@\[(?<tag>[^ ]*)\] (?<record>{.*})\s*$`, read more widely: any space or
none behind `]`, a byte order mark before the tag or the record, colour codes around the tag.
"""

import re
from functools import lru_cache
from typing import NamedTuple

from logdrain.model.events import DropReason, Table

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_TAGGED = re.compile(rb"@\[(?:([^\s\]]*)\]\s*+(?:\xef\xbb\xbf)*+(?=\{)|([^ ]*)\] )(.+)\Z", re.DOTALL)
_COLOUR = re.compile(rb"\x1b\[[\d;:]*[mK]")  # ECMA-48: SGR, and the erasing that grep adds
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


def has_tag_sign(line: bytes) -> bool:
    """Whether a line may be an event, or nearly one: nearly every line is neither, so this is cheap."""
    return b"@" in line and (b"@[" in line or b"{" in line)


def bare(line: bytes) -> bytes:
    """A line without space, byte order marks and colour codes around it, its tag and its record."""
    line = line.strip()
    if b"\x1b" in line:
        head, start, rest = line.partition(b"{")
        record, end, tail = rest.rpartition(b"}")
        line = (_COLOUR.sub(b"", head) + start + record + end + _COLOUR.sub(b"", tail)).strip()
    while line.startswith(_BYTE_ORDER_MARK):
        line = line.removeprefix(_BYTE_ORDER_MARK).lstrip()
    return line


def read_tagged(line: bytes) -> TaggedLine | None:
    """Split a bare line at its tag; None for a line that does not begin with one."""
    found = _TAGGED.match(line)
    if found is None:
        return None
    tag = found[2] if found[1] is None else found[1]
    return TaggedLine(tag.decode("utf-8", "replace"), found[3].strip())


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
