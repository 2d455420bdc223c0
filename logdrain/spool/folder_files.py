"""Files and folders that survive a power loss, and what the system's errors mean for the spool."""

import errno
import os
from pathlib import Path

from logdrain.errors import SpoolUnavailable
from logdrain.spool.segments import ReadAt

_HINTS = {
    errno.ENOSPC: "make room on its disk; LOGDRAIN_SPOOL_SIZE_MAX_BYTES keeps the spool below a bound",
    errno.EDQUOT: "the disk quota is used up; LOGDRAIN_SPOOL_SIZE_MAX_BYTES keeps the spool below a bound",
    errno.EFBIG: "the process may not write files of this size: raise `ulimit -f`",
    errno.EROFS: "its disk is read-only: mount it writable, or name another folder in LOGDRAIN_SPOOL_FOLDER",
    errno.EACCES: "let this user write there, or name another folder in LOGDRAIN_SPOOL_FOLDER",
    errno.EPERM: "let this user write there, or name another folder in LOGDRAIN_SPOOL_FOLDER",
    errno.EEXIST: "something else stands at this path: name another folder in LOGDRAIN_SPOOL_FOLDER",
    errno.ENOTDIR: "a file stands in its path: name another folder in LOGDRAIN_SPOOL_FOLDER",
    errno.ENOENT: "the folder was removed; it is made again",
    errno.EIO: "its disk is failing: see the system's log",
    errno.EMFILE: "the process has too many open files: raise `ulimit -n`",
}
_GONE = (errno.ENOENT, errno.ENOTDIR, errno.ESTALE)


def unavailable(error: OSError, folder: Path) -> SpoolUnavailable:
    """The system's error in words for whoever runs the drain."""
    hint = _HINTS.get(error.errno or 0, "see the system's log")
    return SpoolUnavailable(f"the spool {folder} cannot be used: {error.strerror or error}", hint=hint)


def is_gone(error: OSError) -> bool:
    """Whether the folder, or a file that should be in it, is not there any more."""
    return error.errno in _GONE


def disk_room(folder: Path) -> tuple[int, int]:
    """Octets that are free on the folder's disk, and all of them; the folder may still have to be made.

    Raises:
        SpoolUnavailable: the disk cannot be asked.
    """
    there = next(path for path in (folder, *folder.absolute().parents) if path.exists())
    try:
        disk = os.statvfs(there)
    except OSError as error:
        raise unavailable(error, folder) from error
    return disk.f_bavail * disk.f_frsize, disk.f_blocks * disk.f_frsize


def make_folder(folder: Path) -> None:
    """Make a folder of mode 0700 where there is none; it is still there after a power loss."""
    made = [path for path in (folder, *folder.parents) if not path.exists()]
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for path in made:
        sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Make the folder's list of files durable."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_whole(descriptor: int, octets: bytes, offset: int) -> None:
    """Write all of it: a disk that fills up takes a part first, and only then says so."""
    rest = memoryview(octets)
    while rest:
        written = os.pwrite(descriptor, rest, offset)
        rest, offset = rest[written:], offset + written


def cut(path: Path, size: int) -> None:
    """Shorten a file, durably."""
    descriptor = os.open(path, os.O_WRONLY)
    try:
        os.ftruncate(descriptor, size)
        os.fdatasync(descriptor)
    finally:
        os.close(descriptor)


def reader(descriptor: int) -> ReadAt:
    """Read anywhere in an open file."""
    return lambda offset, size: os.pread(descriptor, size, offset)
