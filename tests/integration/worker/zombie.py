"""A worker as a process of its own, which reads on when it is told to.

It runs the slice that waits in LEDGER_URL; says `reading` once it has its first rows, and reads the rest
after a line on STDIN. Exit status 0; how the run went is in its log, on STDERR.
"""

import os
import sys
from collections.abc import Iterator
from datetime import datetime

import pyarrow as pa

from logdrain.ports.streams import ArrowStream
from tests.integration.worker.fixed_runs import opened_ledger, opened_worker, select_sums

_OLD = {"milk": 1, "tea": 2}


def _slowly(rows: ArrowStream) -> Iterator[pa.RecordBatch]:
    """Rows that stop in the middle until a line comes."""
    sys.stdout.write("reading\n")
    sys.stdout.flush()
    sys.stdin.readline()
    yield from rows


def _select(instant: datetime) -> ArrowStream:
    rows = select_sums(_OLD)(instant)
    return ArrowStream(rows.schema, _slowly(rows))


if __name__ == "__main__":
    with opened_ledger(os.environ["LEDGER_URL"]) as ledger, opened_worker(ledger, _select) as worker:
        worker.run_one()
