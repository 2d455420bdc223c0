"""Lines as loggers and log-shuttle write them, from the request to what people see."""

import json
import urllib.request
from base64 import b64encode
from urllib.parse import urlsplit

from tests.e2e.running_up import Up, await_condition
from tests.unit.drain.test_log_shuttle import SHUTTLE, frames, tagged


def post(up: Up, body: bytes) -> None:
    url = urlsplit(up.urls["drain"])
    key = b64encode(f"{url.username}:{url.password}".encode()).decode()
    request = urllib.request.Request(  # our own server
        f"http://{url.hostname}:{url.port}/logs", body, {"Authorization": f"Basic {key}"}, method="POST"
    )
    with urllib.request.urlopen(request) as response:  # noqa: S310  # our own server
        assert response.status == 204


def test_near_misses_are_counted_and_shown(up: Up) -> None:
    lines = ['sent @[near.pay] {"x":1}', 'INFO:root:@[near.pay] {"x":2}', '@near.pay {"x":3}', "hello"]
    before = up.metric('logdrain_lines_total{kind="near_miss"}')
    up.run("ship", stdin="\n".join(lines).encode())
    assert up.metric('logdrain_lines_total{kind="near_miss"}') == before + 2

    def shown() -> list[tuple[str, str]]:
        entries = map(json.loads, up.run("quarantine", "--near", "--json").stdout.splitlines())
        return [(entry["reason"], entry["raw"]) for entry in entries]

    await_condition(lambda: len(shown()) == 2, "near misses are written")
    assert shown() == [("text_before", lines[0]), ("bad_form", lines[2])]
    assert "text_before" in up.run("quarantine", "--near").stdout
    found = up.json("query", "-d", "near", "--format", "json", "SELECT x FROM pay")
    assert found == [{"x": 2}]


def test_pieces_of_log_shuttle_may_come_in_two_requests(up: Up) -> None:
    line = tagged(7, "é- [x] " * 3_000)
    for frame in frames(line, SHUTTLE):
        post(up, frame)
    record = json.loads(line.partition(b" ")[2])
    found = up.json("query", "-d", "a", "--format", "json", "SELECT n, text FROM b")
    assert found == [record]


def test_schema_says_that_a_time_had_no_zone(up: Up) -> None:
    lines = [
        '@[zones.local] {"time":"2026-07-01 12:00:00"}',
        '@[zones.utc] {"time":"2026-07-01 12:00:00 UTC"}',
    ]
    up.run("ship", stdin="\n".join(lines).encode())
    assert "has no zone" in up.run("schema", "zones.local").stdout
    assert "has no zone" not in up.run("schema", "zones.utc").stdout
    assert up.json("query", "-d", "zones", "--format", "json", "SELECT time FROM utc") == [
        {"time": 1782907200}
    ]
