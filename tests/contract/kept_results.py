"""The same result in Postgres and in files, for the contract of those who write results."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC
from pathlib import Path
from typing import Any, Protocol

import pyarrow as pa
import pyarrow.parquet as pq
from pyarrow import csv

from logdrain.model.jobs import Claim, Mode
from logdrain.model.result_files import FileFormat, FileTarget
from logdrain.ports.streams import ArrowStream
from logdrain.results.files.file_writer import FolderResultWriter
from tests.integration.results.result_table import ANOTHER_LEDGER, CLAIM, ResultTable, as_stream

Rows = list[tuple[Any, ...]]
TYPES = {"time": pa.timestamp("us", "UTC"), "item": pa.string(), "sum": pa.int64()}


class KeptResult(Protocol):
    """A result with columns time (the slice), item and sum."""

    def write(
        self, rows: ArrowStream | Mapping[str, Any], claim: Claim = CLAIM, mode: Mode = Mode.APPEND
    ) -> int:
        """Run a slice."""
        ...

    def rows(self) -> Rows:
        """All that a reader sees, in order."""
        ...

    def names(self) -> list[str]:
        """Of the columns."""
        ...


@dataclass(frozen=True)
class KeptTable:
    """In a Postgres that is not the ledger's."""

    url: str

    def write(
        self, rows: ArrowStream | Mapping[str, Any], claim: Claim = CLAIM, mode: Mode = Mode.APPEND
    ) -> int:
        return ResultTable(self.url, mode=mode).write(rows, claim)

    def rows(self) -> Rows:
        return ResultTable(self.url).rows()

    def names(self) -> list[str]:
        return list(ResultTable(self.url).types())


@dataclass(frozen=True)
class KeptFiles:
    """In a folder."""

    root: Path
    format: FileFormat
    writer: FolderResultWriter = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "writer", FolderResultWriter(str(self.root), lock_timeout_s=10))

    @property
    def target(self) -> FileTarget:
        return FileTarget(str(self.root), "payment_history", self.format)

    def write(
        self, rows: ArrowStream | Mapping[str, Any], claim: Claim = CLAIM, mode: Mode = Mode.APPEND
    ) -> int:
        stream = as_stream(rows) if isinstance(rows, Mapping) else rows
        target = replace(self.target, mode=mode)
        return self.writer.write(target, claim, stream, ledger_identity=ANOTHER_LEDGER)

    def rows(self) -> Rows:
        return sorted(row for table in self._tables() for row in _tuples(table))

    def names(self) -> list[str]:
        [names] = {tuple(table.schema.names) for table in self._tables()}
        return list(names)

    def files(self) -> list[Path]:
        """Every file that is not ours."""
        found = self.root.rglob("*")
        return sorted(path for path in found if path.is_file() and "/." not in str(path.relative_to("/")))

    def _tables(self) -> list[pa.Table]:
        return [_read(path) for path in self.files()]


def _read(path: Path) -> pa.Table:
    if path.suffix == ".parquet":
        return pq.read_table(path)
    return csv.read_csv(path, convert_options=csv.ConvertOptions(column_types=TYPES))


def _tuples(table: pa.Table) -> Rows:
    rows = zip(*(column.to_pylist() for column in table.columns), strict=True)
    return [(time.astimezone(UTC), *rest) for time, *rest in rows]
