import json
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

SHOP = Path(__file__).parents[3] / "examples" / "shop.py"
UNTIL = 1330560000  # 2012-03-01T00:00:00Z
FIELDS = {
    "register": ["uid", "time"],
    "login": ["uid", "time"],
    "access": ["uid", "url", "time"],
    "pay": ["uid", "item_id", "item_category", "price", "time"],
}


def shop(*words: str) -> str:
    done = subprocess.run(
        [sys.executable, SHOP, "--until", str(UNTIL), *words], capture_output=True, check=True, text=True
    )
    return done.stdout


def records(printed: str) -> list[tuple[str, dict[str, Any]]]:
    found = re.findall(r"^@\[production\.(\w+)\] (\{.*\})$", printed, re.MULTILINE)
    return [(tag, json.loads(record)) for tag, record in found]


@pytest.fixture(scope="module")
def printed() -> str:
    return shop()


def test_the_same_seed_prints_the_same_bytes(printed: str) -> None:
    assert shop("--seed", "7") == printed
    assert shop("--until", "2012-03-01T00:00:00Z") == printed
    assert shop("--seed", "8") != printed


def test_every_record_has_its_fields_and_a_time_of_its_own(printed: str) -> None:
    found = records(printed)

    assert {tag for tag, _ in found} == set(FIELDS)
    assert all(list(record) == FIELDS[tag] for tag, record in found)
    assert all(UNTIL - 6 * 3600 <= record["time"] < UNTIL for _, record in found)
    assert all(type(record["price"]) is int for tag, record in found if tag == "pay")


def test_ordinary_lines_stand_between(printed: str) -> None:
    assert any(not line.startswith("@[") for line in printed.splitlines())


def test_some_purchases_are_the_same_in_every_word(printed: str) -> None:
    pays = Counter(line for line in printed.splitlines() if line.startswith("@[production.pay]"))

    assert max(pays.values()) > 1


def test_users_register_once_and_first() -> None:
    registered: set[int] = set()
    for tag, record in records(shop("--users", "50", "--hours", "2")):
        assert (tag == "register") == (record["uid"] not in registered)
        registered.add(record["uid"])

    assert len(registered) == 50


def test_the_summary_is_what_was_printed(tmp_path: Path) -> None:
    found = records(shop("--hours", "3", "--summary", str(tmp_path / "truth.json")))
    truth = json.loads((tmp_path / "truth.json").read_text())

    sums: Counter[tuple[int, str]] = Counter()
    counts: Counter[tuple[int, str]] = Counter()
    for tag, record in found:
        if tag == "pay":
            hour_end = (record["time"] // 3600 + 1) * 3600
            sums[hour_end, record["item_category"]] += record["price"]
            counts[hour_end, record["item_category"]] += 1
    assert truth["payments"] == [
        {"time": hour_end, "category": category, "sum": sums[hour_end, category], "count": count}
        for (hour_end, category), count in sorted(counts.items())
    ]
    assert {payment["time"] for payment in truth["payments"]} == {UNTIL - 7200, UNTIL - 3600, UNTIL}
    assert truth["tags"] == Counter(f"production.{tag}" for tag, _ in found)
