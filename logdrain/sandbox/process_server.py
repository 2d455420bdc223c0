"""The life of one server process: started, awaited, stopped, and never left behind.

Three nets keep a server from outliving us: `stop`, a parent-death signal (Linux), and a look for an orphan
of the same folder before each start. Every server has a session of its own, so that Ctrl-C in the terminal
does not reach it before `stop` does.
"""

import contextlib
import os
import select
import signal
import subprocess
import sys
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from logdrain.errors import NotRunning, SandboxServerFailed
from logdrain.sandbox import process_child
from logdrain.sandbox.folder_port import choose_port, is_free, is_open, remember_port
from logdrain.sandbox.folder_private import make_private_folder, read_private, write_private
from logdrain.sandbox.server_log import tell_why

_POLL_S = 0.05
_START_TIMEOUT_S = 60.0
_PORT_ATTEMPTS = 3
_INHERITED = ("PATH", "LD_LIBRARY_PATH", "HOME", "TMPDIR")
_LOG_TAIL_BYTES = 100_000
_NAMELESS_S = 2.0

# The kernel sends the parent-death signal when the *thread* that started the child ends (prctl(2)).
# So one thread starts them all, and lives as long as the process.
_SPAWNER = ThreadPoolExecutor(max_workers=1, thread_name_prefix="sandbox-spawner")

StopStep = tuple[signal.Signals, float]
"""A signal, and how many seconds to wait for the end before the next step."""


def child_command(command: Sequence[str], *, death_signal: signal.Signals, user: str = "same") -> list[str]:
    """A command whose process gets `death_signal` when this process ends; see `process_child` for `user`."""
    launcher = [sys.executable, "-I", "-S", process_child.__file__]
    return [*launcher, str(os.getpid()), str(int(death_signal)), user, *command]


