"""What is sharing inserts worth, and what is a clustered collection worth?

Sharing: many senders at once, each waits until its small delivery is durable before it sends the next.
Both ways insert into a clustered collection with `w: majority, j: true`.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from functools import partial
from typing import Any

import pymongo
from bson.raw_bson import RawBSONDocument
from pymongo.collection import Collection
from pymongo.database import Database

from bench.environment import mongod_pid, mongodb_database, wanted_events
from bench.measuring import Variant, Work, print_comparison, print_table, ready, take_turns
from bench.sample import TABLE, encode, make_batches, send
from logdrain.bootstrap.drain import SystemClock
from logdrain.config import read_settings
from logdrain.events.mongo_client import DURABLE
from logdrain.events.write.store import MongoEventStore
from logdrain.model.events import Batch

DATABASE = "bench_store"
SENDERS = 64
ROUNDS = 5
SCAN_ROUNDS = 21
BULK = 1_000
CLUSTERED: dict[str, Any] = {"clusteredIndex": {"key": {"_id": 1}, "unique": True}}
COLLECTIONS: dict[str, dict[str, Any]] = {"plain": {}, "clustered": CLUSTERED}

Write = Callable[[Batch], Awaitable[object]]
Document = dict[str, Any]
Client = pymongo.AsyncMongoClient[Document]


def main() -> None:
    """Print all tables."""
    events = wanted_events(__doc__ or "", 50_000)
    with mongodb_database(DATABASE) as uri:
        compare_sharing(uri, events // 10, "1 event", [1])
        compare_sharing(uri, events // 2, "1 to 10 events", range(1, 11))
    with mongodb_database(DATABASE) as uri, pymongo.MongoClient[Document](uri) as client:
        compare_collections(client[DATABASE], 2 * events)


def compare_sharing(uri: str, events: int, size: str, sizes: Sequence[int]) -> None:
    """One insert for each delivery against inserts that deliveries share."""
    batches = list(make_batches(events, sizes))
    with asyncio.Runner() as runner:
        client = runner.run(open_client(uri))

        def variant(name: str, make: Callable[[Client], Coroutine[Any, Any, Write]]) -> Variant:
            def prepare() -> Work:
                write = runner.run(make(client))

                def work() -> int:
                    runner.run(send(batches, write, senders=SENDERS))
                    return events

                return work

            return Variant(name, prepare)

        variants = [variant("an insert each", insert_each), variant("shared (logdrain)", insert_shared)]
        timings = take_turns(variants, rounds=ROUNDS, watched={"mongod": mongod_pid()})
        runner.run(client.close())
    print_comparison(f"store: {SENDERS} senders, deliveries of {size}", timings)


async def open_client(uri: str) -> Client:
    """The drain's client; it belongs to the event loop it is made in."""
    return Client(uri, timeoutMS=60_000)


async def insert_each(client: Client) -> Write:
    """What one would write first: encode, insert, done; no catalog, no quarantine."""
    await client.drop_database(DATABASE)
    collection = await client[DATABASE].create_collection(TABLE.name, write_concern=DURABLE, **CLUSTERED)

    async def write(batch: Batch) -> None:
        await collection.insert_many(encode(batch), ordered=False)

    return write


async def insert_shared(client: Client) -> Write:
    """The store as it is, with its collection made."""
    await client.drop_database(DATABASE)
    store = MongoEventStore(
        client, DATABASE, SystemClock(), read_settings({"LOGDRAIN_STORE_TIMEOUT_S": "60"})
    )
    [first] = make_batches(1, [1])
    await store.write(first)
    await client[DATABASE][TABLE.name].delete_many({})
    return store.write


def compare_collections(database: Database[Document], events: int) -> None:
    """Clustered by `_id` against plain with its index on `_id`."""
    documents = [document for batch in make_batches(events, [BULK]) for document in encode(batch)]
    watched = {"mongod": mongod_pid()}

    def insert(name: str) -> Variant:
        def prepare() -> Work:
            database.drop_collection(name)
            collection = database.create_collection(name, write_concern=DURABLE, **COLLECTIONS[name])
            return lambda: insert_in_bulk(collection, documents)

        return Variant(name, prepare)

    timings = take_turns([insert(name) for name in COLLECTIONS], rounds=ROUNDS, watched=watched)
    print_comparison(f"store: inserts of {BULK:,} events, one after the other", timings)
    print_sizes(database)
    # Ids are in order of time, and so are the documents: a tenth of both, from the middle.
    tenth = documents[events * 45 // 100 : events * 55 // 100 + 1]

    def read(title: str, work: Callable[[Collection[Document]], int]) -> None:
        variants = [ready(name, partial(work, database[name])) for name in COLLECTIONS]
        print_comparison(f"store: {title}", take_turns(variants, rounds=SCAN_ROUNDS, watched=watched))

    read("read a tenth of the time, a range of `_id`", partial(scan, documents=tenth))
    read("group everything in MongoDB", group)


def insert_in_bulk(collection: Collection[Document], documents: list[RawBSONDocument]) -> int:
    """One insert after the other, each durable."""
    for start in range(0, len(documents), BULK):
        collection.insert_many(documents[start : start + BULK], ordered=False)
    return len(documents)


def print_sizes(database: Database[Document]) -> None:
    """What the collections take on disk once a checkpoint has written them."""
    database.client.admin.command("fsync")
    rows = []
    for name in COLLECTIONS:
        stats = database.command("collStats", name)
        data, index = stats["storageSize"], stats["totalIndexSize"]
        rows.append([name, *(f"{size / 1_000_000:.1f}" for size in (data, index, data + index))])
    print_table("store: size on disk", ["", "documents MB", "index MB", "together MB"], rows)


def scan(collection: Collection[Document], documents: list[RawBSONDocument]) -> int:
    """Fetch from the first to the last of these, undecoded."""
    query = {"_id": {"$gte": documents[0]["_id"], "$lte": documents[-1]["_id"]}}
    for _ in collection.find_raw_batches(query, {"_id": 0, "time": 1, "price": 1}, batch_size=10_000):
        pass
    return len(documents)


def group(collection: Collection[Document]) -> int:
    """Sums by category."""
    sums = {"_id": "$item_category", "sum": {"$sum": "$price"}, "events": {"$sum": 1}}
    return sum(found["events"] for found in collection.aggregate([{"$group": sums}]))


if __name__ == "__main__":
    main()
