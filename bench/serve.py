"""How much does one `logdrain serve` take, and how long does a sender wait for its 204?

The real command in a process of its own. The senders are the sandbox's Logplex nodes: a connection each, one
delivery after the other. They share the machine with server and mongod: a drain with cores of its own does
better.
"""

import asyncio
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median, quantiles

import aiohttp

from bench.environment import mongod_pid, mongodb_database, wanted_events
from bench.measuring import Timing, Variant, Work, print_table, take_turns
from bench.sample import make_bodies
from logdrain.sandbox.folder_port import LOOPBACK, choose_port
from logdrain.sandbox.http_logplex import Logplex, Outcome

ROUNDS = 3
READY_WITHIN_S = 30.0
POLL_S = 0.05
KEY = "key-of-a-server-that-lives-for-a-minute"
_MS, _US = 1_000, 1_000_000


@dataclass(slots=True)
class Load:
    """One row: so many connections send deliveries of so many frames.

    Attributes:
        rounds: How long each delivery waited for its answer, by round; the first warms up.
    """

    connections: int
    frames: int
    bodies: Sequence[bytes]
    events: int
    rounds: list[list[float]] = field(default_factory=list)


def main() -> None:
    """Print the table."""
    events = wanted_events(__doc__ or "", 50_000)
    loads = [make_load(16, 500, events), make_load(64, 10, events // 5)]
    with mongodb_database("bench_serve") as uri, serving(uri) as (address, pid), asyncio.Runner() as runner:
        runner.run(await_ready(address))
        variants = [load_variant(runner, address, load) for load in loads]
        timings = take_turns(variants, rounds=ROUNDS, watched={"serve": pid, "mongod": mongod_pid()})
    print_loads(timings, loads)


def make_load(connections: int, frames: int, events: int) -> Load:
    """A row with the bodies of one round."""
    return Load(connections, frames, list(make_bodies(events, [frames])), events)


@contextmanager
def serving(mongodb_uri: str, scope: str = "drain") -> Iterator[tuple[str, int]]:
    """`logdrain serve` on a free port: its address and pid."""
    with tempfile.TemporaryDirectory(prefix="logdrain-bench-") as name:
        port = choose_port(Path(name))
        settings = {
            "MONGODB_URI": mongodb_uri,
            "DATABASE_URL": "",
            "LOGDRAIN_KEYS": f"{scope}:bench:{KEY}",
            "LOGDRAIN_METRICS_OPEN": "1",
            "LOGDRAIN_SPOOL_FOLDER": str(Path(name, "spool")),
        }
        command = [sys.executable, "-m", "logdrain", "serve", "--port", str(port), "--data", name]
        with Path(name, "log").open("wb") as log:  # a line for each delivery, as in production
            process = subprocess.Popen(command, env={**os.environ, **settings}, stderr=log)  # noqa: S603  # ours
        try:
            yield f"{LOOPBACK}:{port}", process.pid
        finally:
            process.terminate()
            process.wait()


async def await_ready(address: str) -> None:
    """Wait until /health is satisfied."""
    deadline_s = time.monotonic() + READY_WITHIN_S
    async with aiohttp.ClientSession() as session:
        while time.monotonic() < deadline_s:
            try:
                async with session.get(f"http://{address}/health") as answer:
                    if answer.ok:
                        return
            except aiohttp.ClientError:
                pass  # it does not listen yet
            await asyncio.sleep(POLL_S)
    sys.exit(f"logdrain serve was not ready within {READY_WITHIN_S:g} s")


def load_variant(runner: asyncio.Runner, address: str, load: Load) -> Variant:
    """A load that is sent once in each round."""

    def prepare() -> Work:
        # The user name names the drain: the same bodies make other events in each round.
        url = f"http://round{len(load.rounds)}:{KEY}@{address}/logs"
        load.rounds.append([])
        return lambda: runner.run(send(url, load))

    return Variant(f"{load.connections} connections, {load.frames} frames a body", prepare)


async def send(url: str, load: Load) -> int:
    """All bodies, each connection busy all the time; returns how many events are durable."""
    waiting = iter(load.bodies)

    async def sender() -> None:
        async with Logplex(url) as node:
            for body in waiting:  # the senders share one iterator
                started_s = time.perf_counter()
                report = await node.deliver_body(body, load.frames)
                load.rounds[-1].append(time.perf_counter() - started_s)
                if report.outcome is not Outcome.ACCEPTED:
                    raise RuntimeError(f"a delivery was not accepted: {report}")

    async with asyncio.TaskGroup() as senders:
        for _ in range(load.connections):
            senders.create_task(sender())
    return load.events


def print_loads(timings: Sequence[Timing], loads: Sequence[Load]) -> None:
    """Rates, waits, and what each process spends."""
    processes = list(timings[0].cpu_s)
    header = ["", "events/s best", "median", "p50 ms", "p95 ms", "p99 ms"]
    header += [f"{process} CPU s/M events" for process in processes]
    rows = []
    for timing, load in zip(timings, loads, strict=True):
        waits_ms = [wait_s * _MS for waits_s in load.rounds[1:] for wait_s in waits_s]
        percentiles = quantiles(waits_ms, n=100)
        rows.append(
            [
                timing.name,
                f"{load.events / min(timing.walls_s):,.0f}",
                f"{load.events / median(timing.walls_s):,.0f}",
                *(f"{percentiles[percent - 1]:,.0f}" for percent in (50, 95, 99)),
                *(f"{timing.cpu_s[process] / timing.events * _US:,.1f}" for process in processes),
            ]
        )
    print_table("serve: HTTP deliveries to `logdrain serve`", header, rows)


if __name__ == "__main__":
    main()
