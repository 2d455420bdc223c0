"""Files below one folder, by names and never by paths: no link leads out, and no link is followed.

Every name is opened from the descriptor of the folder that it is in (openat(2), O_NOFOLLOW), so what is
checked is what is written, whatever others do in the folder meanwhile.
"""

import contextlib
import errno
import fcntl
import os
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from logdrain.errors import LogdrainError, ResultRefused, ResultUnavailable

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
_FILE_MODE, _FOLDER_MODE = 0o666, 0o777  # what the umask leaves of them
_LOCK = "lock"
_LOOK_S = 0.02

_TRANSIENT = {
    errno.ENOSPC: "make room on its disk",
    errno.EDQUOT: "the disk quota is used up: make room, or raise it",
    errno.EIO: "its disk is failing: see the system's log",
    errno.ESTALE: "the network drive has to be mounted again",
    errno.EMFILE: "the process has too many open files: raise `ulimit -n`",
    errno.ENFILE: "the system has too many open files",
    errno.ENOENT: "LOGDRAIN_RESULT_FOLDER is not there: make it, or mount its disk",
}
_LASTING = {
    errno.EACCES: "let the worker's user write there",
    errno.EPERM: "let the worker's user write there",
    errno.EROFS: "the disk is read-only: mount it writable, or change LOGDRAIN_RESULT_FOLDER",
    errno.EFBIG: "the process may not write files of this size: raise `ulimit -f`",
    errno.ENOTDIR: "a file or a symbolic link stands in its path, and links are not followed",
    errno.ELOOP: "a symbolic link stands in its path, and links are not followed",
    errno.EISDIR: "a folder stands at this path: choose another table name",
    errno.ENAMETOOLONG: "choose shorter names",
    errno.EOPNOTSUPP: "the file system has no locks, and two workers could not be told apart: use another",
    errno.ENOLCK: "the file system has no locks, and two workers could not be told apart: use another",
}


@contextmanager
def opened_folder(root: str, names: Sequence[str]) -> Iterator[int]:
    """The descriptor of a folder; folders that are missing below `root` are made.

    Raises:
        OSError: `root` is not there, or something else than a folder stands in the way.
    """
    descriptor = os.open(root, _FOLDER)  # the operator's own, which may be a link
    try:
        for name in names:
            inner = _open_or_make(name, descriptor)
            os.close(descriptor)
            descriptor = inner
        yield descriptor
    finally:
        os.close(descriptor)


@contextmanager
def opened_own(folder: int, name: str) -> Iterator[int]:
    """The descriptor of our folder in a folder; it is made where it is missing."""
    descriptor = _open_or_make(name, folder)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


@contextmanager
def locked(folder: int, timeout_s: float) -> Iterator[None]:
    """Be the only one who has the lock of a folder, in this process or any other.

    Raises:
        ResultUnavailable: somebody else has it all that time.
        OSError: the lock file cannot be opened, or the file system has no locks.
    """
    flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
    descriptor = os.open(_LOCK, flags, _FILE_MODE, dir_fd=folder)
    try:
        deadline_s = time.monotonic() + timeout_s
        while not _has_taken(descriptor):
            if time.monotonic() > deadline_s:
                raise ResultUnavailable(f"another run has had the lock of the result for {timeout_s:g} s")
            time.sleep(_LOOK_S)
        yield
    finally:
        os.close(descriptor)


def create(folder: int, name: str) -> int:
    """The descriptor of a new file to write; one of that name is begun anew."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC
    return os.open(name, flags, _FILE_MODE, dir_fd=folder)


def exists(folder: int, name: str) -> bool:
    """Whether there is anything of this name."""
    try:
        os.stat(name, dir_fd=folder, follow_symlinks=False)
    except FileNotFoundError:
        return False
    return True


def read(folder: int, name: str, size_max: int) -> bytes | None:
    """The first octets of a file; None where there is none."""
    try:
        descriptor = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=folder)
    except FileNotFoundError:
        return None
    try:
        return os.read(descriptor, size_max)
    finally:
        os.close(descriptor)


def put(folder: int, name: str, octets: bytes) -> None:
    """A small file with this content, in place of the one of that name; durable, and never half."""
    new = f"{name}.new"
    descriptor = create(folder, new)
    with open(descriptor, "wb") as file:  # noqa: PTH123  # a descriptor has no path
        file.write(octets)
        file.flush()
        os.fsync(file.fileno())
    os.rename(new, name, src_dir_fd=folder, dst_dir_fd=folder)  # names in open folders, no paths
    os.fsync(folder)


def move(source: int, name: str, target: int, new_name: str) -> None:
    """Rename a file from one folder into another; durable, and at no time is neither there.

    Raises:
        FileNotFoundError: it is not there any more.
        OSError: see rename(2).
    """
    os.rename(name, new_name, src_dir_fd=source, dst_dir_fd=target)  # names in open folders, no paths
    os.fsync(target)


def names_in(folder: int) -> list[str]:
    """What is in a folder."""
    return os.listdir(folder)  # a descriptor has no path


def remove(folder: int, name: str) -> None:
    """Delete a file, if it is there."""
    with contextlib.suppress(FileNotFoundError):
        os.unlink(name, dir_fd=folder)  # a name in an open folder, no path


def file_error(error: OSError, path: str) -> LogdrainError:
    """The error that stands for one of the system's, when a result is written.

    Args:
        error: From the system.
        path: The result's file.
    """
    number = error.errno or 0
    message = f"the file {path} cannot be written: {error.strerror or error}"
    if number in _LASTING:
        return ResultRefused(message, hint=_LASTING[number])
    return ResultUnavailable(message, hint=_TRANSIENT.get(number, "see the system's log"))


def _open_or_make(name: str, parent: int) -> int:
    flags = _FOLDER | os.O_NOFOLLOW
    try:
        return os.open(name, flags, dir_fd=parent)
    except FileNotFoundError:
        with contextlib.suppress(FileExistsError):  # another worker makes it, too
            os.mkdir(name, _FOLDER_MODE, dir_fd=parent)
        os.fsync(parent)
        return os.open(name, flags, dir_fd=parent)


def _has_taken(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
