"""One process at a time: a lock that the kernel gives back when its holder ends, however it ends."""

import contextlib
import fcntl
import os
from pathlib import Path

from logdrain.errors import SpoolUnavailable

_LOCK_FILE = "lock"
_PROCESS_ID_SIZE_MAX = 20


def lock_folder(folder: Path) -> int:
    """Take the folder; returns the descriptor that holds it until it is closed.

    Raises:
        SpoolUnavailable: another process has it.
        OSError: the lock file cannot be opened.
    """
    descriptor = os.open(folder / _LOCK_FILE, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        holder = os.pread(descriptor, _PROCESS_ID_SIZE_MAX, 0).decode("ascii", "replace").strip() or "unknown"
        os.close(descriptor)
        raise SpoolUnavailable(
            f"the spool {folder} is in use by process {holder}",
            hint="it is free when that process ends; two drains need two folders (LOGDRAIN_SPOOL_FOLDER)",
        ) from error
    except BaseException:
        os.close(descriptor)
        raise
    # For people only: a full disk does not keep the lock from holding.
    with contextlib.suppress(OSError):
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, b"%d\n" % os.getpid(), 0)
    return descriptor