class SandboxServer(ABC):
    """One server in one folder: `data` is the server's own, `log`, `port` and `pid` are ours.

    Args:
        name: What people call it.
        folder: Made where it is missing, mode 0700.
        stop_steps: How it is stopped, gently first.
    """

    def __init__(self, name: str, folder: Path, stop_steps: Sequence[StopStep]) -> None:
        self.name = name
        self.folder = folder.resolve()
        self.data = self.folder / "data"
        self.log = self.folder / "log"
        self._pid_file = self.folder / "pid"
        self._stop_steps = stop_steps
        self._process: subprocess.Popen[bytes] | None = None
        self._port = 0

    @property
    def pid(self) -> int:
        """The server's process id.

        Raises:
            NotRunning: it is not started.
        """
        return self._started().pid

    @property
    def port(self) -> int:
        """The loopback port it listens on.

        Raises:
            NotRunning: it is not started.
        """
        self._started()
        return self._port

    def poll(self) -> int | None:
        """None while it runs, else its exit status (negative: the signal that ended it).

        Raises:
            NotRunning: it is not started.
        """
        return self._started().poll()

    @property
    @abstractmethod
    def uri(self) -> str:
        """Where it answers, ready for a driver; may hold a password.

        Raises:
            NotRunning: it is not started.
        """

    def start(self) -> None:
        """Make the data where there is none, start the server, wait until it answers; nothing where it runs.

        Raises:
            SandboxWheelMissing: there is no program to start.
            SandboxServerFailed: it died or did not answer in time; the message tells why.
            SandboxFolderBroken: its folder lacks something.
        """
        if self._process is not None and self.poll() is None:
            return
        try:
            make_private_folder(self.folder)
            self._stop_orphan()
            self._start()
        except OSError as error:
            self.stop()
            raise SandboxServerFailed(
                f"{self.name} cannot use {error.filename or self.folder}: {error.strerror}",
                hint="choose another folder with --data, or make room and permissions in this one",
            ) from error
        except BaseException:  # also an interrupt: nothing is left running
            self.stop()
            raise

    def stop(self) -> None:
        """Stop it in order and wait for its end; does nothing where it is not started."""
        if self._process is None:
            return
        for number, wait_s in self._stop_steps:
            self._process.send_signal(number)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(wait_s)
                break
        self._process.wait()
        self._forget()

    def check(self) -> None:
        """Look whether it still runs.

        Raises:
            NotRunning: it is not started.
            SandboxServerFailed: it stopped by itself; the message tells why.
        """
        status = self.poll()
        if status is not None:
            raise self._failed(f"stopped by itself, exit status {status}")

    @abstractmethod
    def _start(self) -> None:
        """Prepare the data, and `_launch`; the folder is there, and nothing runs in it."""

    def _launch(
        self,
        command: Callable[[int], Sequence[str]],
        is_ready: Callable[[int, int], bool],
        *,
        user: str = "same",
        timeout_s: float = _START_TIMEOUT_S,
    ) -> None:
        """Run it on the remembered port, or on another where that is taken, and wait until it is ready.

        Args:
            command: From a port to the command line, which must name `data`.
            is_ready: From (pid, port): whether this very server answers.
            user: Who it runs as, see `process_child`.
            timeout_s: How long it may take to be ready.

        Raises:
            SandboxServerFailed: it died or was not ready in time; the message tells why.
        """
        for _ in range(_PORT_ATTEMPTS):
            self._port = choose_port(self.folder)
            self._spawn(command(self._port), user)
            status = self._wait_ready(is_ready, self._port, timeout_s)
            if status is None:
                remember_port(self.folder, self._port)
                return
            lost_race = not is_free(self._port)
            self._forget()
            if not lost_race:
                raise self._failed(f"stopped while it started, exit status {status}")
        raise self._failed("found its port taken again and again")

    def _stop_orphan(self) -> None:
        """Stop the server that an earlier process left behind in this folder."""
        text = (read_private(self._pid_file) or "").strip()
        if not (text.isascii() and text.isdigit()):
            return
        try:
            process = os.pidfd_open(int(text))
        except ProcessLookupError:
            return
        try:
            if self._serves_our_data(int(text), process):
                self._end(process)
        finally:
            os.close(process)

    def _end(self, process: int) -> None:
        """Stop a process that is not our child, by its pidfd."""
        for number, wait_s in self._stop_steps:
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(process, number)
            if select.select([process], [], [], wait_s)[0]:
                return

    def _run_tool(self, command: Sequence[str], *, user: str = "same") -> None:
        """Run a program that prepares the server's data, to its end.

        Raises:
            SandboxServerFailed: it failed; the message tells why.
        """
        process = self._open(command, user, signal.SIGKILL)
        try:
            status = process.wait()
        except BaseException:  # also an interrupt: nothing is left running
            process.kill()
            process.wait()
            raise
        if status != 0:
            raise self._failed(
                f"could not be prepared: {Path(command[0]).name} ended with exit status {status}"
            )

    def _failed(self, what: str) -> SandboxServerFailed:
        """The error that says what happened, and why according to the log."""
        why = tell_why(self._log_tail())
        told = f"its log ends with: {why}" if why else "its log is empty"
        return SandboxServerFailed(f"{self.name} {what}; {told}", hint=f"read {self.log}")

    def _log_tail(self) -> str:
        with self.log.open("rb") as log:
            log.seek(max(0, self.log.stat().st_size - _LOG_TAIL_BYTES))
            return log.read().decode(errors="replace")

    def _spawn(self, command: Sequence[str], user: str) -> None:
        self._process = self._open(command, user, self._stop_steps[0][0])
        write_private(self._pid_file, f"{self._process.pid}\n")

    def _open(
        self, command: Sequence[str], user: str, death_signal: signal.Signals
    ) -> subprocess.Popen[bytes]:
        with contextlib.suppress(FileNotFoundError):
            self.log.replace(self.log.with_name("log.old"))
        with self.log.open("wb") as log:
            # Few: what a person has set for servers of their own must not reach these.
            inherited = {name: os.environ[name] for name in _INHERITED if name in os.environ}
            return _SPAWNER.submit(
                subprocess.Popen,
                child_command(command, death_signal=death_signal, user=user),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env={**inherited, "LC_ALL": "C.UTF-8"},
                start_new_session=True,
            ).result()

    def _wait_ready(self, is_ready: Callable[[int, int], bool], port: int, timeout_s: float) -> int | None:
        """None once the server is ready, its exit status where it died before."""
        deadline_s = time.monotonic() + timeout_s
        process = self._started()
        while time.monotonic() < deadline_s:
            if is_open(port) and is_ready(process.pid, port):
                return None
            with contextlib.suppress(subprocess.TimeoutExpired):
                return process.wait(_POLL_S)
        raise self._failed(f"was not ready within {timeout_s:g} s")

    def _serves_our_data(self, pid: int, process: int) -> bool:
        """Whether a process (pid and pidfd) names our data folder; a pid alone may be anybody's by now."""
        deadline_s = time.monotonic() + _NAMELESS_S
        while time.monotonic() < deadline_s:
            with contextlib.suppress(OSError):
                if command_line := Path(f"/proc/{pid}/cmdline").read_bytes():
                    return os.fsencode(self.data) in command_line.split(b"\0")
            # Without one a process is on its first or its last steps; these may still hold files of ours.
            if select.select([process], [], [], _POLL_S)[0]:
                break
        return False

    def _started(self) -> subprocess.Popen[bytes]:
        if self._process is None:
            raise NotRunning(f"{self.name} is not started", hint="call start() first")
        return self._process

    def _forget(self) -> None:
        self._process = None
        self._port = 0
        self._pid_file.unlink(missing_ok=True)
