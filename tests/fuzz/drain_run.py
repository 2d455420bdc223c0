"""A real drain as a process of its own, bodies sent to it, and what it, its log and MongoDB say then."""

import asyncio
import hashlib
import os
import re
import subprocess
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import pymongo

from tests.fuzz.bodies import Sent

_ROOT = Path(__file__).resolve().parents[2]
_FOUND = Path(__file__).with_name("found")
_KEY = "a-key-for-mutated-bodies"
_CONNECTIONS = 8
_TABLES_MAX = 40
_RSS_EVERY_BODIES = 500
_READY_WITHIN_S = 30.0
_AGREE_WITHIN_S = 90.0
_POLL_S = 0.2
_PORT = re.compile(r"event=serving .*?port=(\d+)")
_SAMPLE = re.compile(
    r"^(?P<name>\w+?)(?:_total)?(?:\{\w+=\"(?P<label>\w+)\"\})? (?P<value>\S+)$", re.MULTILINE
)
_OTHER_THAN_LOGS = ("MONGODB_URI", "DATABASE_URL", "PORT")

Metrics = dict[tuple[str, str], int]
Store = dict[str, int]


@dataclass(slots=True)
class Report:
    """What was counted; `problems` is empty where all is well."""

    statuses: Counter[int] = field(default_factory=Counter)
    rss_kib: list[int] = field(default_factory=list)
    metrics: Metrics = field(default_factory=dict)
    store: Store = field(default_factory=dict)
    log_errors: list[str] = field(default_factory=list)
    seconds: float = 0.0

    def lines(self) -> list[str]:
        """For people."""
        rss = [kib // 1024 for kib in self.rss_kib] or [0]
        kinds = {label: value for (name, label), value in self.metrics.items() if name == "logdrain_lines"}
        return [
            f"answers {dict(self.statuses)} in {self.seconds:.0f} s",
            f"RSS of the drain: first {rss[0]} MiB, last {rss[-1]} MiB, at most {max(rss)} MiB",
            f"frames {self.metrics.get(('logdrain_messages_received', ''), 0)}, kinds {kinds}",
            f"in MongoDB: {self.store}",
        ]

    def problems(self) -> list[str]:
        """Every promise that was not kept."""
        found = [f"{count} answers {status}" for status, count in self.statuses.items() if status != 204]
        found += [f"the log: {line}" for line in self.log_errors[:10]]
        return found + self.disagreements()

    def disagreements(self) -> list[str]:
        """Where the counters do not add up, or MongoDB has something else."""
        kinds = sum(value for (name, _), value in self.metrics.items() if name == "logdrain_lines")
        stored = self.metrics.get(("logdrain_events_stored", ""), 0)
        twice = self.metrics.get(("logdrain_events_duplicate", ""), 0)
        events = self.metrics.get(("logdrain_lines", "event"), 0)
        quarantined = {
            label: value
            for (name, label), value in self.metrics.items()
            if name == "logdrain_quarantined" and value
        }
        in_store = {name: count for name, count in self.store.items() if name != "events"}
        waiting = self.metrics.get(("logdrain_spool_entries", ""), 0)
        checks = (
            ("nothing waits in the spool", 0, waiting),
            ("frames and kinds", self.metrics.get(("logdrain_messages_received", ""), 0), kinds),
            ("events and events stored", events, stored + twice),
            ("events counted and in MongoDB", stored, self.store.get("events", 0)),
            ("quarantine counted and in MongoDB", quarantined, in_store),
        )
        return [f"{what}: {one} and {other}" for what, one, other in checks if one != other]


async def send_all(bodies: Iterator[Sent], mongodb_uri: str, log: Path) -> Report:
    """Start a drain, send every body once over keep-alive connections, count, stop it.

    Args:
        bodies: In order; each is a delivery of its own.
        mongodb_uri: An empty database.
        log: Where the drain's log goes.
    """
    report = Report()
    async with _drain(mongodb_uri, log) as (url, pid):
        waiting = enumerate(bodies)
        started_s = time.monotonic()
        connector = aiohttp.TCPConnector(limit=_CONNECTIONS)
        headers = {"Authorization": aiohttp.encode_basic_auth("shop", _KEY)}
        async with aiohttp.ClientSession(connector=connector, headers=headers) as session:
            senders = (_send(session, url, waiting, report, pid) for _ in range(_CONNECTIONS))
            await asyncio.gather(*senders)
            report.seconds = time.monotonic() - started_s
            # Cut lines that wait go to quarantine meanwhile: both sides are read until they agree.
            deadline_s = time.monotonic() + _AGREE_WITHIN_S
            while True:
                report.metrics = await _metrics(session, url)
                report.store = await asyncio.to_thread(_stored, mongodb_uri)
                if not report.disagreements() or time.monotonic() > deadline_s:
                    break
                await asyncio.sleep(_POLL_S)
    lines = (await asyncio.to_thread(_read, log)).splitlines()
    report.log_errors = [line for line in lines if " level=error " in line or not line.startswith("time=")]
    return report


async def _send(
    session: aiohttp.ClientSession,
    url: str,
    bodies: Iterator[tuple[int, Sent]],
    report: Report,
    pid: int,
) -> None:
    for number, sent in bodies:
        headers = {"Logplex-Frame-Id": f"frame-{number}"}
        if sent.coding:
            headers["Content-Encoding"] = sent.coding
        async with session.post(f"{url}/logs", data=sent.body, headers=headers) as response:
            await response.read()
        report.statuses[response.status] += 1
        if response.status != 204:  # the one good answer
            _FOUND.mkdir(exist_ok=True)
            (_FOUND / hashlib.sha1(sent.body, usedforsecurity=False).hexdigest()).write_bytes(sent.body)
        if number % _RSS_EVERY_BODIES == _RSS_EVERY_BODIES - 1:
            report.rss_kib.append(_rss_kib(pid))


@asynccontextmanager
async def _drain(mongodb_uri: str, log: Path) -> AsyncIterator[tuple[str, int]]:
    environment = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("LOGDRAIN_") and name not in _OTHER_THAN_LOGS
    } | {
        "MONGODB_URI": mongodb_uri,
        "LOGDRAIN_KEYS": f"admin:shop:{_KEY}",
        "LOGDRAIN_METRICS_OPEN": "1",
        "LOGDRAIN_TABLES_MAX": str(_TABLES_MAX),
        "LOGDRAIN_SPLIT_WAIT_S": "2",
        "LOGDRAIN_SPOOL_FOLDER": str(log.with_suffix(".spool")),
        "LOGDRAIN_SPOOL_AFTER_S": "60",  # a replay counts as a repeated delivery
    }
    with log.open("wb") as out:
        process = subprocess.Popen(  # noqa: ASYNC220  # it lives as long as this does
            [sys.executable, "-m", "logdrain", "serve", "--port", "0"],
            cwd=_ROOT,
            env=environment,
            stdout=out,
            stderr=out,
        )
    try:
        yield f"http://127.0.0.1:{await _port(process, log)}", process.pid
    finally:
        process.terminate()
        process.wait()


