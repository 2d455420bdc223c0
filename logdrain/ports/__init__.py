"""What each road needs from the outside, as Protocols. Rooms implement them; `ingest` and `answer` join them.

Async ports serve the drain; sync ports serve the worker and the commands, whose engines block anyway.
Every method raises errors of `logdrain.errors` only, and says which.
"""

from logdrain.ports.clock import Clock
from logdrain.ports.events import EventStore, LateNotes
from logdrain.ports.keys import Keys
from logdrain.ports.ledger import Calendar, History, LateWork, Notices, Schedules, Slices
from logdrain.ports.queries import AggregateStream, ArrowStream, Engine, ScanSource, ScanStream
from logdrain.ports.results import NamedResults, ResultReader, ResultWriter, Transaction
from logdrain.ports.spool import Spool

__all__ = [
    "AggregateStream",
    "ArrowStream",
    "Calendar",
    "Clock",
    "Engine",
    "EventStore",
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
