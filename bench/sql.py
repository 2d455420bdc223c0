"""What does it cost to have SQL planned, scanned and run for you, against doing it by hand?

The shipped hourly job, also over a day and a month; as slices, each round asks for another hour, or day. Who
does it by hand here knows the store well: a range of time is a range of `_id`, only two fields are fetched,
and no value is of another type than expected.
"""

import asyncio
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from functools import cache
from itertools import count
from pathlib import Path
from typing import Any

import bson
import duckdb
import psycopg
import pyarrow as pa
import pymongo
from pymongo.collection import Collection
from pymongoarrow.api import Schema, find_arrow_all

from bench.environment import mongod_pid, mongodb_database, server_url, wanted_events
from bench.measuring import Variant, Work, print_comparison, ready, take_turns
from bench.sample import END, SPAN, TABLE, encode, make_event_batches
from logdrain.answer.queries import Queries
from logdrain.bootstrap.drain import SystemClock
from logdrain.bootstrap.events import open_source
from logdrain.bootstrap.queries import open_queries
from logdrain.config import Settings, read_settings
from logdrain.events.mongo_client import close_async, open_async
from logdrain.events.read.filters import time_filter
from logdrain.events.write.store import MongoEventStore
from logdrain.ledger.schema.migrate import migrate
from logdrain.model.catalog import ColumnType, TypeKind
from logdrain.model.events import Batch
from logdrain.model.jobs import Cause, Schedule
from logdrain.model.plans import Dialect, Scan, ScanColumn, TimeRange
from logdrain.model.queries import QueryRequest
from logdrain.ports.queries import ScanSource
from logdrain.worker.parts import open_worker_parts

DATABASE = "bench_sql"
JOB_SQL = Path(__file__).parents[1] / "sql" / "pay_hourly.sql"
HAND_SQL = "SELECT item_category, SUM(price) FROM found GROUP BY item_category"
USERS_SQL = (
    "SELECT item_category AS category, COUNT(DISTINCT uid) AS sum FROM pay"
    " WHERE TD_TIME_RANGE(time, TD_TIME_ADD(TD_SCHEDULED_TIME(), '-1h'), TD_SCHEDULED_TIME()) GROUP BY 1"
)
USERS_HAND_SQL = "SELECT item_category, COUNT(DISTINCT uid) FROM found GROUP BY item_category"
HOUR = timedelta(hours=1)
EVENTS_PER_BATCH = 5_000
REPLY_ROWS = 10_000
Columns = dict[str, pa.DataType]

TWO_COLUMNS: Columns = {"item_category": pa.string(), "price": pa.int64()}
USERS_COLUMNS: Columns = {"item_category": pa.string(), "uid": pa.int64()}
THREE_COLUMNS: Columns = {"time": pa.timestamp("ms", tz="UTC"), **TWO_COLUMNS}

Document = dict[str, Any]
Events = Collection[Document]
Sums = list[tuple[str, int]]
Ask = Callable[[Document, int], Sums]
"""Of a window, as a range of ids and as its end in unix seconds."""


def main() -> None:
    """Print all tables."""
    events = wanted_events(__doc__ or "", 2_000_000)
    with mongodb_database(DATABASE) as uri, pymongo.MongoClient[Document](uri) as client:
        load(uri, events)
        environment = {"MONGODB_URI": uri, "DATABASE_URL": server_url("DATABASE_URL")}
        settings = read_settings(environment)
        collection = client[DATABASE][TABLE.name]
        with open_source(settings) as source:
            compare_scans(source, collection)
        with open_queries(settings) as queries:
            for words, window, rounds in (
                ("1h", HOUR, 21),
                ("1d", timedelta(days=1), 11),
                ("30d", SPAN, 3),
            ):
                compare_sums(queries, collection, words, window, rounds)
                compare_users(queries, collection, words, window, rounds)
        compare_slices(settings, collection)


def load(uri: str, events: int) -> None:
    """Bring the events in: the first as the drain does, with their catalog, and then as fast as it goes."""
    batches = make_event_batches(events, EVENTS_PER_BATCH)
    asyncio.run(store(uri, next(batches)))
    with pymongo.MongoClient[Document](uri) as client:
        for batch in batches:
            client[DATABASE][TABLE.name].insert_many(encode(batch), ordered=False)


