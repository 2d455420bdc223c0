"""Files that survive a power loss, and what the system's errors mean for the archive."""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from logdrain.errors import ArchiveUnavailable

_HINTS = {
    errno.ENOSPC: "make room on its disk",
    errno.EDQUOT: "the disk quota is used up: make room, or raise it",
    errno.EROFS: "its disk is read-only: mount it writable, or name another folder",
    errno.EACCES: "let this user write there, or name another folder",
    errno.EPERM: "let this user write there, or name another folder",
    errno.ENOTDIR: "a file stands in its path: name another folder",
    errno.EEXIST: "a file stands in its path: name another folder",
    errno.ENOENT: "mount its disk, or see where the folder went",
    errno.ESTALE: "the network drive has to be mounted again",
    errno.EIO: "its disk is failing: see the system's log",
    errno.EMFILE: "the process has too many open files: raise `ulimit -n`",
}


@contextmanager
def described_errors(folder: Path) -> Iterator[None]:
    """The system's errors in words for the operator.

    Raises:
        ArchiveUnavailable: instead of an OSError.
    """
    try:
        yield
    except OSError as error:
        raise ArchiveUnavailable(
            f"the archive {folder} cannot be used: {error.strerror or error}",
            hint=_HINTS.get(error.errno or 0, "see the system's log"),
        ) from error


def sync_file(path: Path) -> None:
    """Make a file's octets durable."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sync_folder(folder: Path) -> None:
    """Make a folder's list of files durable."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
