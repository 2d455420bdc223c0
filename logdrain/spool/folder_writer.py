"""The one segment that is written: begun, appended to, given up at the first doubt."""

import errno
import os
import secrets
from contextlib import suppress
from pathlib import Path

from logdrain.spool import segments
from logdrain.spool.folder_files import sync_folder, write_whole


class SegmentWriter:
    """A new segment; every method may raise OSError.

    Attributes:
        key: The segment's.
        end: Octets that are durable.
        is_open: Whether it may be written further.
    """

    def __init__(self, path: Path) -> None:
        self.key = secrets.token_bytes(segments.KEY_SIZE)
        line = segments.first_line(self.key)
        self._descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        self.is_open = True
        try:
            write_whole(self._descriptor, line, 0)  # made durable along with the first entries
            sync_folder(path.parent)
        except OSError:
            self.close()
            with suppress(OSError):
                path.unlink()
            raise
        self.end = len(line)

    def append(self, octets: bytes) -> None:
        """Write behind the durable end and make it durable; where that fails, the end stays where it is."""
        try:
            write_whole(self._descriptor, octets, self.end)
        except OSError:
            self._take_back()
            raise
        try:
            os.fdatasync(self._descriptor)
            is_removed = os.fstat(self._descriptor).st_nlink == 0
        except OSError:
            # What the kernel now holds of these octets is unknown; a second fsync would call it durable.
            self._take_back()
            self.close()
            raise
        if is_removed:
            self.close()
            raise FileNotFoundError(errno.ENOENT, "the segment was removed while it was written")
        self.end += len(octets)

    def close(self) -> None:
        """Never write it again."""
        if self.is_open:
            self.is_open = False
            os.close(self._descriptor)

    def _take_back(self) -> None:
        try:
            os.ftruncate(self._descriptor, self.end)
        except OSError:  # what is left behind the end is found as a torn tail, or replayed: both are safe
            self.close()
