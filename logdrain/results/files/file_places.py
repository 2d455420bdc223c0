"""Where a slice's file is, below the folder that results may be written to.

`TABLE/20120301T000000Z.parquet`, a file for each slice, named by its scheduled time in UTC; or one file,
`TABLE.parquet`, where the mode leaves one slice only.

Beside them is a hidden folder of ours: `TABLE/.logdrain` or `.TABLE.logdrain`.
"""

from datetime import UTC, datetime
from pathlib import PurePosixPath
from typing import NamedTuple

from logdrain.errors import ResultRefused
from logdrain.model.result_files import FileTarget

NAME_BYTES_MAX = 255
"""Of one name in a path (NAME_MAX of Linux' file systems)."""

SETTING = "LOGDRAIN_RESULT_FOLDER"
_OWN = ".logdrain"


class FilePlace(NamedTuple):
    """A slice's file.

    Attributes:
        root: The folder that results may be written to, absolute.
        folders: Names of the folders from there to the file.
        name: The file's.
        own: The name of our folder beside it.
    """

    root: str
    folders: tuple[str, ...]
    name: str
    own: str

    def __str__(self) -> str:
        return "/".join((self.root.rstrip("/"), *self.folders, self.name))


def file_place(target: FileTarget, scheduled_at: datetime, root: str) -> FilePlace:
    """Where the slice's file goes.

    Args:
        target: What the result's URL says.
        scheduled_at: The slice's time, aware.
        root: LOGDRAIN_RESULT_FOLDER, absolute and without `..`; "" where it is not set.

    Raises:
        ResultRefused: results may not be written there.
    """
    if not root:
        raise ResultRefused(
            "this worker writes no files: LOGDRAIN_RESULT_FOLDER is not set",
            hint=f"whoever runs it decides: {SETTING}=/a/folder, and results below it are written",
        )
    folders = _below(root, target)
    ending = target.format.value
    if target.mode.facts.holds_one_slice:
        return FilePlace(root, folders, f"{target.table}.{ending}", f".{target.table}{_OWN}")
    return FilePlace(root, (*folders, target.table), f"{_compact(scheduled_at)}.{ending}", _OWN)


def _below(root: str, target: FileTarget) -> tuple[str, ...]:
    """The folders between the two, by their names alone: links are for who opens them."""
    folder = PurePosixPath(target.folder)
    allowed = PurePosixPath(root)
    if not folder.is_relative_to(allowed):
        raise ResultRefused(
            f"{folder / target.table} is not below {allowed}, where results are written to",
            hint=f"write file://{allowed}/TABLE, or have {SETTING} changed",
        )
    names = folder.relative_to(allowed).parts
    for name in names:
        if name.startswith(".") or len(name.encode()) > NAME_BYTES_MAX:
            raise ResultRefused(
                f"{folder} has a folder in it that is hidden, or whose name is above {NAME_BYTES_MAX} bytes",
                hint="choose another folder",
            )
    return names


def _compact(instant: datetime) -> str:
    """ISO 8601, basic format: in order of time, and free of what file names cannot have everywhere."""
    text = instant.astimezone(UTC).isoformat(timespec="seconds")
    return text.replace("+00:00", "Z").replace("-", "").replace(":", "")