async def store(uri: str, batch: Batch) -> None:
    """Write a batch as the drain does."""
    client = open_async(uri, driver="pymongo", timeout_s=60)
    await MongoEventStore(
        client, DATABASE, SystemClock(), read_settings({"LOGDRAIN_STORE_TIMEOUT_S": "60"})
    ).write(batch)
    await close_async(client)


def compare_scans(source: ScanSource, events: Events) -> None:
    """Everything, three columns, no SQL."""

    def scan(category: TypeKind) -> Callable[[], int]:
        kinds = {"_time": TypeKind.TIMESTAMPTZ, "item_category": category, "price": TypeKind.BIGINT}
        columns = tuple(ScanColumn(name, (name,), ColumnType(kind)) for name, kind in kinds.items())
        whole = Scan("scan", TABLE, columns, TimeRange(None, None))
        return lambda: sum(batch.num_rows for batch in source.scan(whole))

    ways: dict[str, Callable[[], int]] = {
        "bson.decode_all to dicts": lambda: sum(map(len, dicts(events))),
        "the same, to Arrow": lambda: sum(
            pa.RecordBatch.from_pylist(each).num_rows for each in dicts(events)
        ),
        "pymongoarrow": lambda: find_arrow_all(events, {}, schema=Schema(THREE_COLUMNS)).num_rows,
        "logdrain": scan(TypeKind.VARCHAR),
        "logdrain, exact decoder": scan(TypeKind.TEXT),  # what a field of mixed types gets
    }
    variants = [ready(name, work) for name, work in ways.items()]
    timings = take_turns(variants, rounds=2, watched={"mongod": mongod_pid()})
    print_comparison("sql: scan of three columns, everything", timings)


def dicts(events: Events) -> Iterator[list[Document]]:
    """Replies as Python objects."""
    projection = {"_id": 0} | dict.fromkeys(THREE_COLUMNS, 1)
    replies: Iterator[Any] = events.find_raw_batches({}, projection, batch_size=REPLY_ROWS)
    return map(bson.decode_all, replies)


def compare_sums(queries: Queries, events: Events, words: str, window: timedelta, rounds: int) -> None:
    """The plain shape: MongoDB can answer it alone."""
    sql = job_sql(JOB_SQL.read_text(encoding="utf-8"), words)
    ways: dict[str, Ask] = {
        "$match + $group by hand": lambda ids, _: by_pipeline(events, ids),
        "pymongoarrow + DuckDB by hand": lambda ids, _: by_hand(events, ids, TWO_COLUMNS, HAND_SQL),
        "logdrain": lambda _, end_s: by_logdrain(queries, make_request(sql, end_s)),
    }
    compare(f"the hourly job over {words}", events, ways, window, rounds)


def compare_users(queries: Queries, events: Events, words: str, window: timedelta, rounds: int) -> None:
    """How many users bought something: this needs the engine."""
    sql = job_sql(USERS_SQL, words)
    ways: dict[str, Ask] = {
        "pymongoarrow + DuckDB by hand": lambda ids, _: by_hand(events, ids, USERS_COLUMNS, USERS_HAND_SQL),
        "logdrain": lambda _, end_s: by_logdrain(queries, make_request(sql, end_s)),
    }
    compare(f"users of each category over {words}", events, ways, window, rounds)


def compare(title: str, events: Events, ways: dict[str, Ask], window: timedelta, rounds: int) -> None:
    """Several ways that must agree; each round asks for another window, the last one first."""
    step = window if window < SPAN else HOUR
    count_of = cache(lambda end: events.count_documents(ids_of(end - window, end)))
    answers: dict[datetime, Sums] = {}

    def variant(name: str, ask: Ask) -> Variant:
        ends = (END - step * number for number in count())

        def prepare() -> Work:
            end = next(ends)
            ids, events_read = ids_of(end - window, end), count_of(end)

            def work() -> int:
                sums = ask(ids, int(end.timestamp()))
                if sums != answers.setdefault(end, sums):
                    raise RuntimeError(f"{name} has another answer")
                return events_read

            return work

        return Variant(name, prepare)

    variants = [variant(name, ask) for name, ask in ways.items()]
    timings = take_turns(variants, rounds=rounds, watched={"mongod": mongod_pid()})
    print_comparison(f"sql: {title}, {count_of(END):,} events", timings, cpu_per_run=True)


