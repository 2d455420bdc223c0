"""The data folder of `logdrain up`: whose it is, what is in it, who uses it, and what runs now.

    layout         says that the folder is ours, and of which version
    lock           locked by the one process that uses the folder; has its pid
    keys.json      one generated key per scope, made once
    state.json     what runs now; commands find their servers here
    mongodb/  postgres/

All files have mode 0600, the folder 0700.
"""

import fcntl
import json
import os
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

from logdrain.errors import SandboxFolderBroken, SandboxFolderBusy
from logdrain.model.keys import Scope
from logdrain.sandbox.folder_private import make_private_folder, read_private, write_private

_LAYOUT = "logdrain sandbox 1\n"
_LAYOUT_FILE = "layout"
_LOCK_FILE = "lock"
_KEYS_FILE = "keys.json"
_STATE_FILE = "state.json"
_KEY_BYTES = 32
_LOCK_PATIENCE_S = 0.5  # a reader of the state holds the lock for a moment
_LOCK_POLL_S = 0.02


@dataclass(frozen=True, slots=True)
class SandboxState:
    """What runs in a data folder now.

    Attributes:
        pid: The process of `logdrain up`.
        port: Where drain and API listen.
        drain: Drain URL with its key.
        api: API URL.
        postgres: Postgres URL with its password.
        mongodb: MongoDB URL.
    """

    pid: int
    port: int
    drain: str = field(repr=False)
    api: str
    postgres: str = field(repr=False)
    mongodb: str = field(repr=False)


class DataFolder:
    """A data folder in use by this process alone, from `with` to its end.

    Args:
        path: Made where it is missing.
    """

    def __init__(self, path: Path) -> None:
        self.path = path.resolve()
        self.mongodb = self.path / "mongodb"
        self.postgres = self.path / "postgres"
        self.spool = self.path / "spool"
        self._lock: int | None = None

    def __enter__(self) -> Self:
        """Take the folder.

        Raises:
            SandboxFolderBusy: another process uses it; the message has its pid.
            SandboxFolderBroken: it cannot be used, is not ours, or is of another version.
        """
        try:
            make_private_folder(self.path)
            _require_ours_or_empty(self.path)
            self._lock = _lock(self.path / _LOCK_FILE)
            if not (self.path / _LAYOUT_FILE).exists():
                write_private(self.path / _LAYOUT_FILE, _LAYOUT)
            (self.path / _STATE_FILE).unlink(missing_ok=True)  # left by a process that was killed
        except OSError as error:
            self._unlock()
            raise SandboxFolderBroken(
                f"the data folder {self.path} cannot be used: {error.strerror}",
                hint="choose another with --data",
            ) from error
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Give the folder back: nothing runs in it any more."""
        (self.path / _STATE_FILE).unlink(missing_ok=True)
        self._unlock()

    def keys(self) -> dict[Scope, str]:
        """One key per scope; made by the first call, the same ever after.

        Raises:
            SandboxFolderBroken: the keys are there but cannot be read.
        """
        keys = read_keys(self.path)
        if keys is None:
            keys = {scope: secrets.token_urlsafe(_KEY_BYTES) for scope in Scope}
            write_private(self.path / _KEYS_FILE, json.dumps(keys, indent=2) + "\n")
        return keys

    def write_state(self, state: SandboxState) -> None:
        """Say what runs now."""
        write_private(self.path / _STATE_FILE, json.dumps(asdict(state), indent=2) + "\n")

    def _unlock(self) -> None:
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None


def read_state(path: Path) -> SandboxState | None:
    """What runs in a data folder now, or None where nothing does (also where its process was killed).

    Raises:
        SandboxFolderBroken: the state is there but cannot be read.
    """
    with _reading(path / _STATE_FILE):
        text = read_private(path / _STATE_FILE) if _is_held(path / _LOCK_FILE) else None
        return SandboxState(**json.loads(text)) if text else None


def read_keys(path: Path) -> dict[Scope, str] | None:
    """The keys of a data folder, or None where none have been made.

    Raises:
        SandboxFolderBroken: the keys are there but cannot be read.
    """
    with _reading(path / _KEYS_FILE):
        text = read_private(path / _KEYS_FILE)
        if text is None:
            return None
        keys = json.loads(text)
        return {scope: str(keys[scope.value]) for scope in Scope}


def is_data_folder(path: Path) -> bool:
    """Whether a folder has our mark, of any version."""
    return (path / _LAYOUT_FILE).is_file()


def _require_ours_or_empty(path: Path) -> None:
    layout = read_private(path / _LAYOUT_FILE)
    if layout == _LAYOUT:
        return
    if layout is not None:
        raise SandboxFolderBroken(
            f"the data folder {path} is of another version: {layout.strip()!r}, not {_LAYOUT.strip()!r}",
            hint="choose another with --data, or remove it to start afresh",
        )
    # A first start may be under way, or was killed before it had made its mark.
    strangers = [
        entry.name for entry in path.iterdir() if entry.name.split(".")[0] not in {_LOCK_FILE, _LAYOUT_FILE}
    ]
    if strangers:
        raise SandboxFolderBroken(
            f"{path} is no data folder of logdrain: it has no file {_LAYOUT_FILE!r}, but {min(strangers)!r}",
            hint="choose an empty or a new folder with --data",
        )


def _lock(path: Path) -> int:
    """The lock, as the descriptor that holds it; child processes do not inherit it (PEP 446)."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    deadline_s = time.monotonic() + _LOCK_PATIENCE_S
    while not _try_lock(descriptor, fcntl.LOCK_EX):
        if time.monotonic() > deadline_s:
            holder = os.pread(descriptor, 20, 0).decode("ascii", "replace").strip() or "unknown"
            os.close(descriptor)
            raise SandboxFolderBusy(
                f"the data folder {path.parent} is in use by process {holder}",
                hint="stop that `logdrain up` first, or choose another folder with --data",
            )
        time.sleep(_LOCK_POLL_S)
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
    return descriptor


def _try_lock(descriptor: int, kind: int) -> bool:
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _is_held(path: Path) -> bool:
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except FileNotFoundError:
        return False
    try:
        return not _try_lock(descriptor, fcntl.LOCK_SH)
    finally:
        os.close(descriptor)


@contextmanager
def _reading(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise SandboxFolderBroken(
            f"{path} cannot be read: {error.strerror}", hint="run this as the user who runs `logdrain up`"
        ) from error
    except (ValueError, TypeError, KeyError) as error:
        raise SandboxFolderBroken(
            f"{path} is damaged", hint="remove it, and start `logdrain up` again"
        ) from error
