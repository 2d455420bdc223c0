"""Where queries spill to: a folder that goes with its process, however that ends."""

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_PREFIX = "logdrain-query-"
_TRIES = 5  # another process may be looking at a folder before it is locked


@contextmanager
def open_spill_folder(parent: Path | None = None) -> Iterator[Path]:
    """A new folder of this process; folders of processes that were killed are removed first.

    A folder is locked while its process lives, so an unlocked one has nobody.

    Args:
        parent: Where it is made; None: the system's folder for temporary files.

    Raises:
        OSError: there is no place for it.
    """
    parent = parent or Path(tempfile.gettempdir())
    for folder in parent.glob(f"{_PREFIX}*"):
        _remove_without_owner(folder)
    folder, lock = _made(parent)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        if lock is not None:
            os.close(lock)


def _made(parent: Path) -> tuple[Path, int | None]:
    for _ in range(_TRIES):
        folder = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=parent))
        lock = _lock(folder)
        if lock is not None:
            return folder, lock
        shutil.rmtree(folder, ignore_errors=True)
    # A file system without locks: nobody else can lock it either, so nobody takes it away.
    return Path(tempfile.mkdtemp(prefix=_PREFIX, dir=parent)), None


def _remove_without_owner(folder: Path) -> None:
    lock = _lock(folder)
    if lock is not None:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(lock)


def _lock(folder: Path) -> int | None:
    """Lock one's own folder; None where another has done so, or has removed it."""
    try:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    except OSError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        opened = os.fstat(descriptor)
        is_own = opened.st_uid == os.geteuid() and os.path.samestat(opened, folder.stat())
    except OSError:
        is_own = False
    if is_own:
        return descriptor
    os.close(descriptor)
    return None
