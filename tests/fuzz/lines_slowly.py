"""Cut lines put together again, process by process, straight from the words of docs/reference/lines.md."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from typing import NamedTuple

from logdrain.model.events import Message

_PIECE_OCTETS = 10_000
_GAP_MS = 5_000


class Put(NamedTuple):
    """What one delivery's messages make: (first position, text) of each, in order; how many are pieces."""

    whole: list[tuple[int, bytes]]
    broken: list[tuple[int, bytes]]
    open: list[tuple[int, bytes]]
    pieces: int


def put_together_slowly(messages: Iterable[Message]) -> Put:
    """One delivery without waiting lines; small ones only: the bound of 16 MiB is not looked at."""
    processes: defaultdict[tuple[str, str], list[Message]] = defaultdict(list)
    for message in messages:
        processes[message.app, message.proc].append(message)
    found: defaultdict[str, list[tuple[int, bytes]]] = defaultdict(list)
    counts: Counter[str] = Counter()
    for printed in processes.values():
        for group in _groups(printed):
            text = b"".join(message.payload for message in group)
            is_whole = not _is_cut(group[-1])
            is_last = group[-1] is printed[-1]
            state = "whole" if is_whole else "open" if is_last else "broken"
            found[state].append((group[0].position, text))
            counts["pieces"] += len(group) - is_whole
    tagged_open = [line for line in found["open"] if line[1].lstrip().startswith(b"@[")]
    return Put(sorted(found["whole"]), sorted(found["broken"]), sorted(tagged_open), counts["pieces"])


def _groups(messages: list[Message]) -> list[list[Message]]:
    """A message belongs to the one before if that was cut, this begins no record, and times are near."""
    groups: list[list[Message]] = []
    for message in messages:
        if groups and _is_cut(groups[-1][-1]) and _may_follow(groups[-1][0], message):
            groups[-1].append(message)
        else:
            groups.append([message])
    return groups


def _is_cut(message: Message) -> bool:
    return len(message.payload) == _PIECE_OCTETS and not message.ended


def _may_follow(first: Message, message: Message) -> bool:
    if message.payload.lstrip().startswith(b"@["):
        return False
    if first.time_ms is None or message.time_ms is None:
        return True
    return abs(first.time_ms - message.time_ms) <= _GAP_MS
