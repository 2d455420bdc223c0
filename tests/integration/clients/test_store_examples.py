"""The programs that operators start: events are copied and deleted."""

import subprocess
import sys
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pymongo
from bson.binary import UUID_SUBTYPE, Binary

EXAMPLES = Path(__file__).parents[3] / "examples"
CLUSTERED: dict[str, Any] = {"clusteredIndex": {"key": {"_id": 1}, "unique": True}}
DAY_MS = 86_400_000


def run(name: str, *words: str) -> list[str]:
    done = subprocess.run(
        [sys.executable, EXAMPLES / name, *words], capture_output=True, check=True, text=True
    )
    return done.stdout.splitlines()


def event(time_ms: int, price: object) -> dict[str, Any]:
    return {"_id": Binary(time_ms.to_bytes(6, "big") + bytes(10), UUID_SUBTYPE), "price": price}


def test_a_copy_has_everything_once(mongodb_uri: str) -> None:
    parts = urlsplit(mongodb_uri)
    other = parts._replace(path=f"{parts.path}_copy").geturl()
    with pymongo.MongoClient[dict[str, Any]](mongodb_uri) as client:
        source = client.get_default_database()
        copied = client[f"{source.name}_copy"]
        try:
            table = source.create_collection("production.pay", **CLUSTERED)
            table.insert_many([event(n, n / 2) for n in range(2500)])
            source["_catalog"].insert_one({"table": "production.pay"})
            assert run("copy_events.py", mongodb_uri, other) == [
                "_catalog: 1 new",
                "production.pay: 2500 new",
            ]
            table.insert_one(event(2500, {"b": 1, "a": [None]}))
            assert run("copy_events.py", mongodb_uri, other) == ["_catalog: 0 new", "production.pay: 1 new"]
            assert list(copied["production.pay"].find()) == list(table.find())
            assert copied["production.pay"].options() == table.options()
        finally:
            client.drop_database(copied.name)


def test_old_events_are_deleted_and_no_others(mongodb_uri: str) -> None:
    now_ms = int(time.time() * 1000)
    with pymongo.MongoClient[dict[str, Any]](mongodb_uri) as client:
        table = client.get_default_database().create_collection("production.pay", **CLUSTERED)
        table.insert_many([event(now_ms - days * DAY_MS, days) for days in range(10)])
        table.insert_one(event(now_ms + DAY_MS, "from the future"))
        words = ("delete_old_events.py", mongodb_uri, "production.pay", "5")
        assert run(*words) == ["production.pay: 5 events deleted"]
        assert [found["price"] for found in table.find()] == [4, 3, 2, 1, 0, "from the future"]
        assert run(*words) == ["production.pay: 0 events deleted"]
