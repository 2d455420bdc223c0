"""Ctrl-C while the engine works."""

import signal
import threading

import pytest

from logdrain.cli.query import run_in_thread
from logdrain.model.stops import Stop
from logdrain.query.duckdb import session as duckdb_session
from tests.unit.query.event_tables import rows


@pytest.mark.parametrize(
    ("said", "expected"), [("Query interrupted", KeyboardInterrupt), ("std::bad_cast", RuntimeError)]
)
def test_ctrl_c_is_ctrl_c_and_no_defect(
    said: str, expected: type[BaseException], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError(said)

    monkeypatch.setattr(duckdb_session, "_in_bigint", fail)
    with pytest.raises(expected):
        rows("SELECT uid FROM pay")


def test_ctrl_c_ends_what_does_not_hear_it() -> None:
    ended = threading.Event()

    def run(*, stop: Stop) -> None:
        with stop.telling(ended.set):
            # A real signal: the main thread hears it also when it waits already.
            signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)
            ended.wait()

    with pytest.raises(KeyboardInterrupt):
        run_in_thread(run)
    assert ended.is_set()
