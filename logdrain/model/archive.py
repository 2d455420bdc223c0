"""Nouns of the archive: files of ended hours, and what the manifest says of them."""

from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from logdrain.model.catalog import FieldPath
from logdrain.model.events import Table


class ArchiveHours(NamedTuple):
    """A stretch of event time, whole UTC hours: from `begins_s` to before `ends_s`, unix seconds."""

    begins_s: int
    ends_s: int


class ArchiveColumn(NamedTuple):
    """A column of a file: the values of one path that have one kind.

    Attributes:
        name: In the file.
        path: In the events.
        kind: As archive files spell it.
        values: How many rows have one.
        low: The least value as JSON text; "" where there is no order, or no value.
        high: The greatest.
    """

    name: str
    path: FieldPath
    kind: str
    values: int = 0
    low: str = ""
    high: str = ""


class ContentFacts(NamedTuple):
    """What a file holds, as its writer counted it.

    Attributes:
        first_id: The least `_id`, 16 bytes.
        last_id: The greatest.
    """

    rows: int
    first_id: bytes
    last_id: bytes
    columns: tuple[ArchiveColumn, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class NewFile:
    """A file that is committed in its place, and in no manifest yet.

    Attributes:
        name: Path below the place.
        digest: Of its octets.
        read_began: When its events began to be read, by MongoDB's clock.
    """

    table: Table
    hours: ArchiveHours
    name: str
    digest: str
    size_bytes: int
    content: ContentFacts
    read_began: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchiveFile(NewFile):
    """A file that the manifest lists.

    Attributes:
        key: Of the manifest.
        place: The id of the place it is in.
        committed_at: By the ledger's clock.
    """

    key: int
    place: str
    committed_at: datetime


class PlaceState(NamedTuple):
    """How the last pass over a place went.

    Attributes:
        waiting: Files that are still to be built; None where it is not known.
        failed: Builds, or whole passes, that failed; to add to those before.
        failure: Why the pass failed; "" where it did not.
    """

    waiting: int | None
    failed: int
    failure: str


class PlaceFacts(NamedTuple):
    """A place that the manifest knows.

    Attributes:
        seen_at: When a worker last had it before it, by the ledger's clock.
        waiting: Files that the last pass left to be built.
        failed: Builds and passes that failed, of all time.
        failure: Why the last pass failed; "" where it did not.
        behind_s: For how long files have been waiting without a break.
    """

    id: str
    folder: str
    seen_at: datetime
    files: int
    rows: int
    size_bytes: int
    waiting: int
    failed: int
    failure: str
    behind_s: float


class ArchiveLease(NamedTuple):
    """The right to rewrite hours of a table; only the latest of them can commit."""

    place: str
    table: Table
    hours: ArchiveHours
    fence: int
