"""How does cost grow? One thing changes at a time, the others stay as in the first table."""

import asyncio
import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pymongo

from bench.ingest.corpus import Corpus
from bench.ingest.runs import FULL, QUICK, Subject, in_process, over_http, print_subjects, take_turns
from bench.ingest.servers import database_uri
from bench.serve import KEY, await_ready, serving
from logdrain.sandbox.mongo_server import MongoServer

FRAMES, CONNECTIONS = 100, 16
TABLE = "shop.pay0"
FILL_AT_ONCE = 200_000
FIRST_STORED = 10**9  # numbers of stored events: far from those that are sent
STEPS: dict[str, tuple[int, ...]] = {
    "connections": (1, 4, 16, 64),
    "tables": (1, 10, 100, 500),
    "octets a frame": (150, 500, 5_000, 50_000),
    "shapes": (1, 100, 10_000),
    "stored documents": (10_000, 100_000, 1_000_000, 10_000_000),
}
QUICK_STEPS: dict[str, tuple[int, ...]] = {
    **{name: (steps[0], steps[-1]) for name, steps in STEPS.items()},
    "stored documents": (10_000, 100_000),
}
ODD = ("", "plain", "junk", "cut", "shape")


def measure_growth(server: MongoServer, *, is_quick: bool) -> dict[str, Any]:
    """Print a table for each thing; returns their runs."""
    effort = QUICK if is_quick else FULL
    facts: dict[str, Any] = {}
    for name, steps in (QUICK_STEPS if is_quick else STEPS).items():
        subjects = []
        for step, subject in make_subjects(server, name, steps):
            take_turns([subject], effort)
            subjects.append(subject)
            facts.setdefault(name, {})[step] = subject.facts()
        print_subjects(f"growth: {name}, {FRAMES} frames a POST", subjects)
    with serving(database_uri(server, "growth_odd")) as ours:
        subjects = [
            make_subject(server, ours, f"half of it {odd}" if odd else "clean", Corpus(odd=odd))
            for odd in ODD
        ]
        take_turns(subjects, effort)
    print_subjects("growth: what half of a body is instead (per event, of those that are some)", subjects)
    facts["odd"] = [subject.facts() for subject in subjects]
    return facts


def make_subjects(server: MongoServer, name: str, steps: tuple[int, ...]) -> Iterator[tuple[int, Subject]]:
    """A row for each step, while a drain with an empty database runs for it."""
    for step in steps:
        database = f"growth_{name.replace(' ', '_')}_{step}"
        with serving(database_uri(server, database)) as ours:
            asyncio.run(await_ready(ours[0]))
            corpus, connections = Corpus(), CONNECTIONS
            match name:
                case "connections":
                    connections = step
                case "tables":
                    corpus = replace(corpus, tables=step)
                case "octets a frame":
                    corpus = replace(corpus, size_bytes=step)
                case "shapes":
                    corpus = replace(corpus, shapes=step)
                case _:
                    fill(server, database, step)
            yield step, make_subject(server, ours, f"{step:,}", corpus, connections)


def make_subject(
    server: MongoServer, ours: tuple[str, int], name: str, corpus: Corpus, connections: int = CONNECTIONS
) -> Subject:
    """A row."""
    address, pid = ours
    asyncio.run(await_ready(address))
    send = over_http(address, KEY, frames=FRAMES, connections=connections, corpus=corpus)
    return Subject(
        name,
        send,
        {"drain": pid, "mongod": server.pid},
        FRAMES,
        corpus,
        metrics_url=f"http://{address}/metrics",
    )


def fill(server: MongoServer, database: str, documents: int) -> None:
    """So many documents in the table before anything is sent."""
    uri = database_uri(server, database)
    with pymongo.MongoClient[dict[str, Any]](uri) as client:
        client.get_default_database().create_collection(
            TABLE, clusteredIndex={"key": {"_id": 1}, "unique": True}
        )
    for start in range(0, documents, FILL_AT_ONCE):
        count = min(FILL_AT_ONCE, documents - start)
        wanted = {"uri": uri, "collection": TABLE, "start": FIRST_STORED + start, "count": count}
        in_process("bench.ingest.ceiling", json.dumps(wanted))
