"""Small disks that can be filled: a tmpfs each, where the harness may mount one."""

import os
import subprocess
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

_CHUNK_BYTES = 64 * 1024


@dataclass(frozen=True)
class SmallDisk:
    """A mounted tmpfs; `folder` is in it."""

    mount: Path

    @property
    def folder(self) -> Path:
        """What lives on it."""
        return self.mount / "folder"

    @property
    def _filler(self) -> Path:
        return self.mount / "filler"

    def fill(self) -> None:
        """Take all the room that is left."""
        with suppress(OSError), self._filler.open("wb", buffering=0) as filler:
            while True:
                filler.write(bytes(_CHUNK_BYTES))

    def clear(self) -> None:
        """Give the room back."""
        self._filler.unlink(missing_ok=True)

    def unmount(self) -> None:
        """Remove it, whoever still looks at it."""
        subprocess.run(["umount", "--lazy", str(self.mount)], check=False, capture_output=True)


def small_disk(mount: Path, size_mib: int) -> SmallDisk | None:
    """A disk of so many MiB, or None where this user may mount nothing."""
    mount.mkdir(parents=True)
    if os.geteuid() != 0:
        return None
    options = ["-t", "tmpfs", "-o", f"size={size_mib}m,mode=0700", "tmpfs", str(mount)]
    done = subprocess.run(["mount", *options], check=False, capture_output=True)
    disk = SmallDisk(mount)
    if done.returncode != 0:
        return None
    disk.folder.mkdir(mode=0o700)
    return disk
