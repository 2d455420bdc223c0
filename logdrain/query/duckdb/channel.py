"""What a process that runs DuckDB and its parent say to each other: lines of JSON, and Arrow behind them.

The parent says OPEN once, and the child IDLE whenever it can run a query. The parent asks with RUN; the
child answers with ROWS, again and again, and at last with ENDED. In between it asks for what it reads with
READ, one batch at a time: BATCH or NOT_READ is the answer. So what waits on the way is bounded. Nothing that
comes from the child is run: no pickles.
"""

import json
import socket
import threading
from collections.abc import Iterable, Mapping
from contextlib import suppress
from enum import StrEnum
from typing import Any, NamedTuple

import pyarrow as pa

_BUFFER_BYTES = 256 * 1024
_LINE_MAX_BYTES = 64 * 1024 * 1024


class Kind(StrEnum):
    """What a message is about."""

    OPEN = "open"
    IDLE = "idle"
    RUN = "run"
    READ = "read"
    BATCH = "batch"
    NOT_READ = "not_read"
    ROWS = "rows"
    ENDED = "ended"


class Message(NamedTuple):
    """A message.

    Attributes:
        facts: JSON values.
        tables: What came as Arrow.
    """

    kind: Kind
    facts: dict[str, Any]
    tables: list[pa.Table]


class ChannelError(Exception):
    """The other side is gone."""


class Channel:
    """One end; one thread at a time may receive, any may send."""

    def __init__(self, end: socket.socket) -> None:
        self._end = end
        self._reads = end.makefile("rb", buffering=_BUFFER_BYTES)
        self._writes = end.makefile("wb", buffering=_BUFFER_BYTES)
        self._sending = threading.Lock()

    def send(
        self,
        kind: Kind,
        facts: Mapping[str, object] | None = None,
        *,
        schemas: Iterable[pa.Schema] = (),
        rows: pa.RecordBatch | None = None,
        can_wait: bool = False,
    ) -> None:
        """Send a message; returns when the other side, or a small buffer, has it.

        Args:
            kind: What it is about.
            facts: JSON values.
            schemas: Each comes as a table without rows.
            rows: Comes as a table behind these.
            can_wait: Whether it may go with the next message: to wake the other side takes time.

        Raises:
            ChannelError: the other side is gone.
        """
        tables = [(schema, None) for schema in schemas] + ([(rows.schema, rows)] if rows is not None else [])
        line = json.dumps({**(facts or {}), "kind": kind, "tables": len(tables)})
        with self._sending:
            try:
                self._writes.write(line.encode() + b"\n")
                for schema, batch in tables:
                    with pa.ipc.new_stream(self._writes, schema) as stream:
                        if batch is not None:
                            stream.write_batch(batch)
                if not can_wait:
                    self._writes.flush()
            except (OSError, ValueError) as error:
                raise ChannelError from error

    def receive(self) -> Message:
        """Wait for the next message.

        Raises:
            ChannelError: the other side is gone.
        """
        try:
            line = self._reads.readline(_LINE_MAX_BYTES)
            facts = json.loads(line) if line.endswith(b"\n") else {}
            if not facts:
                raise ChannelError
            kind, count = Kind(facts.pop("kind")), facts.pop("tables")
            tables = [pa.ipc.open_stream(self._reads).read_all() for _ in range(count)]
        except MemoryError:  # Arrow's is an ArrowException, too
            raise
        except (OSError, ValueError, pa.ArrowException) as error:
            raise ChannelError from error
        return Message(kind, facts, tables)

    def close(self) -> None:
        """Close this end."""
        for file in (self._reads, self._writes, self._end):
            with suppress(OSError):  # what is buffered cannot be sent any more
                file.close()
