"""DuckDB runs a query in a process of its own, whose memory is bounded, and which is killed at its time."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress

import pyarrow as pa

from logdrain.errors import QueryMemoryExceeded, QueryProcessDied, SqlError
from logdrain.model.queries import EngineQuery, Plan
from logdrain.model.stops import Stop
from logdrain.ports.streams import ArrowStream, ScanStream
from logdrain.query.duckdb.channel import Channel, ChannelError, Kind, Message
from logdrain.query.duckdb.failure import NO_MEMORY_STATUS, DuckdbFailure
from logdrain.query.duckdb.lower import lower, query_errors

_PROGRAM = "logdrain.query.duckdb.child"
_BATCHES_AHEAD = 2
# A child has no secrets: nothing else of the environment is handed on.
_VARIABLES = ("LANG", "LC_ALL", "LD_LIBRARY_PATH", "PATH", "TMPDIR")
# A bound on address space must see what is used: allocators take none ahead, and give back what is free.
_ALLOCATORS = {
    "ARROW_DEFAULT_MEMORY_POOL": "system",  # mimalloc maps 1 GiB
    "DUCKDB_JE_MALLOC_CONF": "retain:false",
    "MALLOC_ARENA_MAX": "2",
    "MALLOC_MMAP_THRESHOLD_": "131072",
}


class ChildEngine:
    """Implements `ports.Engine`; a query has a child process to itself. Safe to use from several threads.

    Args:
        memory_max_bytes: What one query may use; DuckDB spills at three quarters of it.
        threads: How many threads one query may use.
        temp_folder: Where a query spills, or None: it never does.
        spill_max_bytes: What one query may spill; then it fails with QueryMemoryExceeded. None: no limit.
        geoip_file: A MaxMind database for the TD_IP_TO_… functions, or "".
        children_kept_max: How many children are kept for the next queries; `close` ends them.
    """

    def __init__(
        self,
        memory_max_bytes: int,
        threads: int,
        temp_folder: str | None,
        *,
        spill_max_bytes: int | None = None,
        geoip_file: str = "",
        children_kept_max: int = 1,
    ) -> None:
        self._settings = {
            "memory_max_bytes": memory_max_bytes,
            "threads": threads,
            "spill_max_bytes": spill_max_bytes,
            "geoip_file": geoip_file,
        }
        self._temp_folder = temp_folder
        self._kept_max = children_kept_max
        self._lock = threading.Lock()
        self._idle: list[_Child] = []

    def lower(self, plan: Plan) -> EngineQuery:
        """Write a plan as DuckDB's SQL; see `ports.Engine`."""
        return lower(plan)

    @contextmanager
    def run(
        self, query: EngineQuery, scans: Sequence[ScanStream], stop: Stop | None = None
    ) -> Iterator[ArrowStream]:
        """Run a query; see `ports.Engine`."""
        stop = stop or Stop()
        child = self._ready_child(stop)
        running = _Run(child, query, scans, stop)
        try:
            with stop.telling(child.kill):
                yield running.start()
        finally:
            is_over = running.end()
            if is_over and stop.error is None:
                self._give_back(child)
            else:
                child.end()

    def close_idle(self) -> None:
        """End the children that wait for a query, but for one: it takes longer to start than a query runs."""
        self._end_idle(kept=1)

    def close(self) -> None:
        """End the children; no query runs any more."""
        self._end_idle(kept=0)

    def _end_idle(self, kept: int) -> None:
        with self._lock:
            ended, self._idle = self._idle[kept:], self._idle[:kept]
        for child in ended:
            child.end()

    def _ready_child(self, stop: Stop) -> "_Child":
        """A child that waits for a query.

        Raises:
            QueryProcessDied: one that was started has ended at once.
            LogdrainError: what `stop` was asked with.
        """
        while True:
            with self._lock:
                kept = self._idle.pop() if self._idle else None
            child = kept or _Child(self._settings, self._temp_folder)
            with stop.telling(child.kill):
                if child.is_ready():
                    return child
            status = child.end()
            stop.check()
            if kept is None:
                raise _death(status)

    def _give_back(self, child: "_Child") -> None:
        with self._lock:
            if len(self._idle) < self._kept_max:
                self._idle.append(child)
                return
        child.end()


class _Child:
    """A process that runs DuckDB; whoever has it ends it."""

    def __init__(self, settings: Mapping[str, object], temp_folder: str | None) -> None:
        self._spill_folder = tempfile.mkdtemp(dir=temp_folder) if temp_folder else None
        ours, theirs = socket.socketpair()
        with theirs:
            kept = {name: os.environ[name] for name in _VARIABLES if name in os.environ}
            self._process = subprocess.Popen(  # noqa: S603  # our own program
                [sys.executable, "-P", "-m", _PROGRAM, str(theirs.fileno())],
                stdin=subprocess.PIPE,  # never written to: it ends with this process, and the child with it
                stdout=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
                env=kept | _ALLOCATORS | {"PYTHONPATH": os.pathsep.join(sys.path)},
                process_group=0,  # Ctrl-C is the parent's
            )
        self.channel = Channel(ours)
        with suppress(ChannelError):  # what asks it to run something is told
            self.channel.send(Kind.OPEN, {**settings, "temp_folder": self._spill_folder})

    def is_ready(self) -> bool:
        """Wait until it can run a query; False where it has ended instead."""
        try:
            is_idle = self.channel.receive().kind is Kind.IDLE
            return is_idle and self._process.poll() is None  # it may have said so, and ended since
        except ChannelError:
            return False

    def kill(self) -> None:
        """End it from another thread; whoever has it still calls `end`."""
        self._process.kill()

    def end(self) -> int:
        """End it, and remove what it has left; its exit status, or minus the signal that ended it.

        Where it has ended before, the status is of that.
        """
        self._process.kill()
        self.channel.close()
        if self._process.stdin is not None:
            self._process.stdin.close()
        status = self._process.wait()
        if self._spill_folder:
            shutil.rmtree(self._spill_folder, ignore_errors=True)
        return status


