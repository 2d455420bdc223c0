"""How fast does the drain take events, beside what mongod takes, a handler by hand, and syslog-ng?

    python -m bench.ingest.run                 MongoDB alone, then as a replica set: some minutes
    python -m bench.ingest.run --quick         a minute, less sure
    python -m bench.ingest.run --growth        how cost grows, one thing at a time
    python -m bench.ingest.run --json FILE     where the numbers go, run by run

Needs no server: it starts what it measures, durable, in a temporary folder. Rows take turns (A B A B), and
each run takes about as long. All share the machine, sender and mongod too: ratios hold, absolute numbers do
not. `spooled` deliveries went to the spool because MongoDB was too slow: then the rate is that of the disk.
"""

import argparse
import asyncio
import json
import os
import platform
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from bench.ingest import syslog_ng
from bench.ingest.corpus import Corpus
from bench.ingest.growth import measure_growth
from bench.ingest.runs import (
    FULL,
    QUICK,
    Effort,
    Subject,
    check_stored,
    in_process,
    over_http,
    print_subjects,
    take_turns,
)
from bench.ingest.servers import database_uri, mongodb, naive_drain
from bench.serve import KEY, await_ready, serving
from logdrain.sandbox.folder_state import DataFolder
from logdrain.sandbox.mongo_server import MongoServer

FRAMES = (1, 10, 100, 1_000)
CONNECTIONS = 32
KINDS = ("alone", "replica-set")
JSON_FILE = Path("build/bench-ingest.json")
PACKAGES = ("aiohttp", "motor", "msgspec", "pymongo", "uvloop")


def main() -> None:
    """Print tables, and write them as JSON."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="one short run of each row")
    parser.add_argument("--growth", action="store_true", help="the second table: how cost grows")
    parser.add_argument("--only", choices=KINDS, help="one of the two kinds of MongoDB")
    parser.add_argument("--json", type=Path, default=JSON_FILE, help="default: %(default)s")
    arguments = parser.parse_args()
    effort = QUICK if arguments.quick else FULL
    facts: dict[str, Any] = {"machine": machine()}
    print(", ".join(f"{name} {value}" for name, value in facts["machine"].items()), flush=True)
    if arguments.growth:
        with running_mongodb("alone") as (server, _):
            facts["growth"] = measure_growth(server, is_quick=arguments.quick)
    else:
        for kind in [arguments.only] if arguments.only else KINDS:
            with running_mongodb(kind) as (server, folder):
                facts[kind] = compare(server, folder, kind, effort)
    arguments.json.parent.mkdir(parents=True, exist_ok=True)
    arguments.json.write_text(json.dumps(facts, indent=1), encoding="utf-8")
    print(f"\n{arguments.json}")


def machine() -> dict[str, str]:
    """What the numbers depend on."""
    packages = {name: version(name) for name in PACKAGES if find_spec(name)}
    cores = str(len(os.sched_getaffinity(0)))
    others = {"syslog-ng": syslog_ng.version() or "(not installed)"}
    return {"cores": cores, "Python": platform.python_version(), **packages, **others}


@contextmanager
def running_mongodb(kind: str) -> Iterator[tuple[MongoServer, Path]]:
    """A mongod in a folder that goes away with it."""
    with (
        tempfile.TemporaryDirectory(prefix="logdrain-bench-") as name,
        DataFolder(Path(name, "data")) as folder,
        mongodb(folder.mongodb, is_replica_set=kind == "replica-set") as server,
    ):
        yield server, Path(name)


def compare(server: MongoServer, folder: Path, kind: str, effort: Effort) -> list[dict[str, Any]]:
    """The first table; returns its runs."""
    mongod = {"mongod": server.pid}
    with ExitStack() as stack:
        subjects = [Subject("hand-built OP_MSG, 2 connections", partial(ceiling, server), mongod)]
        if found := best_syslog_ng(server, folder, effort):
            options, configuration_folder = found
            uri = database_uri(server, "syslog_ng")
            port, pid = stack.enter_context(syslog_ng.running(configuration_folder, uri, options))
            name = f"syslog-ng {syslog_ng.version()}, {options}"
            subjects.append(Subject(name, partial(syslog_ng.send, port, uri), {"drain": pid, **mongod}))
        naive = stack.enter_context(naive_drain(folder, database_uri(server, "naive")))
        ours = stack.enter_context(serving(database_uri(server, "logdrain")))
        asyncio.run(await_ready(ours[0]))
        by_drain: dict[str, list[Subject]] = {"naive": [], "logdrain": []}
        for frames in FRAMES:
            for name, (address, pid) in (("naive", naive), ("logdrain", ours)):
                send = over_http(address, KEY, frames=frames, connections=CONNECTIONS, corpus=Corpus())
                watched = {"drain": pid, **mongod}
                url = f"http://{address}/metrics" if name == "logdrain" else ""
                row = Subject(f"{name}, {frames:,} a POST", send, watched, unit=frames, metrics_url=url)
                by_drain[name].append(row)
                subjects.append(row)
        take_turns(subjects, effort)
        for name, sent in by_drain.items():
            check_stored(database_uri(server, name), sent)
        subjects.append(at_half_rate(by_drain["logdrain"][FRAMES.index(100)], ours, mongod, effort))
    print_subjects(f"ingest, MongoDB {kind}: {CONNECTIONS} connections, frames of 172 octets", subjects)
    return [subject.facts() for subject in subjects]


def at_half_rate(full: Subject, ours: tuple[str, int], mongod: dict[str, int], effort: Effort) -> Subject:
    """What a delivery waits for while there is room: the load of a row, half as often."""
    address, pid = ours
    frames, corpus = full.unit, Corpus()
    send = over_http(
        address, KEY, frames=frames, connections=CONNECTIONS, corpus=corpus, rate=full.rate / 2 / frames
    )
    half = Subject(
        f"{full.name}, at half that rate", send, {"drain": pid, **mongod}, frames, corpus, full.metrics_url
    )
    half.runs = [half.run(round(full.rate / 2 * effort.seconds)) for _ in range(effort.rounds)]
    return half


def ceiling(server: MongoServer, start: int, count: int) -> dict[str, Any]:
    """See bench.ingest.ceiling."""
    wanted = {"uri": database_uri(server, "ceiling"), "collection": "c", "start": start, "count": count}
    return in_process("bench.ingest.ceiling", json.dumps(wanted))


def best_syslog_ng(server: MongoServer, folder: Path, effort: Effort) -> tuple[str, Path] | None:
    """The options with which syslog-ng is fastest here, and a folder for it."""
    number = syslog_ng.version()
    if not number:
        print("syslog-ng is not installed: apt-get install syslog-ng-core syslog-ng-mod-mongodb")
        return None
    if number.startswith("3."):
        print(f"syslog-ng {number} has no bulk(), it inserts one by one: 4.x is many times as fast")
    rates: dict[str, float] = {}
    uri = database_uri(server, "syslog_ng")
    configuration_folder = Path(folder, "syslog-ng")
    for options in syslog_ng.configurations(number):
        with syslog_ng.running(configuration_folder, uri, options) as (port, pid):
            subject = Subject(options, partial(syslog_ng.send, port, uri), {"drain": pid})
            take_turns([subject], Effort(rounds=1, seconds=effort.seconds / 2))
            rates[options] = subject.rate
    return max(rates, key=rates.__getitem__), configuration_folder


if __name__ == "__main__":
    main()
