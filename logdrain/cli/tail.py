"""`logdrain tail [production.pay]`."""

import argparse
import time
from collections.abc import Sequence
from datetime import UTC, datetime

from logdrain.cli import servers
from logdrain.cli.output import to_json
from logdrain.cli.words import count
from logdrain.events.read.look import StoredEvent

_POLL_S = 1.0
_BURST_MAX = 1000
# Events come out of order: what is a little older than the newest one shown may be new.
_LOOK_BACK_MS = 60_000


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the words of the command."""
    parser.epilog = (
        "Newest by event time: events that carry an old time of their own are not shown as they come."
    )
    parser.add_argument("table", nargs="?", help="database.table (default: all tables)")
    parser.add_argument(
        "-n", type=count, default=10, metavar="N", help="start with so many (default: %(default)s)"
    )
    parser.add_argument("--once", action="store_true", help="do not wait for more")
    servers.add_data_argument(parser)


def run(arguments: argparse.Namespace) -> int:
    """Print the newest events as the lines they came from, until Ctrl-C."""
    from logdrain.cli.look import open_look, table_named

    with open_look(arguments) as look:

        def newest(count: int, after: bytes | None = None) -> list[StoredEvent]:
            tables = look.tables()
            chosen = [table_named(arguments.table, tables)] if arguments.table else tables
            return look.newest(chosen, count, after)

        _print(newest(arguments.n))
        after = _some_time_before([])
        seen = {event.id for event in newest(_BURST_MAX, after)}
        while not arguments.once:
            time.sleep(_POLL_S)
            found = newest(_BURST_MAX, after)
            _print([event for event in found if event.id not in seen])
            after = _some_time_before(found)
            seen = {event.id for event in found if event.id > after}
    return 0


def _some_time_before(events: Sequence[StoredEvent]) -> bytes:
    """An id a little older than the newest event that is not from the future, or than now."""
    now_ms = int(time.time() * 1000)
    newest_ms = max((event.time_ms for event in events if event.time_ms <= now_ms), default=now_ms)
    return max(0, newest_ms - _LOOK_BACK_MS).to_bytes(6, "big") + bytes(10)


def _print(events: Sequence[StoredEvent]) -> None:
    for event in events:
        moment = datetime.fromtimestamp(event.time_ms / 1000, UTC).isoformat(timespec="milliseconds")
        print(f"{moment.replace('+00:00', 'Z')} @[{event.table.name}] {to_json(event.record)}", flush=True)
