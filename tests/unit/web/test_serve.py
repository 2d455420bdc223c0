"""A server that nobody could send anything to does not start."""

import asyncio
from collections.abc import Coroutine
from typing import Any

import pytest

from logdrain.errors import ConfigError
from logdrain.model.keys import Key, Scope, digest
from logdrain.web.serve import serve
from tests.changed_settings import settings_with


@pytest.mark.parametrize(
    ("scope", "starts"),
    [(Scope.DRAIN, True), (Scope.WRITE, True), (Scope.ADMIN, True), (Scope.READ, False)],
)
def test_a_key_that_may_send_events_is_needed(
    monkeypatch: pytest.MonkeyPatch, scope: Scope, *, starts: bool
) -> None:
    started: list[bool] = []

    def run(program: Coroutine[Any, Any, None]) -> None:
        program.close()
        started.append(True)

    monkeypatch.setattr(asyncio, "run", run)
    settings = settings_with(keys=(Key(scope, "site", digest(b"secret")),))
    if starts:
        serve(settings, ["127.0.0.1"])
    else:
        with pytest.raises(ConfigError):
            serve(settings, ["127.0.0.1"])
    assert started == [True] * starts
