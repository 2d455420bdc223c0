"""What each road needs from the outside, as Protocols. Rooms implement them; `pipeline` joins them.

Async ports serve the drain; sync ports serve the worker and the commands, whose engines block anyway.
Every method raises errors of `logdrain.errors` only, and says which.
"""

from logdrain.ports.clock import Clock
from logdrain.ports.events import EventStore, LateNotes
from logdrain.ports.ledger import Ledger
from logdrain.ports.queries import ArrowStream, Engine, ScanSource, ScanStream
from logdrain.ports.results import ResultWriter, Transaction
from logdrain.ports.spool import Spool

__all__ = [
    "ArrowStream",
    "Clock",
    "Engine",
    "EventStore",
    "LateNotes",
    "Ledger",
    "ResultWriter",
    "ScanSource",
    "ScanStream",
    "Spool",
    "Transaction",
]
