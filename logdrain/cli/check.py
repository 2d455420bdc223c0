"""`logdrain check`: what would become of a line, and why. It needs no server."""

import argparse
import os
import sys
from datetime import UTC, datetime

from logdrain.cli.output import print_facts, to_json
from logdrain.config import read_settings
from logdrain.drain.lines import Line
from logdrain.drain.messages import PIECE_SIZE_BYTES
from logdrain.drain.reading import to_event
from logdrain.drain.tags import bare, read_tagged
from logdrain.drain.times import TIME_MAX_MS
from logdrain.events.write.encoding import encode_events
from logdrain.model.events import Event, LineKind, NearMiss, Origin, Quarantined

_ORIGIN = Origin("drain", "app", "web.1", "")


def add_check_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the words of the command."""
    parser.epilog = "example: logdrain check '@[production.pay] {\"price\":1}'"
    parser.add_argument("line", metavar="LINE", help="a line as the application prints it")


def run_check(arguments: argparse.Namespace) -> int:
    """Print what becomes of a line: its kind, the reason, and the event."""
    line = arguments.line.encode()
    outcome = _outcome(line, read_settings(os.environ).keys_per_record_max)
    if outcome is None:
        facts: dict[str, object] = {
            "kind": LineKind.APP,
            "why": "nothing in it looks like a tagged line: @[database.table] {…}",
        }
    elif isinstance(outcome, Event):
        facts = {"kind": LineKind.EVENT, "why": _road(line), **_event_facts(outcome)}
    else:
        kind = LineKind.NEAR_MISS if isinstance(outcome, NearMiss) else LineKind.REJECTED
        facts = {"kind": kind, "reason": outcome.reason, "why": outcome.detail}
    if len(line) > PIECE_SIZE_BYTES:
        facts["pieces"] = (
            f"{-(-len(line) // PIECE_SIZE_BYTES)}: senders cut it, and they are put together again"
        )
    print_facts({name: str(value) for name, value in facts.items()}, sys.stdout)
    return 0


def _outcome(line: bytes, keys_max: int) -> Event | Quarantined | NearMiss | None:
    found = to_event(Line(_ORIGIN, "", 0, TIME_MAX_MS, line, broken=False))
    if not isinstance(found, Event):
        return found
    quarantined = encode_events([found], keys_max).quarantined
    return quarantined[0] if quarantined else found


def _road(line: bytes) -> str:
    text = bare(line)
    if read_tagged(text):
        return "it is a tagged line"
    if text.startswith(b"{"):
        return "it is a JSON log, and its msg, message or event is a tagged line"
    return "what stands before the tag is what a logger writes"


def _event_facts(event: Event) -> dict[str, object]:
    moment = datetime.fromtimestamp(event.time_ms // 1000, UTC).replace(
        microsecond=event.time_ms % 1000 * 1000
    )
    has_own_time = event.time_ms != TIME_MAX_MS
    time = moment.isoformat(timespec="milliseconds").replace("+00:00", "Z") if has_own_time else "the frame's"
    if event.has_time_without_zone:
        time += ": the record's has no zone"
    return {"table": event.table.name, "time": time, "record": to_json(event.record)}
