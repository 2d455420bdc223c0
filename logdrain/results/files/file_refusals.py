"""What the system says of files -> errors of ours: what passes by itself is retryable."""

import errno

from logdrain.errors import LogdrainError, ResultRefused, ResultUnavailable

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
