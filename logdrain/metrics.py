"""Every metric of the process, in one place. docs/reference/metrics.md lists them, a test compares."""

from collections.abc import Iterable, Mapping

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Metric, generate_latest
from prometheus_client.core import CounterMetricFamily
from prometheus_client.registry import Collector

from logdrain.model.events import DropReason, LineKind
from logdrain.model.keys import Refusal

REGISTRY = CollectorRegistry()
RUNS_HELP = "Runs that ended, by state, of all workers on this ledger."

DELIVERIES = Counter(
    "logdrain_deliveries", "Deliveries answered, by HTTP status.", ["status"], registry=REGISTRY
)
AUTH_FAILURES = Counter(
    "logdrain_auth_failures", "Requests without a valid key, by reason.", ["reason"], registry=REGISTRY
)
QUESTIONS_RUNNING = Gauge(
    "logdrain_questions_running", "Questions that query processes answer now.", registry=REGISTRY
)
QUESTIONS_WAITING = Gauge(
    "logdrain_questions_waiting", "Questions that wait for a query process.", registry=REGISTRY
)
QUERY_PROCESS_STARTS = Counter(
    "logdrain_query_process_starts",
    "Starts of query processes: more than there are means that some died.",
    registry=REGISTRY,
)
CONNECTIONS = Gauge("logdrain_connections", "Connections that are open.", registry=REGISTRY)
CONNECTIONS_REFUSED = Counter(
    "logdrain_connections_refused", "Connections above the limit, answered 503 at once.", registry=REGISTRY
)
CONNECTIONS_CLOSED = Counter(
    "logdrain_connections_closed", "Connections that the drain itself ended.", ["reason"], registry=REGISTRY
)
REQUESTS_MALFORMED = Counter(
    "logdrain_requests_malformed", "What came and was no HTTP request.", registry=REGISTRY
)
BODY_MEMORY_BYTES = Gauge(
    "logdrain_body_memory_bytes", "Memory reserved for bodies that are received.", registry=REGISTRY
)
PARSED_MEMORY_BYTES = Gauge(
    "logdrain_parsed_memory_bytes", "Memory reserved for bodies that are read.", registry=REGISTRY
)
MESSAGES_RECEIVED = Counter(
    "logdrain_messages_received", "Frames found, whatever became of them.", registry=REGISTRY
)
MESSAGE_COUNT_MISMATCHES = Counter(
    "logdrain_message_count_mismatches",
    "Deliveries whose Logplex-Msg-Count is not the number of frames found.",
    registry=REGISTRY,
)
FRAMES_RESYNCED = Counter(
    "logdrain_frames_resynced", "Frames whose octet count was wrong.", registry=REGISTRY
)
LINES = Counter("logdrain_lines", "Frames by what became of them.", ["kind"], registry=REGISTRY)
EVENTS_STORED = Counter("logdrain_events_stored", "Events newly stored.", registry=REGISTRY)
EVENTS_DUPLICATE = Counter(
    "logdrain_events_duplicate", "Events that were stored already: a delivery came again.", registry=REGISTRY
)
TIMES_WITHOUT_ZONE = Counter(
    "logdrain_times_without_zone",
    "Events whose `time` has no zone: the frame's timestamp counts.",
    registry=REGISTRY,
)
QUARANTINED = Counter(
    "logdrain_quarantined", "New quarantine entries, by reason.", ["reason"], registry=REGISTRY
)
LOSSES_REPORTED = Counter(
    "logdrain_losses_reported",
    "Lines that senders say they dropped (L10, L12, L13).",
    ["code"],
    registry=REGISTRY,
)
STORE_SECONDS = Histogram(
    "logdrain_store_seconds",
    "Seconds from a delivery's batch to its durable confirmation.",
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0),
    registry=REGISTRY,
)
DELIVERIES_SPOOLED = Counter(
    "logdrain_deliveries_spooled", "Deliveries acknowledged from the spool.", registry=REGISTRY
)
SPOOL_ENTRIES_REPLAYED = Counter(
    "logdrain_spool_entries_replayed", "Spool entries that the store has taken.", registry=REGISTRY
)
SPOOL_ENTRIES = Gauge("logdrain_spool_entries", "Deliveries that wait in the spool.", registry=REGISTRY)
SPOOL_BYTES = Gauge("logdrain_spool_bytes", "Octets of the spool on disk.", registry=REGISTRY)
STORE_QUEUE_BYTES = Gauge("logdrain_store_queue_bytes", "Octets that wait to be stored.", registry=REGISTRY)
SLICE_LATENESS_SECONDS = Gauge(
    "logdrain_slice_lateness_seconds",
    "For how long a slice that is due has waited for a worker; the longest.",
    registry=REGISTRY,
)

# Shown from the start, at 0: a rate over a counter that appears with its first event misses that event.
for _kind in LineKind:
    LINES.labels(_kind.value)
for _refusal in Refusal:
    AUTH_FAILURES.labels(_refusal.value)
for _reason in DropReason:
    QUARANTINED.labels(_reason.value)
for _code in ("L10", "L12", "L13"):
    LOSSES_REPORTED.labels(_code)
for _status in ("204", "400", "401", "413", "429", "500", "503"):
    DELIVERIES.labels(_status)


def render(run_totals: Mapping[str, int]) -> bytes:
    """The metrics in Prometheus text format 0.0.4.

    Args:
        run_totals: Runs that ended by state, from the ledger: they ended in any of its workers.
    """
    runs = CounterMetricFamily("logdrain_runs", RUNS_HELP, labels=["state"])
    for state, count in sorted(run_totals.items()):
        runs.add_metric([state], count)
    with_runs = CollectorRegistry()
    with_runs.register(REGISTRY)
    with_runs.register(_Fixed(runs))
    return generate_latest(with_runs)


class _Fixed(Collector):
    """A family that was counted elsewhere."""

    def __init__(self, family: Metric) -> None:
        self._family = family

    def collect(self) -> Iterable[Metric]:
        """See prometheus_client."""
        return [self._family]
