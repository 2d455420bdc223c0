"""What does it cost a query to run in a process of its own, against DuckDB inside the worker's?

Users of each category: that needs the engine. Both are warm; each round asks for another hour, or day.
"""

from contextlib import closing
from datetime import timedelta
from itertools import count

from bench.environment import mongodb_database, wanted_events
from bench.measuring import Variant, Work, print_comparison, take_turns
from bench.sample import END, SPAN
from bench.sql import DATABASE, HOUR, USERS_SQL, by_logdrain, job_sql, load, make_request
from logdrain.answer.queries import Queries
from logdrain.events.read.scan import MongoScanSource
from logdrain.query.duckdb.child_engine import ChildEngine
from logdrain.query.duckdb.engine import DuckdbEngine

MEMORY_MAX_BYTES = 1024 * 1024 * 1024
THREADS = 2


def main() -> None:
    """Print a table for each window."""
    events = wanted_events(__doc__ or "", 2_000_000)
    inside = DuckdbEngine(MEMORY_MAX_BYTES, THREADS, None, databases_kept_max=1)
    with mongodb_database(DATABASE) as uri, closing(MongoScanSource(uri)) as source:
        load(uri, events)
        with closing(ChildEngine(MEMORY_MAX_BYTES, THREADS, None)) as child:
            engines = {"inside": Queries(source, inside), "a process of its own": Queries(source, child)}
            for words, window, rounds in (("1h", HOUR, 201), ("1d", timedelta(days=1), 21), ("30d", SPAN, 3)):
                variants = [variant(name, queries, words, window) for name, queries in engines.items()]
                timings = take_turns(variants, rounds=rounds)
                print_comparison(f"engine: users of each category over {words}", timings, cpu_per_run=True)
    inside.close_idle()


def variant(name: str, queries: Queries, words: str, window: timedelta) -> Variant:
    """Each round asks for an earlier window."""
    step = window if window < SPAN else HOUR
    ends = (END - step * number for number in count())

    def prepare() -> Work:
        request = make_request(job_sql(USERS_SQL, words), int(next(ends).timestamp()))
        return lambda: len(by_logdrain(queries, request))

    return Variant(name, prepare)


if __name__ == "__main__":
    main()
