"""Opens what reads the event store."""

from collections.abc import Iterator
from contextlib import closing, contextmanager

from logdrain.bootstrap import require
from logdrain.config import Settings
from logdrain.events.read.late_notes import MongoLateNotes
from logdrain.events.read.scan import MongoScanSource


@contextmanager
def open_source(settings: Settings) -> Iterator[MongoScanSource]:
    """Stored events, to read."""
    uri = require(settings.mongodb_uri, "MONGODB_URI")
    # Groups are sorted into a copy.
    with closing(MongoScanSource(uri, groups_max_bytes=settings.query_memory_max_bytes // 2)) as source:
        yield source


@contextmanager
def open_late_notes(settings: Settings) -> Iterator[MongoLateNotes]:
    """What the drains have noted about late events."""
    with closing(MongoLateNotes(require(settings.mongodb_uri, "MONGODB_URI"))) as notes:
        yield notes
