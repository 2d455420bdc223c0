"""What does an event cost as JSON, `POST /v1/events`, beside the same one as a frame, `POST /logs`?

The same payments, 100 in each body, to one `logdrain serve`; both through the same HTTP client, eight
connections, each busy all the time. Each item has a time and an insert_id, as our clients send them.
"""

import asyncio
import json
import re
from collections.abc import Sequence

import aiohttp

from bench.environment import mongod_pid, mongodb_database, wanted_events
from bench.measuring import Variant, Work, print_comparison, take_turns
from bench.sample import make_bodies
from bench.serve import KEY, await_ready, serving

ROUNDS = 3
CONNECTIONS = 8
EVENTS_PER_BODY = 100
_RECORD = re.compile(rb"@\[(\S+)\] (\{.*\})\n?")


def main() -> None:
    """Print the table."""
    events = wanted_events(__doc__ or "", 40_000)
    bodies = list(make_bodies(events, [EVENTS_PER_BODY]))
    with (
        mongodb_database("bench_write") as uri,
        serving(uri, scope="admin") as (address, pid),
        asyncio.Runner() as runner,
    ):
        runner.run(await_ready(address))
        variants = [
            variant(runner, "frames", f"http://{address}/logs", bodies, events),
            variant(
                runner, "items", f"http://{address}/v1/events", [items_of(body) for body in bodies], events
            ),
        ]
        timings = take_turns(variants, rounds=ROUNDS, watched={"serve": pid, "mongod": mongod_pid()})
    print_comparison("write: 100 events a body, as frames and as items of JSON", timings)


def items_of(body: bytes) -> bytes:
    """The events of a body of frames as items; ROUND stands where each round has its own number."""
    items = []
    for number, (tag, text) in enumerate(_RECORD.findall(body)):
        record = json.loads(text)
        moment = record.pop("time")
        named = f"ROUND-{moment}-{number}"
        items.append({"event": tag.decode(), "properties": record, "time": moment, "insert_id": named})
    return json.dumps(items).encode()


def variant(runner: asyncio.Runner, name: str, url: str, bodies: Sequence[bytes], events: int) -> Variant:
    """A form of the events, sent once in each round."""
    rounds: list[int] = []

    def prepare() -> Work:
        rounds.append(len(rounds))
        label = f"r{len(rounds)}"
        own = [body.replace(b"ROUND", label.encode()) for body in bodies]
        return lambda: runner.run(send(url, label, own, events))

    return Variant(name, prepare)


async def send(url: str, label: str, bodies: Sequence[bytes], events: int) -> int:
    """All bodies; returns how many events are durable."""
    waiting = iter(enumerate(bodies))

    async def sender(session: aiohttp.ClientSession) -> None:
        for number, body in waiting:  # the senders share one iterator
            named = {"Logplex-Frame-Id": f"{label}-{number}"}
            async with session.post(url, data=body, headers=named) as answer:
                text = await answer.text()
                if not answer.ok or '"rejected":[{' in text:
                    raise RuntimeError(f"a body was not accepted: {answer.status} {text}")

    headers = {"Authorization": f"Bearer {KEY}", "Content-Type": "application/json"}
    async with aiohttp.ClientSession(headers=headers) as session, asyncio.TaskGroup() as senders:
        for _ in range(CONNECTIONS):
            senders.create_task(sender(session))
    return events


if __name__ == "__main__":
    main()
