"""Processes of the program under test, and the signals that hurt them."""

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from logdrain.sandbox.process_server import child_command

ROOT = Path(__file__).absolute().parents[2]
STOP_WITHIN_S = 30.0  # Heroku's patience after SIGTERM
_READY = (b"event=serving", b"event=working")


@dataclass
class Program:
    """`logdrain WORDS`, started as often as it is killed; its log goes on in one file.

    Attributes:
        name: What faults call it.
        died: How often it ended by itself, and what it said last.
        hung: (from, until) of each hang, monotonic seconds.
    """

    name: str
    words: tuple[str, ...]
    environment: Mapping[str, str]
    folder: Path
    died: list[str] = field(default_factory=list)
    hung: list[tuple[float, float]] = field(default_factory=list)
    process: "subprocess.Popen[bytes] | None" = None
    _hung_from_s: float | None = None
    _life_at: int = 0  # where in the log its present life begins

    @property
    def log(self) -> Path:
        """Everything it has written, over all its lives."""
        return self.folder / f"{self.name}.log"

    @property
    def _clock(self) -> Path:
        return self.folder / f"{self.name}.clock"

    def start(self) -> None:
        """Start it, where it does not run."""
        if self.process is not None and self.process.poll() is None:
            return
        if not self._clock.exists():
            self.step_clock(0.0)
        command = [sys.executable, "-m", "tests.chaos.stepped", *self.words]
        with self.log.open("ab") as log:
            self._life_at = log.tell()
            self.process = subprocess.Popen(
                child_command(command, death_signal=signal.SIGKILL),
                cwd=ROOT,
                env={**self.environment, "CHAOS_CLOCK": str(self._clock)},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    @property
    def is_ready(self) -> bool:
        """Whether it runs, and has said that it is ready."""
        if self.process is None or self.process.poll() is not None:
            return False
        return any(word in self.log.read_bytes()[self._life_at :] for word in _READY)

    def step_clock(self, step_s: float) -> None:
        """Put its clock so many seconds off."""
        draft = self._clock.with_suffix(".new")
        draft.write_text(str(step_s))
        draft.replace(self._clock)

    def kill(self) -> None:
        """End it as a crash does."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

    def hang(self) -> None:
        """Stop it in the middle of whatever it does."""
        self._hung_from_s = time.monotonic()
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Let it go on."""
        self._signal(signal.SIGCONT)
        if self._hung_from_s is not None:
            self.hung.append((self._hung_from_s, time.monotonic()))
            self._hung_from_s = None

    def revive(self) -> None:
        """Start it again where it ended by itself, as a platform does; noted."""
        if self.process is not None and (status := self.process.poll()) is not None:
            tail = self.log.read_text(errors="replace").splitlines()[-1:]
            self.died.append(f"{self.name} ended by itself, status {status}: {' '.join(tail)}")
            self.process = None
            self.start()

    async def stop(self) -> tuple[int | None, float]:
        """SIGTERM: its exit status (None where it had to be killed), and the seconds that it took."""
        if self.process is None:
            return None, 0.0
        started_s = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        status: int | None = None
        with contextlib.suppress(subprocess.TimeoutExpired):
            status = await asyncio.to_thread(self.process.wait, STOP_WITHIN_S)
        took_s = time.monotonic() - started_s
        self.kill()
        return status, took_s

    def _signal(self, number: signal.Signals) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(number)


def process_tree(pid: int) -> Iterator[int]:
    """A process and all below it; those that end meanwhile may be missing."""
    yield pid
    with contextlib.suppress(OSError):
        for task in Path("/proc", str(pid), "task").iterdir():
            for child in (task / "children").read_text().split():
                yield from process_tree(int(child))


def signal_tree(pid: int, number: signal.Signals) -> None:
    """Send a signal to a process and all below it: Postgres' backends have sessions of their own."""
    for each in list(process_tree(pid)):
        with contextlib.suppress(ProcessLookupError):
            os.kill(each, number)
