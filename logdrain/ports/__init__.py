"""What each road needs from the outside, as Protocols. Rooms implement them; `pipeline` joins them.

Async ports serve the drain; sync ports serve the worker and the commands, whose engines block anyway.
Every method raises errors of `logdrain.errors` only, and says which.
"""

from logdrain.ports.clock import Clock
from logdrain.ports.events import EventStore
from logdrain.ports.ledger import Ledger
from logdrain.ports.queries import ArrowStream, Engine, ScanSource, ScanStream
from logdrain.ports.results import ResultWriter, Transaction

__all__ = [
    "ArrowStream",
    "Clock",
    "Engine",
    "EventStore",
    "Ledger",
    "ResultWriter",
    "ScanSource",
    "ScanStream",
    "Transaction",
]
