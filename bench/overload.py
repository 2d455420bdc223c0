"""Does the drain stay within its documented memory, and does it answer in time, when all comes at once?

    python bench/overload.py --seconds 60

A real `logdrain serve` and a real mongod, which is stopped (SIGSTOP) half of the time. At once: Logplex
nodes, thousands of connections that say nothing or half a head, bodies of the largest size and of the most
expensive content, gzip bombs, bodies that trickle in, and peers that ask and never read. All of them share
the machine with the drain: with cores of its own it does better.
"""

import argparse
import asyncio
import gzip
import os
import re
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from bench.environment import mongod_pid, mongodb_database
from bench.measuring import cpu_seconds, print_table
from bench.sample import make_body
from bench.serve import KEY, await_ready, serving
from logdrain.config import read_settings
from logdrain.ingest.weight import PER_OCTET_MAX
from logdrain.sandbox.folder_state import DataFolder
from logdrain.sandbox.mongo_server import MongoServer

MIB = 1024 * 1024
SECONDS = 60.0
ANSWER_WITHIN_S = 30.0
PROMISED_S = 5.0
SAMPLE_EVERY_S = 0.1
MONGOD_TURN_S = 10.0
PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
BASE_BYTES = 128 * MIB
PER_CONNECTION_BYTES = 192 * 1024
REPLAYED_AT_ONCE_BYTES = 4 * MIB
CUT_LINES_BYTES = 128 * MIB
SILENT, HALF_HEADS, NODES, LARGE, BOMBS, TRICKLES, DEAF = 1500, 1500, 32, 3, 4, 50, 50


@dataclass(slots=True)
class Seen:
    """What the senders of one kind got: answers by status and code, and the slowest."""

    statuses: Counter[str] = field(default_factory=Counter)
    slowest_s: float = 0.0


