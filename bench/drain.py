"""What does it cost to turn a body into events, and which step takes how much of it?

No server and no socket: only the pure rooms. All frames are tagged lines; an ordinary line costs less.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

from bench.environment import wanted_events
from bench.measuring import Work, print_comparison, print_table, ready, take_turns
from bench.sample import make_bodies, make_delivery
from logdrain.drain.frames import split_frames
from logdrain.drain.lines import Line, assemble
from logdrain.drain.messages import kind_of, read_message
from logdrain.drain.reading import parse, read, to_event
from logdrain.drain.records import read_record
from logdrain.drain.tags import read_tagged
from logdrain.events.bson.documents import encode_event
from logdrain.model.events import Event, Frame, LineKind, Message
from logdrain.types.event_documents import shape_of

ROUNDS = 7
BODY_FRAMES = (1, 10, 500)
LARGE = 500
DELIVERY = make_delivery("delivery")
Item = TypeVar("Item")


def main() -> None:
    """Print both tables."""
    events = wanted_events(__doc__ or "", 10_000)
    sizes = [ready(f"bodies of {frames}", whole_drain(events, frames)) for frames in BODY_FRAMES]
    print_comparison("drain: parse + read, by frames in the body", take_turns(sizes, rounds=ROUNDS))
    print_steps(events)


def whole_drain(events: int, frames: int) -> Work:
    """Read bodies of so many frames, `events` in all."""
    bodies = list(make_bodies(events, [frames]))

    def work() -> int:
        return sum(len(read(parse(body, DELIVERY), DELIVERY, []).batch.events) for body in bodies)

    return work


def print_steps(events: int) -> None:
    """CPU time of each step alone, body by body, on what the step before gave."""
    bodies = list(make_bodies(events, [LARGE]))
    framed = [list(split_frames(body)) for body in bodies]
    messages = [read_messages(frames) for frames in framed]
    lines = [read_lines(each) for each in messages]
    made = [make_events(each) for each in lines]
    steps = (
        ready("frames", repeat(lambda body: list(split_frames(body)), bodies, events)),
        ready("messages", repeat(read_messages, framed, events)),
        ready("lines", repeat(read_lines, messages, events)),
        ready("events", repeat(make_events, lines, events)),
        ready("- of which records", repeat(read_records, lines, events)),
        ready("encode to BSON", repeat(encode, made, events)),
        ready("shapes, for the catalog", repeat(see_shapes, made, events)),
    )
    spent_us = {
        timing.name: timing.cpu_s["client"] / timing.events * 1_000_000
        for timing in take_turns(steps, rounds=ROUNDS)
    }
    all_us = sum(each_us for name, each_us in spent_us.items() if not name.startswith("-"))
    rows = [[name, f"{each_us:.2f}", f"{each_us / all_us:.0%}"] for name, each_us in spent_us.items()]
    rows.append(["all", f"{all_us:.2f}", "100%"])
    title = f"drain: steps for bodies of {LARGE} frames, until they can be inserted"
    print_table(title, ["", "CPU us an event", "share"], rows)


def repeat(step: Callable[[Item], object], items: Sequence[Item], events: int) -> Work:
    """A step over what each body gave it."""

    def work() -> int:
        for item in items:
            step(item)
        return events

    return work


def read_messages(frames: Iterable[Frame]) -> list[Message]:
    """Frames to messages of the application."""
    messages = [message for message in map(read_message, frames) if message is not None]
    return [message for message in messages if kind_of(message) is LineKind.APP]


def read_lines(messages: Sequence[Message]) -> list[Line]:
    """Messages to lines."""
    return assemble(messages, DELIVERY, []).lines


def make_events(lines: Iterable[Line]) -> list[Event]:
    """Lines to events."""
    return [event for event in map(to_event, lines) if isinstance(event, Event)]


def read_records(lines: Iterable[Line]) -> list[object]:
    """Lines to records: the tag and the JSON, which is part of making events."""
    tagged = [read_tagged(line.text) for line in lines]
    return [read_record(each.text) for each in tagged if each is not None]


def encode(events: Iterable[Event]) -> list[object]:
    """Events to documents."""
    return [encode_event(event) for event in events]


def see_shapes(events: Iterable[Event]) -> set[object]:
    """What the catalog asks of each event."""
    return {shape_of(event.record) for event in events}


if __name__ == "__main__":
    main()
