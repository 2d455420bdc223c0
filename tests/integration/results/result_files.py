"""Writing results of files in tests."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from logdrain.model.jobs import Mode
from logdrain.model.result_files import FileFormat, FileTarget
from logdrain.ports.streams import ArrowStream
from logdrain.results.files.file_writer import FolderResultWriter
from tests.integration.results.result_table import (
    ANOTHER_LEDGER,
    CLAIM,
    SLICE_S,
    as_stream,
)

ROWS = as_stream({"time": [SLICE_S], "item": ["milk"]})


def write(root: Path, target: FileTarget, rows: ArrowStream = ROWS, **changes: Any) -> int:
    writer = FolderResultWriter(str(root), lock_timeout_s=0.05)
    return writer.write(target, replace(CLAIM, **changes), rows, ledger_identity=ANOTHER_LEDGER)


def target(folder: Path, **changes: Any) -> FileTarget:
    return replace(FileTarget(str(folder), "pay"), **changes)


def csv_of(root: Path, columns: dict[str, Any], **changes: Any) -> str:
    write(root, target(root, format=FileFormat.CSV, mode=Mode.REPLACE, **changes), as_stream(columns))
    return (root / "pay.csv").read_bytes().decode()


def everything(root: Path) -> list[str]:
    return sorted(str(path.relative_to(root)) for path in root.rglob("*") if path.is_file())
