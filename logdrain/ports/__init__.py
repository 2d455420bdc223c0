"""What each road needs from the outside, as Protocols, and the streams between them.

Rooms implement the Protocols; `ingest` and `answer` join them.

Async ports serve the drain; sync ports serve the worker and the commands, whose engines block anyway.
Every method raises errors of `logdrain.errors` only, and says which.
"""

from logdrain.ports.clock import Clock
from logdrain.ports.events import EventStore, LateNotes
from logdrain.ports.keys import Keys
from logdrain.ports.ledger import Calendar, History, LateWork, Notices, Schedules, Slices
from logdrain.ports.queries import Engine, Groups, ScanSource
from logdrain.ports.results import NamedResults, ResultReader, ResultWriter, Transaction
from logdrain.ports.spool import Spool
from logdrain.ports.streams import ArrowStream, ScanStream

__all__ = [
    "ArrowStream",
    "Calendar",
    "Clock",
    "Engine",
    "EventStore",
    "Groups",
    "History",
    "Keys",
    "LateNotes",
    "LateWork",
    "NamedResults",
    "Notices",
    "ResultReader",
    "ResultWriter",
    "ScanSource",
    "ScanStream",
    "Schedules",
    "Slices",
    "Spool",
    "Transaction",
]