def main() -> int:
    """Print what was seen; exit status 1 where a promise was broken."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seconds", type=float, default=SECONDS, help="default: %(default)s")
    seconds = float(parser.parse_args().seconds)
    with mongod(), mongodb_database("bench_overload") as uri, serving(uri) as (address, pid):
        return asyncio.run(overload(address, pid, seconds))


@contextmanager
def mongod() -> Iterator[None]:
    """A server of our own where MONGODB_URI names none."""
    if os.environ.get("MONGODB_URI"):
        yield
        return
    with (
        tempfile.TemporaryDirectory(prefix="logdrain-bench-") as name,
        DataFolder(Path(name, "data")) as folder,
    ):
        server = MongoServer(folder.mongodb)
        server.start()
        os.environ["MONGODB_URI"] = server.uri
        try:
            yield
        finally:
            del os.environ["MONGODB_URI"]
            server.stop()


async def overload(address: str, pid: int, seconds: float) -> int:
    """Everything at once; returns the exit status."""
    await await_ready(address)
    before_bytes = resident_bytes(pid)
    seen: dict[str, Seen] = {}
    sizes = [before_bytes]
    before_cpu_s = cpu_seconds(pid)
    tasks = [asyncio.create_task(work) for work in everything(address, seen)]
    tasks.append(asyncio.create_task(sample(pid, sizes)))
    tasks.append(asyncio.create_task(stop_and_go(mongod_pid())))
    await asyncio.sleep(seconds)
    for task in tasks:
        task.cancel()
    outcomes = await asyncio.gather(*tasks, return_exceptions=True)
    for outcome in outcomes:
        if isinstance(outcome, Exception):
            raise outcome
    bound_bytes = memory_bound()
    rows = [
        [
            name,
            ", ".join(f"{status}: {count}" for status, count in sorted(each.statuses.items())),
            f"{each.slowest_s:.2f}",
        ]
        for name, each in seen.items()
    ]
    print_table("overload: answers", ["sender", "by status", "slowest s"], rows)
    memory = [f"{size / MIB:,.0f}" for size in (before_bytes, max(sizes), sizes[-1], bound_bytes)]
    print_table("overload: resident memory, MiB", ["before", "most", "at the end", "bound"], [memory])
    share = (cpu_seconds(pid) - before_cpu_s) / seconds
    print(f"\nThe drain had {share:.0%} of a core; {os.getloadavg()[0]:.1f} processes wanted one.")
    slowest_s = max(each.slowest_s for each in seen.values())
    return int(max(sizes) > bound_bytes or slowest_s > PROMISED_S)


def memory_bound() -> int:
    """The formula of docs/reference/limits.md, for the settings that `serving` starts with."""
    settings = read_settings({})
    return (
        BASE_BYTES
        + settings.connections_max * PER_CONNECTION_BYTES
        + 2 * settings.bodies_size_max_bytes
        + max(settings.parsed_size_max_bytes, PER_OCTET_MAX * settings.body_size_max_bytes)
        + PER_OCTET_MAX * max(REPLAYED_AT_ONCE_BYTES, settings.body_size_max_bytes)
        + CUT_LINES_BYTES
    )


def everything(address: str, seen: dict[str, Seen]) -> Iterator[Coroutine[None, None, None]]:
    """Every sender, as what it does forever."""
    half_head = b"POST /logs HTTP/1.1\r\nHost: a\r\nX-Half: "
    size = 31 * MIB
    for number in range(SILENT + HALF_HEADS):
        yield hold(address, b"" if number < SILENT else half_head, number)
    for _ in range(DEAF):
        yield ask_and_never_read(address)
    for number in range(NODES):
        body = make_body(range(number * 500, (number + 1) * 500), NODES * 500)
        yield send(address, seen.setdefault("Logplex nodes, 500 frames", Seen()), body)
    for number in range(LARGE):
        make = (tiny_frames, empty_lists, payments)[number % 3]
        yield send(address, seen.setdefault(f"31 MiB, {make.__name__}", Seen()), make(size), pause_s=2.0)
    for size_bomb in (size, 40 * MIB):
        bomb = gzip.compress(bytes(size_bomb))
        for _ in range(BOMBS // 2):
            name = f"gzip bombs, {size_bomb // MIB} MiB"
            yield send(address, seen.setdefault(name, Seen()), bomb, coding="gzip", pause_s=1.0)
    for _ in range(TRICKLES):
        yield trickle(address)


def tiny_frames(size_bytes: int) -> bytes:
    """As many frames as fit."""
    frame = b"1 <1>1 2012-"
    return frame * (size_bytes // len(frame))


def empty_lists(size_bytes: int) -> bytes:
    """Records whose objects weigh the most for their octets."""
    text = b'<1>1 2012-03-01T00:12:34Z h app w - @[bench.lists] {"a":[' + b"[]," * (4 * MIB) + b"0]}"
    frame = b"%d %s" % (len(text), text)
    return frame * max(1, size_bytes // len(frame))


def payments(size_bytes: int) -> bytes:
    """What real apps send, as much of it as fits."""
    body = make_body(range(500), 500)
    return body * (size_bytes // len(body))


async def ask_and_never_read(address: str) -> None:
    """A connection that asks for pages and takes none; a new one when it ends."""
    while True:
        with suppress(OSError):
            _, writer = await open_connection(address)
            writer.transport.pause_reading()  # type: ignore[attr-defined]  # a socket's transport reads, too
            while True:
                writer.write(b"GET /metrics HTTP/1.1\r\nHost: drain\r\n\r\n" * 100)
                await writer.drain()
                await asyncio.sleep(1.0)


async def hold(address: str, octets: bytes, number: int) -> None:
    """A connection that says this and no more; a new one when it ends."""
    while True:
        await asyncio.sleep(3.0 + number / 1000)
        with suppress(OSError):
            reader, writer = await open_connection(address)
            writer.write(octets)
            await reader.read()
            writer.close()


async def trickle(address: str) -> None:
    """A body that comes octet by octet."""
    while True:
        with suppress(OSError):
            _, writer = await open_connection(address)
            writer.write(head(1_000_000, ""))
            while True:
                writer.write(b"x" * 100)
                await writer.drain()
                await asyncio.sleep(1.0)


async def send(address: str, seen: Seen, body: bytes, *, coding: str = "", pause_s: float = 0.0) -> None:
    """The body again and again, as deliveries of their own; how long each waited once it was sent."""
    while True:
        status = "none"
        started_s = time.monotonic()
        with suppress(OSError, asyncio.IncompleteReadError, TimeoutError):
            _, writer = streams = await open_connection(address)
            async with asyncio.timeout(ANSWER_WITHIN_S):
                writer.write(head(len(body), coding))
                for at in range(0, len(body), MIB):
                    writer.write(body[at : at + MIB])
                    await writer.drain()
                started_s = time.monotonic()
                answer = await streams[0].read()
                code = re.search(rb'"code": "(\w+)"', answer)
                status = " ".join([answer[9:12].decode() or "none", code[1].decode() if code else ""]).strip()
            writer.close()
        seen.statuses[status] += 1
        if status != "none":
            seen.slowest_s = max(seen.slowest_s, time.monotonic() - started_s)
        await asyncio.sleep(pause_s)


def head(size_bytes: int, coding: str) -> bytes:
    """A request's head; each names a delivery of its own."""
    lines = [
        "POST /logs HTTP/1.1",
        "Host: drain",
        f"Authorization: Bearer {KEY}",
        f"Logplex-Frame-Id: {os.urandom(16).hex()}",
        f"Content-Length: {size_bytes}",
        f"Content-Encoding: {coding or 'identity'}",
        "Connection: close",
    ]
    return "\r\n".join([*lines, "", ""]).encode()


async def open_connection(address: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """To the drain."""
    host, _, port = address.partition(":")
    return await asyncio.open_connection(host, int(port))


async def sample(pid: int, sizes: list[int]) -> None:
    """Keep looking at the drain's memory."""
    while True:
        sizes.append(resident_bytes(pid))
        await asyncio.sleep(SAMPLE_EVERY_S)


def resident_bytes(pid: int) -> int:
    """Resident memory of a process, see proc(5)."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * PAGE_BYTES


async def stop_and_go(pid: int) -> None:
    """MongoDB answers, hangs, answers …; it answers at the end."""
    try:
        while True:
            await asyncio.sleep(MONGOD_TURN_S)
            os.kill(pid, signal.SIGSTOP)
            await asyncio.sleep(MONGOD_TURN_S)
            os.kill(pid, signal.SIGCONT)
    finally:
        os.kill(pid, signal.SIGCONT)


if __name__ == "__main__":
    sys.exit(main())
