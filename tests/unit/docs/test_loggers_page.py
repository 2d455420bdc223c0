"""Every line that the page of loggers prints is the event that it says."""

import re
from pathlib import Path

import pytest

from logdrain.drain.lines import Line
from logdrain.drain.reading import to_event
from logdrain.model.events import Event, NearMiss, NearMissReason, Origin, Table

PAGE = (Path(__file__).parents[3] / "docs" / "how-to" / "loggers.md").read_text()
LINES = re.findall(r"^    (\S.*@\[.*|@\[.*)$", re.sub(r"```.*?```", "", PAGE, flags=re.DOTALL), re.MULTILINE)
LANGUAGES = ["Python", "Ruby", "JavaScript", "Java", "Go", "PHP"]


def outcome(line: str) -> object:
    return to_event(Line(Origin("shop", "app", "web.1", ""), "one", 0, 0, line.encode(), broken=False))


@pytest.mark.parametrize("line", LINES)
def test_each_line_is_an_event(line: str) -> None:
    event = outcome(line)
    assert isinstance(event, Event)
    assert (event.table, event.time_ms) == (Table("production", "pay"), 0)
    assert event.record == {"uid": 123, "price": 321321}


def test_there_are_lines_of_each_language() -> None:
    sections = re.split(r"^## ", PAGE, flags=re.MULTILINE)[1:]
    assert [section.partition("\n")[0] for section in sections] == LANGUAGES
    assert all(section.count("\n    @[production.pay]") == 1 for section in sections)
    assert len(LINES) > 4 * len(LANGUAGES) - 2


@pytest.mark.parametrize(
    "line",
    [
        r'time=2026-07-01T12:00:00.123Z level=INFO msg="@[production.pay] {\"uid\":123}"',
        r'time="2026-07-01T12:00:00Z" level=info msg="@[production.pay] {\"uid\":123}"',
        '[2026-07-01T12:00:00.123456+00:00] events.INFO: @[production.pay] {"uid":123} [] []',
    ],
)
def test_the_near_misses_that_it_names(line: str) -> None:
    found = outcome(line)
    assert isinstance(found, NearMiss)
    assert found.reason is NearMissReason.TEXT_BEFORE


def test_the_python_examples_print_these_lines(capfd: pytest.CaptureFixture[str]) -> None:
    for source in re.findall(r"```python\n(.*?)```", PAGE, flags=re.DOTALL):
        exec(source, {})  # noqa: S102  # of our own page
    printed = capfd.readouterr().out.splitlines()
    assert printed == ['@[production.pay] {"uid": 123, "price": 321321}'] * 2