def ids_of(start: datetime, end: datetime) -> Document:
    """A range of time as a range of ids."""
    return time_filter(TimeRange(int(start.timestamp()), int(end.timestamp())))


def job_sql(sql: str, words: str) -> str:
    """An hourly job's text, over another window."""
    return sql.replace("'-1h'", f"'-{words}'")


def make_request(sql: str, end_s: int) -> QueryRequest:
    """What a slice of the job asks."""
    return QueryRequest(sql, TABLE.database, Dialect.TRINO, scheduled_time_s=end_s, now_s=end_s)


def by_hand(events: Events, ids: Document, columns: Columns, sql: str) -> Sums:
    """Fetch as Arrow, group in DuckDB."""
    found = find_arrow_all(events, ids, schema=Schema(columns))
    with duckdb.connect() as connection:
        connection.register("found", found)
        return sorted((category, int(total)) for category, total in connection.execute(sql).fetchall())


def by_pipeline(events: Events, ids: Document) -> Sums:
    """Let MongoDB group."""
    stages = [{"$match": ids}, {"$group": {"_id": "$item_category", "sum": {"$sum": "$price"}}}]
    return sorted((found["_id"], found["sum"]) for found in events.aggregate(stages))


def by_logdrain(queries: Queries, request: QueryRequest) -> Sums:
    """Plan, scan, run."""
    with queries.stream(request) as answer:
        rows = [row for batch in answer.rows for row in batch.to_pylist()]
    return sorted((row["category"], row["sum"]) for row in rows)


def compare_slices(settings: Settings, events: Events) -> None:
    """An hour's rows into Postgres: a script by cron against a slice with claim, lease, fence and note."""
    migrate(settings.database_url)
    sql = JOB_SQL.read_text(encoding="utf-8")
    schedule = Schedule("bench", "0 * * * *", "UTC", 0, TABLE.database, sql, result="bench:by_logdrain")

    def ask_script() -> Work:
        end = next(scripted)
        ids = ids_of(end - HOUR, end)
        events_read = events.count_documents(ids)

        def script() -> int:
            replace_rows(settings.database_url, end, by_hand(events, ids, TWO_COLUMNS, HAND_SQL))
            return events_read

        return script

    scripted, sliced = ((END - HOUR * number for number in count()) for _ in range(2))
    with open_worker_parts(settings) as parts:
        parts.ledger.results.create("bench", settings.database_url)
        parts.ledger.schedules.create(schedule, END)

        def run_slice() -> int:
            [claim] = parts.ledger.slices.claim("bench", settings.lease_s, END, count=1, schedule="bench")
            return parts.runner.run(claim).rows_read

        def ask_slice() -> Work:
            parts.ledger.schedules.ask_slices("bench", [next(sliced)], Cause.MANUAL, force=False)
            return run_slice

        variants = [Variant("a script by hand", ask_script), Variant("logdrain, a slice", ask_slice)]
        timings = take_turns(variants, rounds=21, watched={"mongod": mongod_pid()})
    print_comparison("sql: an hour into Postgres, each time another", timings, cpu_per_run=True)


def replace_rows(url: str, time: datetime, sums: Sums) -> None:
    """What a careful script does: connect, delete the hour's rows, insert them, commit."""
    with psycopg.connect(url) as connection, connection.cursor() as cursor:
        cursor.execute("CREATE TABLE IF NOT EXISTS by_hand (time timestamptz, category text, sum bigint)")
        cursor.execute("DELETE FROM by_hand WHERE time = %s", [time])
        with cursor.copy("COPY by_hand FROM STDIN") as copy:
            for category, total in sums:
                copy.write_row((time, category, total))


if __name__ == "__main__":
    main()
