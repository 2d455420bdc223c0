"""One run: so many events go in, and what that took of every process."""

import json
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from statistics import median
from typing import Any, ClassVar
from urllib.request import urlopen

import pymongo

from bench.ingest.corpus import Corpus
from bench.ingest.sender import Sending
from bench.measuring import cpu_seconds, print_table

WARM_UP_EVENTS = 2_000
POLL_S = 0.05
_US, _MS, _KIB_PER_MB = 1_000_000, 1_000, 1_000
PERCENTILES = (50.0, 99.0, 99.9)

Send = Callable[[int, int], dict[str, Any]]
"""From the number of the first frame and how many there are to what the sender saw."""


@dataclass(frozen=True, slots=True)
class Run:
    """What was seen.

    Attributes:
        cpu_s: By process: sender, drain, mongod.
        waits_ms: Percentiles of how long a delivery waited for its answer.
        resident_mb: The most that the drain has had in memory so far.
        spooled: Deliveries that went to the spool.
    """

    events: int
    wall_s: float
    cpu_s: Mapping[str, float]
    waits_ms: Sequence[float]
    resident_mb: float
    spooled: int

    @property
    def rate(self) -> float:
        """Events a second."""
        return self.events / self.wall_s


@dataclass(slots=True)
class Subject:
    """A row: who takes the events, and how they are sent.

    Attributes:
        watched: Pids by name.
        metrics_url: Of our drain.
        runs: Those that count.
        sent: Events of all runs, those to warm up too.
    """

    name: str
    send: Send
    watched: Mapping[str, int]
    unit: int = 1
    corpus: Corpus = field(default_factory=Corpus)
    metrics_url: str = ""
    runs: list[Run] = field(default_factory=list)
    sent: int = 0
    next_number: ClassVar[int] = 0  # no two runs send the same event

    def run(self, frames: int) -> Run:
        """Send so many frames, in whole deliveries, and look."""
        count = max(1, round(frames / self.unit)) * self.unit
        start = Subject.next_number
        Subject.next_number += count
        before_spooled = self._spooled()
        before_s = {name: cpu_seconds(pid) for name, pid in self.watched.items()}
        seen = self.send(start, count)
        spent_s = {name: cpu_seconds(pid) - before_s[name] for name, pid in self.watched.items()}
        events = self.corpus.events(start, start + count)
        self.sent += events
        return Run(
            events,
            seen["wall_s"],
            {"sender": seen["cpu_s"], **spent_s},
            [percentile(seen["waits_s"], percent) * _MS for percent in PERCENTILES],
            peak_mb(self.watched["drain"]) if "drain" in self.watched else 0.0,
            self._spooled() - before_spooled,
        )

    @property
    def rate(self) -> float:
        """Events a second, the median."""
        return median(run.rate for run in self.runs)

    def row(self) -> list[str]:
        """Cells of the table."""
        rates = sorted(run.rate for run in self.runs)
        return [
            self.name,
            f"{self.rate:,.0f}",
            f"{rates[0]:,.0f} to {rates[-1]:,.0f}",
            *(self._cpu(name) for name in ("sender", "drain", "mongod")),
            *(number(median(run.waits_ms[at] for run in self.runs)) for at in range(len(PERCENTILES))),
            number(max(run.resident_mb for run in self.runs)),
            f"{sum(run.spooled for run in self.runs):,}" if self.metrics_url else "-",
        ]

    def facts(self) -> dict[str, Any]:
        """The same for JSON, run by run."""
        return {"name": self.name, "corpus": asdict(self.corpus), "runs": [asdict(run) for run in self.runs]}

    def _spooled(self) -> int:
        """How many deliveries the drain has spooled so far, once the store has them all."""
        if not self.metrics_url:
            return 0
        while True:
            with urlopen(self.metrics_url) as answer:  # noqa: S310  # ours
                metrics = answer.read().decode()
            if re.search(r"^logdrain_spool_entries 0\.0$", metrics, re.MULTILINE):
                found = re.search(r"^logdrain_deliveries_spooled_total (\S+)$", metrics, re.MULTILINE)
                return int(float(found[1])) if found else 0
            time.sleep(POLL_S)

    def _cpu(self, name: str) -> str:
        spent = [run.cpu_s[name] / run.events * _US for run in self.runs if name in run.cpu_s]
        return number(median(spent)) if spent else "-"


@dataclass(frozen=True, slots=True)
class Effort:
    """How long measuring takes, and so how sure it is."""

    rounds: int
    seconds: float


FULL, QUICK = Effort(rounds=3, seconds=2.0), Effort(rounds=1, seconds=0.7)


def take_turns(subjects: Sequence[Subject], effort: Effort) -> None:
    """Let subjects run one after the other, A B A B, each about as long, after two short runs to warm up."""
    sizes = []
    for subject in subjects:
        subject.run(WARM_UP_EVENTS)
        sizes.append(max(WARM_UP_EVENTS, round(subject.run(WARM_UP_EVENTS).rate * effort.seconds)))
    for _ in range(effort.rounds):
        for subject, frames in zip(subjects, sizes, strict=True):
            subject.runs.append(subject.run(frames))


def print_subjects(title: str, subjects: Sequence[Subject]) -> None:
    """A table of them."""
    spent = [f"{name} CPU s/M" for name in ("sender", "drain", "mongod")]
    waits = [f"p{percent:g} ms" for percent in PERCENTILES]
    header = ["", "events/s", "spread", *spent, *waits, "RSS MB", "spooled"]
    print_table(title, header, [subject.row() for subject in subjects])


def check_stored(uri: str, subjects: Iterable[Subject]) -> None:
    """End the measurement where the database does not hold what was sent: then it measured something else."""
    wanted = sum(subject.sent for subject in subjects)
    with pymongo.MongoClient[dict[str, Any]](uri) as client:
        database = client.get_default_database()
        tables = [name for name in database.list_collection_names() if not name.startswith("_")]
        stored = sum(database[name].count_documents({}) for name in tables)
    if stored != wanted:
        sys.exit(f"{wanted} events were sent to {uri}, and {stored} are stored")


def number(value: float) -> str:
    """A cell; what was not measured is a dash."""
    return f"{value:,.1f}" if value else "-"


def over_http(
    address: str, key: str, *, frames: int, connections: int, corpus: Corpus, rate: float = 0
) -> Send:
    """The sender in a process of its own."""

    def send(start: int, count: int) -> dict[str, Any]:
        sending = Sending(address, key, start, count, frames, connections, asdict(corpus), rate)
        return in_process("bench.ingest.sender", json.dumps(asdict(sending)))

    return send


def in_process(module: str, argument: str) -> dict[str, Any]:
    """What a module prints as JSON."""
    command = [sys.executable, "-m", module, argument]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603  # our own
    if done.returncode:
        sys.exit(f"{module}: {done.stderr[-2000:]}")
    seen: dict[str, Any] = json.loads(done.stdout)
    return seen


def percentile(values: Sequence[float], percent: float) -> float:
    """The value that so many percent do not exceed; 0 of none."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * percent / 100))] if ordered else 0.0


def peak_mb(pid: int) -> float:
    """The most that a process has had in memory, see proc(5)."""
    for line in Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / _KIB_PER_MB
    return 0.0
