"""`logdrain up` as a person starts it, and commands as a person types them."""

import json
import os
import re
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from logdrain.sandbox.folder_state import read_state

LOGDRAIN = str(Path(sys.executable).with_name("logdrain"))
WITHIN_S = 60.0
POLL_S = 0.05


def await_condition(condition: Callable[[], bool], what: str) -> None:
    deadline_s = time.monotonic() + WITHIN_S
    while not condition():
        assert time.monotonic() < deadline_s, f"not within {WITHIN_S:g} s: {what}"
        time.sleep(POLL_S)


@dataclass
class Up:
    """A running `logdrain up`."""

    process: "subprocess.Popen[bytes]"
    folder: Path
    log: Path
    environment: dict[str, str]

    def run(self, *words: str, stdin: bytes = b"", check: bool = True) -> "subprocess.CompletedProcess[str]":
        done = subprocess.run(
            [LOGDRAIN, *words, "--data", str(self.folder)],
            env=self.environment,
            input=stdin.decode("utf-8", "surrogateescape"),
            capture_output=True,
            text=True,
            errors="surrogateescape",
            check=False,
        )
        assert not check or done.returncode == 0, done.stderr
        return done

    def json(self, *words: str) -> Any:
        return json.loads(self.run(*words).stdout)

    @property
    def urls(self) -> dict[str, Any]:
        return dict(self.json("urls", "--json"))

    def metric(self, name: str) -> float:
        with urllib.request.urlopen(f"{self.urls['api']}/metrics") as response:  # noqa: S310  # our own server
            found = re.search(rf"^{re.escape(name)} (\S+)$", response.read().decode(), re.MULTILINE)
        return float(found[1]) if found else 0.0

    def children(self, word: str) -> list[int]:
        """Pids of its child processes that run this logdrain command."""
        found = []
        for task in Path(f"/proc/{self.process.pid}/task").glob("*/children"):
            for pid in task.read_text().split():
                command = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
                if [b"logdrain", word.encode()] == command[-3:-1] or word.encode() in command:
                    found.append(int(pid))
        return found

    def stop(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(WITHIN_S)


def free_environment(**more: str) -> dict[str, str]:
    """The environment without anything that names other servers."""
    ours = {name: value for name, value in os.environ.items() if not name.startswith("LOGDRAIN_")}
    for name in ("MONGODB_URI", "DATABASE_URL", "PORT"):
        ours.pop(name, None)
    return {**ours, **more}


@contextmanager
def running_up(folder: Path, *words: str, **environment: str) -> Iterator[Up]:
    """Start it on a free port, wait until it is ready, stop it at the end."""
    log = folder.with_suffix(".log")
    named = free_environment(LOGDRAIN_JOBS_FOLDER=str(folder.with_suffix(".jobs")), **environment)
    with log.open("ab") as out:
        process = subprocess.Popen(
            [LOGDRAIN, "up", "--data", str(folder), *(words or ("--port", "0"))],
            env=named,
            stdout=out,
            stderr=out,
            start_new_session=True,
        )
    up = Up(process, folder, log, named)
    try:
        await_condition(
            lambda: read_state(folder) is not None or process.poll() is not None, "logdrain up is ready"
        )
        assert process.poll() is None, log.read_text()
        yield up
    finally:
        if process.poll() is None:
            up.stop()