class _Run:
    """A query in a child, and its rows, to be read once."""

    def __init__(self, child: _Child, query: EngineQuery, scans: Sequence[ScanStream], stop: Stop) -> None:
        self._child = child
        self._query = query
        self._scans = scans
        self._stop = stop
        self._passes: dict[int, _Pass] = {}
        self._failure: Exception | None = None
        self._is_over = self._is_gone = False

    def start(self) -> ArrowStream:
        """Ask for the rows, and wait until they begin."""
        names = [scan.name for scan in self._query.plan.all_scans]
        schemas = [scan.schema for scan in self._scans]
        with self._child_errors():
            self._child.channel.send(Kind.RUN, {"sql": self._query.sql, "names": names}, schemas=schemas)
            if len(self._scans) == 1:  # the store is asked while the child prepares the query
                self._passes[0] = _Pass(self._scans[0])
                self._passes[0].read_ahead()
            first = self._next_rows()
        return ArrowStream(first.schema if first is not None else pa.schema([]), self._batches())

    def end(self) -> bool:
        """Let go of the scans; whether the child has ended the query, too."""
        self._is_gone = True
        self._passes.clear()
        return self._is_over

    def _batches(self) -> Iterator[pa.RecordBatch]:
        while True:
            self._stop.check()
            if self._is_gone:
                raise SqlError("the query has ended, its rows are gone")
            with self._child_errors():
                table = self._next_rows()
            if table is None:
                return
            yield from table.to_batches()

    @contextmanager
    def _child_errors(self) -> Iterator[None]:
        """A child that is gone becomes the reason why; what DuckDB says gets a place in the text."""
        try:
            with query_errors(self._query):
                yield
        except ChannelError:
            self._stop.check()
            raise _death(self._child.end()) from None

    def _next_rows(self) -> pa.Table | None:
        """Serve the child until it has rows; None: it has no more."""
        while True:
            message = self._child.channel.receive()
            if message.kind is Kind.READ:
                self._read(message)
            elif message.kind is Kind.ROWS:
                return message.tables[0]
            else:
                self._ended(message)
                return None

    def _read(self, asked: Message) -> None:
        number = asked.facts["of_pass"]
        if number not in self._passes:
            self._passes[number] = _Pass(self._scans[asked.facts["scan"]])
        reading = self._passes[number]
        batch = reading.take()
        if isinstance(batch, Exception):  # raised when the child has ended the query
            self._failure = batch
            self._child.channel.send(Kind.NOT_READ)
        else:
            self._child.channel.send(Kind.BATCH, {"is_last": reading.is_over}, rows=batch)
            reading.read_ahead()

    def _ended(self, message: Message) -> None:
        self._is_over = True
        if self._failure is not None:
            raise self._failure
        if "said" in message.facts:
            raise DuckdbFailure(message.facts["said"], message.facts["explained"])


class _Pass:
    """One pass through a scan, read ahead: the last batch is known as such, and both sides have work."""

    def __init__(self, scan: ScanStream) -> None:
        self._batches = iter(scan)
        self._ahead: deque[pa.RecordBatch | Exception] = deque()
        self._has_more = True

    @property
    def is_over(self) -> bool:
        """Whether all has been taken."""
        return not self._has_more and not self._ahead

    def take(self) -> pa.RecordBatch | Exception | None:
        """The next batch, or what reading it raised; None at the end."""
        self.read_ahead()
        return self._ahead.popleft() if self._ahead else None

    def read_ahead(self) -> None:
        """Have the next two batches at hand."""
        while self._has_more and len(self._ahead) < _BATCHES_AHEAD:
            try:
                self._ahead.append(next(self._batches))
            except StopIteration:
                self._has_more = False
            except Exception as error:  # noqa: BLE001  # raised unchanged, when it is this batch's turn
                self._ahead.append(error)
                self._has_more = False


def _death(status: int) -> SqlError:
    """What the end of a child means that nobody asked for."""
    if status == NO_MEMORY_STATUS:
        return QueryMemoryExceeded(
            "the query needs more memory than LOGDRAIN_QUERY_MEMORY_MAX_BYTES",
            hint="read less: a shorter time range, fewer columns",
        )
    how = f"was ended by {signal.Signals(-status).name}" if status < 0 else f"ended with status {status}"
    return QueryProcessDied(
        f"the process that ran the query {how}",
        hint="it lacked memory, or somebody ended it: read less, or run it again",
    )
