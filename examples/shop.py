"""A shop that prints what happens in it: people register, log in, look around and pay.

    python examples/shop.py --hours 6 | logdrain ship --url https://shop:KEY@host/logs

Its hours are simulated, so each record says its own `time` (unix seconds). With the same `--seed` and
`--until` it prints the same bytes, and `--summary FILE` writes what was sold, to compare with a query.
"""

import argparse
import json
import sys
import time
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from signal import SIG_DFL, SIGPIPE, signal
from typing import Any, NamedTuple

HOUR_S = 3600
BUYS = 0.4  # share of visits that end with a purchase


class Item(NamedTuple):
    """Something on sale; the price is in the smallest unit of money."""

    id: int
    category: str
    price: int


ITEMS = (
    Item(7326, "categoryA", 321_321),
    Item(7327, "categoryA", 1_980),
    Item(4711, "categoryB", 24_800),
    Item(4712, "categoryB", 980),
    Item(4713, "categoryB", 5_400),
    Item(9001, "categoryC", 64_000),
    Item(9002, "categoryC", 120),
)


class Printed(NamedTuple):
    """One line: a tagged record, or ordinary text where the tag is empty."""

    time: int
    tag: str
    record: dict[str, Any]
    text: str = ""

    def __str__(self) -> str:
        if not self.tag:
            return self.text
        record = json.dumps({**self.record, "time": self.time}, separators=(",", ":"))
        return f"@[production.{self.tag}] {record}"


def visit(random: Random, uid: int, now: int) -> Iterator[Printed]:
    """Somebody logs in, looks at some items, and may buy the last one."""
    yield Printed(now, "login", {"uid": uid})
    seen = random.choices(ITEMS, k=random.randint(1, 5))
    for item in seen:
        now += random.randint(3, 90)
        yield Printed(now, "access", {"uid": uid, "url": f"http://shop.example/items/{item.id}"})
        yield Printed(now, "", {}, f"GET /items/{item.id} 200 {random.randint(2, 40)}ms")
    if random.random() < BUYS:
        item = seen[-1]
        now += random.randint(5, 60)
        # Two of a kind are two purchases with the same words in the same second.
        for _ in range(random.choice((1, 1, 1, 1, 2))):
            sold = {"uid": uid, "item_id": item.id, "item_category": item.category, "price": item.price}
            yield Printed(now, "pay", sold)
        yield Printed(now, "", {}, f"order of user {uid} is paid")


def life(random: Random, uid: int, start: int, end: int) -> Iterator[Printed]:
    """All that one user does from start to end, in order of time."""
    now = random.randrange(start, end)
    yield Printed(now, "register", {"uid": uid})
    while now < end:
        for printed in visit(random, uid, now):
            if printed.time < end:
                yield printed
            now = printed.time
        now += random.randint(5 * 60, 3 * HOUR_S)


def simulate(*, seed: int, users: int, start: int, end: int) -> list[Printed]:
    """What the shop prints in the half-open range of unix seconds, in order of time."""
    random = Random(seed)  # noqa: S311 - a story, not a secret
    first_uid = 123
    lines = [
        printed for uid in range(first_uid, first_uid + users) for printed in life(random, uid, start, end)
    ]
    return sorted(lines, key=lambda printed: printed.time)


def summarize(lines: list[Printed]) -> dict[str, Any]:
    """The truth: sales by the hour's END (unix seconds) and category, and how many records each tag has."""
    sums: Counter[tuple[int, str]] = Counter()
    counts: Counter[tuple[int, str]] = Counter()
    for printed in lines:
        if printed.tag == "pay":
            hour_end = printed.time - printed.time % HOUR_S + HOUR_S
            sale = (hour_end, printed.record["item_category"])
            sums[sale] += printed.record["price"]
            counts[sale] += 1
    payments = [
        {"time": hour_end, "category": category, "sum": sums[hour_end, category], "count": count}
        for (hour_end, category), count in sorted(counts.items())
    ]
    tags = Counter(f"production.{printed.tag}" for printed in lines if printed.tag)
    return {"payments": payments, "tags": dict(sorted(tags.items()))}


def read_instant(text: str) -> int:
    """Unix seconds from unix seconds, or from ISO 8601 (UTC where it has no zone)."""
    if text.isdigit():
        return int(text)
    instant = datetime.fromisoformat(text)
    return int((instant if instant.tzinfo else instant.replace(tzinfo=UTC)).timestamp())


def main() -> None:
    """Print the story, and write its summary if one is wanted."""
    parser = argparse.ArgumentParser(description="Print what happens in a shop, as tagged lines.")
    parser.add_argument("--hours", type=int, default=6, help="simulated hours (default: %(default)s)")
    parser.add_argument("--users", type=int, default=200, help="people who come (default: %(default)s)")
    parser.add_argument(
        "--seed", type=int, default=7, help="another seed, another day (default: %(default)s)"
    )
    parser.add_argument(
        "--until",
        type=read_instant,
        default=int(time.time()) // HOUR_S * HOUR_S,
        help="end of the last hour, unix seconds or ISO 8601 (default: when this hour began)",
    )
    parser.add_argument("--summary", type=Path, metavar="FILE", help="write what was sold, as JSON")
    arguments = parser.parse_args()

    signal(SIGPIPE, SIG_DFL)  # `| head` is no error
    start = arguments.until - arguments.hours * HOUR_S
    lines = simulate(seed=arguments.seed, users=arguments.users, start=start, end=arguments.until)
    if arguments.summary:
        arguments.summary.write_text(json.dumps(summarize(lines), indent=2) + "\n")
    sys.stdout.writelines(f"{line}\n" for line in lines)


if __name__ == "__main__":
    main()
