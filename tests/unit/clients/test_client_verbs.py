"""What each verb records, in a list."""

import logging
from typing import Any

import pytest

from logdrain import Client, LogHandler


def recorded(events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{name: event[name] for name in event if name not in ("insert_id", "time")} for event in events]


def test_the_verbs_record_the_documented_events() -> None:
    events: list[dict[str, Any]] = []
    ld = Client(transport=events)
    ld.register({"anonymous_id": "a1", "plan": "pro"})
    ld.identify(7, {"name": "Ada"})
    ld.reset()
    ld.group("g1", {"size": 3}, user_id=7)
    ld.alias("a1", 7)
    ld.page("home", {"path": "/"})
    assert recorded(events) == [
        {
            "event": "people.identify",
            "user_id": 7,
            "anonymous_id": "a1",
            "properties": {"plan": "pro", "traits": {"name": "Ada"}},
        },
        {"event": "people.group", "user_id": 7, "properties": {"group_id": "g1", "traits": {"size": 3}}},
        {"event": "people.alias", "user_id": 7, "properties": {"previous_id": "a1"}},
        {"event": "web.page", "properties": {"name": "home", "path": "/"}},
    ]
    assert (ld.flush(), ld.close(), ld.sent, ld.dropped) == (0, 0, 0, 0)


def test_time_and_name_are_those_that_were_given() -> None:
    events: list[dict[str, Any]] = []
    ld = Client(transport=events)
    ld.track("a.b", {"n": 1}, time=1_772_366_400, insert_id="mine")
    ld.track("a.b", {"time": "2026-03-01T12:00:00Z", "n": 2})
    ld.track("a.b", {"n": 3}, time="soon")
    assert [event["properties"] for event in events] == [{"n": 1}, {"n": 2}, {"n": 3, "time_": "soon"}]
    assert events[0]["insert_id"] == "mine"
    assert events[0]["time"] == events[1]["time"] == 1_772_366_400_000


def test_nothing_that_is_passed_raises() -> None:
    events: list[dict[str, Any]] = []
    ld = Client(transport=events)
    odd: Any = [1]
    ld.track("a.b", odd)
    ld.track(odd, odd, time=odd, insert_id=odd)
    assert [event["properties"] for event in events] == [{"value": [1]}, {"value": [1], "time_": [1]}]
    with pytest.raises(ValueError, match="transport"):
        Client(transport="telegraph")


def test_a_component_is_recorded_as_decorator_and_around_what_raises() -> None:
    events: list[dict[str, Any]] = []
    ld = Client(transport=events)

    @ld.component("save", size="big")
    def save() -> int:
        return 3

    assert save() == 3
    with pytest.raises(KeyError), ld.component("export"):
        raise KeyError
    seen = [event["properties"] for event in events]
    assert all(properties.pop("seconds") >= 0 for properties in seen)
    assert seen == [
        {"component": "save", "ok": True, "size": "big"},
        {"component": "export", "ok": False, "error": "KeyError"},
    ]


def test_what_is_logged_is_recorded_but_not_the_clients_own_warnings() -> None:
    events: list[dict[str, Any]] = []
    logger = logging.getLogger("shop.test_client_verbs")
    handler = LogHandler(Client(transport=events), level="WARNING")
    logger.addHandler(handler)
    try:
        logger.info("not this")
        logger.warning("low on %s", "tea", extra={"shelf": 3})
        logger.error("lost", exc_info=OSError("disk"))
    finally:
        logger.removeHandler(handler)
    handler.emit(logging.makeLogRecord({"name": "logdrain", "msg": "own"}))
    first, second = (event["properties"] for event in events)
    assert first == {"level": "WARNING", "logger": logger.name, "message": "low on tea", "shelf": 3}
    assert (second["error"], second["level"]) == ("OSError", "ERROR")
    assert second["trace"] == "OSError: disk"


def test_a_printed_event_is_a_tagged_line(capfd: pytest.CaptureFixture[str]) -> None:
    ld = Client(transport="stdout")
    ld.track("a.b", {"n": 1, "user_id": "x"}, user_id=7, time=1_772_366_400)
    assert capfd.readouterr().out == '@[a.b] {"n":1,"user_id_":"x","user_id":7,"time":1772366400000}\n'
