"""Cut lines put together again, process by process, straight from the words of docs/reference/lines.md."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable
from typing import NamedTuple

from logdrain.drain.loggers import may_start_event
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
            texts = _texts(group)
            text = b"".join(texts)
            is_whole = not _is_cut(texts[-1], group[-1])
            is_last = group[-1] is printed[-1]
            state = "whole" if is_whole else "open" if is_last else "broken"
            found[state].append((group[0].position, text))
            counts["pieces"] += len(group) - is_whole
    tagged_open = [line for line in found["open"] if may_start_event(line[1])]
    return Put(sorted(found["whole"]), sorted(found["broken"]), sorted(tagged_open), counts["pieces"])


def _groups(messages: list[Message]) -> list[list[Message]]:
    """A message belongs to the one before if that was cut, this begins no record, and times are near."""
    groups: list[list[Message]] = []
    for message in messages:
        if groups and _is_cut(_texts(groups[-1])[-1], groups[-1][-1]) and _may_follow(groups[-1], message):
            groups[-1].append(message)
        else:
            groups.append([message])
    return groups


def _texts(group: list[Message]) -> list[bytes]:
    """Structured data before the first piece is before all of them; else what looks like it is text."""
    whole = [message.structured_data + message.payload for message in group]
    if not group[0].structured_data:
        return whole
    return [re.sub(rb"\A(-|(\[([^\]\\]|\\.)*\])+) ", b"", text, flags=re.DOTALL) for text in whole]


def _is_cut(text: bytes, message: Message) -> bool:
    return len(text) == _PIECE_OCTETS and not message.ended


def _may_follow(group: list[Message], message: Message) -> bool:
    if may_start_event(_texts([*group, message])[-1]):
        return False
    if group[0].time_ms is None or message.time_ms is None:
        return True
    return abs(group[0].time_ms - message.time_ms) <= _GAP_MS
