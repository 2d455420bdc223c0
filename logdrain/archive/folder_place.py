"""A place of the archive's files: a folder with an identity. A file is there whole, or not at all.

A place belongs to one installation: the ledger that lists its files. A shared folder is one place for all
machines that mount it; machines with folders of their own each have a place.
"""

import contextlib
import hashlib
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import NamedTuple

import msgspec

from logdrain.archive.folder_files import described_errors, sync_file, sync_folder
from logdrain.errors import ArchiveDamaged, ArchiveRefused, ArchiveUnavailable
from logdrain.model.archive import NewFile

IDENTITY_FILE = "logdrain-archive.json"
"""Which place this is."""

VERSION = 1
"""Of the layout of a place; a higher one is refused."""

_STAGING = ".new"
_READ_SIZE_BYTES = 2**20


class PlaceIdentity(msgspec.Struct, frozen=True):
    """What the identity file says.

    Attributes:
        id: Of the place.
        installation: The identity of the ledger that lists its files.
    """

    version: int
    id: str
    installation: str


class PlacedFile(NamedTuple):
    """A file that is committed.

    Attributes:
        name: Path below the place, with `/`.
        digest: BLAKE2b of its octets, 32 digits.
    """

    name: str
    digest: str
    size_bytes: int


class FolderPlace:
    """A folder of archive files; safe to use from several threads and processes.

    Args:
        folder: Absolute.
        installation: The identity of the ledger.
    """

    def __init__(self, folder: Path, installation: str) -> None:
        self.folder = folder
        self._installation = installation

    def open(self, known: str | None = None) -> PlaceIdentity:
        """Say which place this is; an empty folder becomes one, where none was known to be there.

        Args:
            known: The place that this machine has had in this folder.

        Raises:
            ArchiveUnavailable: the folder cannot be used, or the known place is gone.
            ArchiveRefused: it is another installation's, or a newer version's.
        """
        with described_errors(self.folder):
            found = self._read_identity()
            if found is None:
                if known is not None:  # a disk that is not mounted is an empty folder
                    raise ArchiveUnavailable(
                        f"the archive {self.folder} is gone: {IDENTITY_FILE} is missing",
                        hint="mount its disk; or name another folder",
                    )
                found = self._make_identity()
        if found.installation != self._installation:
            raise ArchiveRefused(
                f"the archive {self.folder} belongs to another installation of logdrain",
                hint="name another folder, or its own ledger in DATABASE_URL",
            )
        return found

    @contextmanager
    def staged(self) -> Iterator[Path]:
        """The path of a file to write; what is not committed is removed at the end.

        Raises:
            ArchiveUnavailable: the folder cannot be used.
        """
        with described_errors(self.folder):
            (self.folder / _STAGING).mkdir(exist_ok=True)
        path = self.folder / _STAGING / f"{secrets.token_hex(8)}.parquet"
        try:
            with described_errors(self.folder):
                yield path
        finally:
            with contextlib.suppress(OSError):
                path.unlink(missing_ok=True)

    def prepare(self, staged: Path, stem: str) -> PlacedFile:
        """Make a written file durable where it is, and say what it will be called.

        Args:
            staged: From `staged`; written and closed.
            stem: Where it belongs, without the digest: `production/pay/day=2026-07-01/09`.

        Raises:
            ArchiveUnavailable: the disk is full, read-only, or gone.
        """
        with described_errors(self.folder):
            digest, size_bytes = digest_of(staged)
            sync_file(staged)
        return PlacedFile(f"{stem}-{digest}.parquet", digest, size_bytes)

    def commit(self, staged: Path, file: PlacedFile) -> None:
        """Give a prepared file its place, durably.

        Raises:
            ArchiveUnavailable: the disk is full, read-only, or gone.
        """
        with described_errors(self.folder):
            target = self.path(file.name)
            made = [path for path in (target.parent, *target.parent.parents) if not path.exists()]
            target.parent.mkdir(parents=True, exist_ok=True)
            for path in made:
                sync_folder(path.parent)
            staged.replace(target)
            sync_folder(target.parent)

    def path(self, name: str) -> Path:
        """Where a file of the manifest is.

        Raises:
            ArchiveDamaged: the name leads out of the place.
        """
        pure = PurePosixPath(name)
        if pure.is_absolute() or ".." in pure.parts:
            raise ArchiveDamaged(f"the manifest names a file outside of the archive: {name!r}")
        return self.folder / pure

    def verify(self, file: PlacedFile | NewFile) -> None:
        """Read the whole file and compare it with what was written.

        Raises:
            ArchiveDamaged: it is gone or differs.
            ArchiveUnavailable: it cannot be read.
        """
        path = self.path(file.name)
        try:
            with described_errors(self.folder):
                digest, size_bytes = digest_of(path)
        except ArchiveUnavailable:
            if path.exists():
                raise
            raise ArchiveDamaged(f"the archive's file {file.name} is gone", hint=_BUILD_AGAIN) from None
        if (digest, size_bytes) != (file.digest, file.size_bytes):
            raise ArchiveDamaged(f"the archive's file {file.name} is damaged", hint=_BUILD_AGAIN)

    def remove(self, name: str, written_before_s: float) -> bool:
        """Delete a file that no generation needs any more; one that is gone is as good.

        A name is made from the content: the same file may just have been written again.

        Args:
            name: In the manifest.
            written_before_s: One that was written later stays, unix seconds.

        Raises:
            ArchiveUnavailable: the disk is read-only or gone.
        """
        path = self.path(name)
        with described_errors(self.folder):
            if not path.exists():
                return True
            if path.stat().st_mtime >= written_before_s:
                return False
            path.unlink(missing_ok=True)
            for folder in path.parents:
                if folder == self.folder:
                    break
                with contextlib.suppress(OSError):  # other files are in it, or it is gone with its file
                    folder.rmdir()
        return True

    def sweep(self, written_before_s: float) -> int:
        """Remove what killed builders left half written before this time; returns how many files.

        Raises:
            ArchiveUnavailable: the folder cannot be read.
        """
        count = 0
        staging = self.folder / _STAGING
        with described_errors(self.folder):
            if not staging.exists():
                return 0
            for path in staging.iterdir():
                with contextlib.suppress(FileNotFoundError):  # its builder was quicker
                    if path.stat().st_mtime < written_before_s:
                        path.unlink()
                        count += 1
        return count

    def _read_identity(self) -> PlaceIdentity | None:
        try:
            octets = (self.folder / IDENTITY_FILE).read_bytes()
        except FileNotFoundError:
            return None
        try:
            version = msgspec.json.decode(octets, type=dict[str, msgspec.Raw]).get("version")
            if version is not None and msgspec.json.decode(version, type=int) > VERSION:
                raise ArchiveRefused(
                    f"the archive {self.folder} was made by a newer version of logdrain",
                    hint="install that version, or name another folder",
                )
            return msgspec.json.decode(octets, type=PlaceIdentity)
        except msgspec.DecodeError as error:
            raise ArchiveRefused(
                f"{self.folder / IDENTITY_FILE} cannot be read: {error}",
                hint="name another folder, or restore the file",
            ) from error

    def _make_identity(self) -> PlaceIdentity:
        """The first of several that do this at once wins.

        A folder that holds anything else is not taken: somebody's home is no archive.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        if any(path.name not in {_STAGING, IDENTITY_FILE} for path in self.folder.iterdir()):
            raise ArchiveRefused(
                f"the folder {self.folder} is not empty and is no archive: {IDENTITY_FILE} is missing",
                hint="name an empty folder, or restore that file",
            )
        mine = PlaceIdentity(VERSION, secrets.token_hex(16), self._installation)
        staging = self.folder / _STAGING
        staging.mkdir(exist_ok=True)
        new = staging / f"{mine.id}.json"
        new.write_bytes(msgspec.json.format(msgspec.json.encode(mine)))
        sync_file(new)
        with contextlib.suppress(FileExistsError):
            os.link(new, self.folder / IDENTITY_FILE)
        new.unlink()
        sync_folder(self.folder)
        found = self._read_identity()
        if found is None:
            raise ArchiveUnavailable(f"the archive {self.folder} was removed in this moment")
        return found


_BUILD_AGAIN = "restore the file; MongoDB has its events"


def digest_of(path: Path) -> tuple[str, int]:
    """The digest of a file's octets, and how many they are.

    Raises:
        OSError: it cannot be read.
    """
    digest, size_bytes = hashlib.blake2b(digest_size=16), 0
    with path.open("rb") as file:
        while octets := file.read(_READ_SIZE_BYTES):
            digest.update(octets)
            size_bytes += len(octets)
    return digest.hexdigest(), size_bytes
