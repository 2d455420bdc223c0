"""`logdrain COMMAND` as a person types it, bounded in time."""

import asyncio
import signal
import sys
from collections.abc import Mapping
from pathlib import Path

from logdrain.sandbox.process_server import child_command
from tests.chaos.programs import ROOT

_WITHIN_S = 60.0


async def run_command(
    environment: Mapping[str, str], words: tuple[str, ...], log: Path, within_s: float
) -> int:
    """Run a command and keep what it says; its exit status.

    Raises:
        TimeoutError: it was not done in time, and was killed.
    """
    command = [sys.executable, "-m", "logdrain", *words, "--data", str(log.parent / "none")]
    with log.open("ab") as out:
        process = await asyncio.create_subprocess_exec(
            *child_command(command, death_signal=signal.SIGKILL),
            cwd=ROOT,
            env=dict(environment),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=out,
            stderr=out,
        )
        try:
            async with asyncio.timeout(within_s):
                return await process.wait()
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()


async def must_run(environment: Mapping[str, str], words: tuple[str, ...], log: Path) -> None:
    """Run a command that has to succeed.

    Raises:
        RuntimeError: it did not.
    """
    status = await run_command(environment, words, log, _WITHIN_S)
    if status != 0:
        raise RuntimeError(f"logdrain {words[0]} ended with status {status}, see {log}")
