import asyncio
import logging
from collections.abc import Iterator

import pytest

from logdrain.web.server.library_log import OneLine, take_over

LIBRARY = logging.getLogger("some.library")


@pytest.fixture
def handler() -> Iterator[OneLine]:
    handler = OneLine()
    LIBRARY.addHandler(handler)
    LIBRARY.propagate = False
    yield handler
    LIBRARY.removeHandler(handler)
    LIBRARY.propagate = True


@pytest.mark.usefixtures("handler")
def test_a_traceback_becomes_one_line_without_what_was_sent(capsys: pytest.CaptureFixture[str]) -> None:
    try:
        int("@[a.b] {}\nsecret")
    except ValueError:
        LIBRARY.exception("Error handling request from %s\nmore", "secret")
    [line] = capsys.readouterr().err.splitlines()
    assert "event=library_said library=some.library" in line
    assert 'message="Error handling request from %s" error=ValueError' in line
    assert "secret" not in line


def test_what_fails_in_the_event_loop_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    root = logging.getLogger()
    before, level = list(root.handlers), root.level
    loop = asyncio.new_event_loop()
    try:
        take_over(loop)
        loop.call_exception_handler({"message": "it broke\nin two", "exception": OSError("no\nfiles")})
    finally:
        loop.close()
        root.handlers[:] = before
        root.setLevel(level)
    [line] = capsys.readouterr().err.splitlines()
    assert 'event=event_loop_failed message="it broke"' in line
