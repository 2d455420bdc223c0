"""The program of a process that runs DuckDB for its parent, one query after the other: see channel.py.

    python -m logdrain.query.duckdb.child SOCKET

Its standard input is a pipe that nobody writes to: where the parent is gone, the kernel ends this process.
The memory that it may map beside what it has when it idles is that of a query. What goes wrong with the
process itself ends it: its parent starts another.
"""

import os
import resource
import socket
import sys
import threading
from collections.abc import Iterator
from contextlib import suppress
from itertools import count
from pathlib import Path

import pyarrow as pa

from logdrain.model.stops import Stop
from logdrain.query.duckdb.address_files import open_addresses
from logdrain.query.duckdb.channel import Channel, ChannelError, Kind, Message
from logdrain.query.duckdb.failure import NO_MEMORY_STATUS, DuckdbFailure
from logdrain.query.duckdb.parent_process import end_with_parent
from logdrain.query.duckdb.session import DuckdbSessions

# Shares of a query's memory: DuckDB counts what it buffers, and spills; texts, Python, and Arrow on its way
# come on top of that, and the kernel refuses what goes beyond.
_BUFFERED_SHARE = 0.75
_MAPPED_SHARE = 1.25
# A child that has grown by more than this share of a query's memory is replaced.
_GROWTH_MAX_SHARE = 0.25
_STATM_DATA = 5
_WARM_UP = "SELECT MAX(n::VARCHAR) FROM range(100000) t(n)"


def main() -> None:
    """Serve the parent until it is gone. Never returns."""
    status = 0
    try:
        end_with_parent()
        _serve(Channel(socket.socket(fileno=int(sys.argv[1]))))
    except ChannelError:
        pass
    except MemoryError:
        status = NO_MEMORY_STATUS
    os._exit(status)  # DuckDB complains of objects that are left


def _serve(channel: Channel) -> None:
    settings = channel.receive().facts
    memory_max_bytes: int = settings["memory_max_bytes"]
    sessions = DuckdbSessions(
        int(memory_max_bytes * _BUFFERED_SHARE),
        settings["threads"],
        settings["temp_folder"],
        spill_max_bytes=settings["spill_max_bytes"],
        more_functions=open_addresses(settings["geoip_file"]) if settings["geoip_file"] else {},
        databases_kept_max=1,
    )
    with sessions.running(_WARM_UP, {}, Stop()) as session:  # has threads and memory that every query needs
        for _ in session.batches():
            pass
    idle_bytes = _data_bytes()
    _limit_process(int(idle_bytes + memory_max_bytes * _MAPPED_SHARE))
    grown_bytes = idle_bytes + memory_max_bytes * _GROWTH_MAX_SHARE
    has_room = True
    while has_room:
        channel.send(Kind.IDLE)
        lacked_memory = _run(channel, sessions, channel.receive())
        has_room = not lacked_memory and _data_bytes() <= grown_bytes


def _data_bytes() -> int:
    """What this process has mapped to write to; 0 where the system does not say."""
    try:
        statm = Path("/proc/self/statm").read_text(encoding="ascii")
    except OSError:
        return 0
    return int(statm.split()[_STATM_DATA]) * resource.getpagesize()


def _limit_process(data_max_bytes: int) -> None:
    resource.setrlimit(resource.RLIMIT_DATA, (data_max_bytes, data_max_bytes))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with suppress(OSError):  # where the machine lacks memory, it is this process that has to go
        Path("/proc/self/oom_score_adj").write_text("1000", encoding="ascii")


def _run(channel: Channel, sessions: DuckdbSessions, asked: Message) -> bool:
    """Run a query and send its rows; whether it failed for memory."""
    asking, passes = threading.Lock(), count()
    sources = {
        name: _Source(channel, asking, passes, number, table.schema)
        for number, (name, table) in enumerate(zip(asked.facts["names"], asked.tables, strict=True))
    }
    try:
        with sessions.running(asked.facts["sql"], sources, Stop()) as session:
            channel.send(Kind.ROWS, schemas=[session.schema], can_wait=True)
            for batch in session.batches():
                channel.send(Kind.ROWS, rows=batch, can_wait=True)
            channel.send(Kind.ENDED)  # the parent need not wait for what is closed
    except DuckdbFailure as failure:
        channel.send(Kind.ENDED, {"said": failure.said, "explained": failure.explained})
        return failure.is_of_memory
    except _NotRead:
        channel.send(Kind.ENDED)
    return False


class _NotRead(Exception):
    """The parent could not read what was asked for."""


class _Source:
    """What the parent reads; DuckDB's threads ask it one after the other."""

    def __init__(
        self, channel: Channel, asking: threading.Lock, passes: "count[int]", number: int, schema: pa.Schema
    ) -> None:
        self._channel = channel
        self._asking = asking
        self._passes = passes
        self._number = number
        self.schema = schema

    def __iter__(self) -> Iterator[pa.RecordBatch]:
        of_pass, is_last = next(self._passes), False
        while not is_last:
            with self._asking:
                self._channel.send(Kind.READ, {"scan": self._number, "of_pass": of_pass})
                answer = self._channel.receive()
            if answer.kind is Kind.NOT_READ:
                raise _NotRead
            is_last = answer.facts["is_last"]
            for table in answer.tables:
                yield from table.to_batches()


if __name__ == "__main__":
    main()
