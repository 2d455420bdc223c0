"""Does a query's memory grow with what it reads?

A query that needs the engine reads every event; the memory of this process is looked at after each batch.
"""

import os
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pyarrow as pa

from bench.environment import mongodb_database, wanted_events
from bench.measuring import print_table
from bench.sample import END
from bench.sql import DATABASE, USERS_SQL, job_sql, load, make_request
from logdrain.answer.queries import Queries
from logdrain.events.read.scan import MongoScanSource
from logdrain.model.plans import Scan
from logdrain.ports.streams import ScanStream
from logdrain.query.duckdb.engine import DuckdbEngine

MEMORY_MAX_BYTES = 512 * 1024 * 1024
THREADS = 2
PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
STEPS = 10
MB = 1_000_000


def main() -> None:
    """Print what was in use at each tenth of the events."""
    events = wanted_events(__doc__ or "", 10_000_000)
    with mongodb_database(DATABASE) as uri, TemporaryDirectory(prefix="logdrain-bench-") as spill:
        load(uri, events)
        source = WatchedSource(uri, events)
        engine = DuckdbEngine(MEMORY_MAX_BYTES, THREADS, spill)
        before_bytes = resident_bytes()
        request = make_request(job_sql(USERS_SQL, "40d"), int(END.timestamp()))
        with Queries(source, engine).stream(request) as answer:
            sum(batch.num_rows for batch in answer.rows)
        source.close()
    rows = [["nothing", f"{before_bytes / MB:,.0f}"], *source.rows]
    print_table(f"memory: users of each category, {events:,} events", ["read", "at most in use, MB"], rows)


class WatchedSource(MongoScanSource):
    """Events whose scans look at this process's memory."""

    def __init__(self, uri: str, events: int) -> None:
        super().__init__(uri)
        self._step = max(events // STEPS, 1)
        self.rows: list[list[str]] = []

    def scan(self, scan: Scan) -> "Watched":
        """The scan, watched."""
        return Watched(super().scan(scan), self._step, self.rows)


class Watched(ScanStream):
    """A scan that notes the most memory of each step."""

    def __init__(self, stream: ScanStream, step: int, rows: list[list[str]]) -> None:
        super().__init__(stream.schema, stream)
        self._step = step
        self._rows = rows

    def __iter__(self) -> Iterator[pa.RecordBatch]:
        most_bytes = 0
        next_step = self._step
        for batch in super().__iter__():
            yield batch
            most_bytes = max(most_bytes, resident_bytes())
            if self.rows_read >= next_step:
                self._rows.append([f"{self.rows_read:,}", f"{most_bytes / MB:,.0f}"])
                most_bytes, next_step = 0, next_step + self._step


def resident_bytes() -> int:
    """What this process has in memory, see proc(5)."""
    return int(Path("/proc/self/statm").read_text(encoding="utf-8").split()[1]) * PAGE_BYTES


if __name__ == "__main__":
    main()