async def _port(process: "subprocess.Popen[bytes]", log: Path) -> int:
    deadline_s = time.monotonic() + _READY_WITHIN_S
    while True:
        said = await asyncio.to_thread(_read, log)
        found = _PORT.search(said)
        if found:
            return int(found[1])
        if process.poll() is not None or time.monotonic() > deadline_s:
            raise RuntimeError(f"the drain did not start: {said}")
        await asyncio.sleep(_POLL_S)


async def _metrics(session: aiohttp.ClientSession, url: str) -> Metrics:
    async with session.get(f"{url}/metrics") as response:
        text = await response.text()
    return {
        (found["name"], found["label"] or ""): int(float(found["value"])) for found in _SAMPLE.finditer(text)
    }


def _stored(mongodb_uri: str) -> Store:
    """Events, and quarantine entries by reason."""
    with pymongo.MongoClient[dict[str, Any]](mongodb_uri) as client:
        database = client.get_default_database()
        tables = [name for name in database.list_collection_names() if name.count(".") == 1]
        reasons = database["_quarantine"].aggregate(
            [{"$match": {"part": 0}}, {"$group": {"_id": "$reason", "count": {"$sum": 1}}}]
        )
        counts = {found["_id"]: int(found["count"]) for found in reasons}
        return {"events": sum(database[name].count_documents({}) for name in tables), **counts}


def _read(log: Path) -> str:
    return log.read_text(errors="replace")


def _rss_kib(pid: int) -> int:
    status = Path(f"/proc/{pid}/status").read_text()
    return int(re.findall(r"VmRSS:\s+(\d+)", status)[0])
