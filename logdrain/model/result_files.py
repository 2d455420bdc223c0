"""Nouns of results that are files."""

from dataclasses import dataclass
from enum import StrEnum

from logdrain.model.jobs import Mode, ResultTarget


class FileFormat(StrEnum):
    """How rows are written to files; the values are the files' endings."""

    PARQUET = "parquet"
    CSV = "csv"


@dataclass(frozen=True, slots=True)
class FileTarget:
    """A result of files: a file for each slice, or one that is replaced where the mode leaves one slice only.

    Attributes:
        folder: Absolute path, as given; links in it have not been followed.
        table: Name of the slices' folder in it, or of the one file without its ending.
        mode: One that takes files.
        unix_time: Keep columns named `time` as integers instead of timestamps.
        time_is_start: `time` is where the slice begins, not its scheduled time, where it ends.
    """

    folder: str
    table: str
    format: FileFormat = FileFormat.PARQUET
    mode: Mode = Mode.APPEND
    unix_time: bool = False
    time_is_start: bool = False

    def is_repeatable(self, slice_column: str | None) -> bool:  # noqa: ARG002  # asked as of a table
        """True: a file is replaced whole, whatever columns it has."""
        return True


Target = ResultTarget | FileTarget
"""Where a result goes."""
