"""Workers on machines whose clocks are wrong: they go by the ledger's."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import psycopg
import pytest

from logdrain.bootstrap.drain import SystemClock
from logdrain.config import read_settings
from logdrain.errors import StoreUnavailable
from logdrain.model.jobs import SliceState
from logdrain.ports.streams import ArrowStream
from logdrain.worker.loop import Worker
from logdrain.worker.parts import WorkerParts, open_worker_parts
from tests.integration.worker.fixed_runs import FixedClock, Sums, opened_worker, select_sums

OFF = timedelta(days=400)
MINUTE = timedelta(minutes=1)


@pytest.fixture(params=[OFF, -OFF], ids=["fast", "slow"])
def parts(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, mongodb_uri: str, ledger_url: str
) -> Iterator[WorkerParts]:
    """Of a worker on a machine whose clock is off."""
    monkeypatch.setattr(SystemClock, "now", lambda _: datetime.now(UTC) + request.param)
    settings = read_settings({"MONGODB_URI": mongodb_uri, "DATABASE_URL": ledger_url})
    with open_worker_parts(settings, {}) as parts:
        yield parts


@pytest.fixture
def sums(parts: WorkerParts, ledger_url: str) -> Sums:
    return Sums(parts.ledger, ledger_url)


def test_no_slice_is_made_before_its_time(parts: WorkerParts, sums: Sums) -> None:
    sums.create(cron="0 0 1 1 *", now=parts.ledger.clock.now())
    assert not Worker(parts.ledger.slices, parts.runner.run, parts.ledger.clock, lease_s=60).run_one()


def test_a_slice_is_made_when_it_is_due(parts: WorkerParts, sums: Sums, ledger_url: str) -> None:
    sums.create(cron="* * * * *", now=parts.ledger.clock.now() - 2 * MINUTE)
    assert Worker(parts.ledger.slices, parts.runner.run, parts.ledger.clock, lease_s=60).run_one()
    with psycopg.connect(ledger_url) as connection:
        [(slices,)] = connection.execute("SELECT count(*) FROM logdrain.slices").fetchall()
    assert slices in (2, 3)


def test_a_failure_is_tried_again_as_soon_by_others(parts: WorkerParts, sums: Sums, ledger_url: str) -> None:
    def fails(_: object) -> ArrowStream:
        raise StoreUnavailable("away")

    sums.create()
    sums.ask()
    with opened_worker(parts.ledger, fails, parts.ledger.clock) as off:
        assert off.run_one()
    with psycopg.connect(ledger_url) as connection:
        [(wait,)] = connection.execute("SELECT not_before - now() FROM logdrain.slices").fetchall()
    assert timedelta(0) < wait <= timedelta(seconds=10)
    with opened_worker(
        parts.ledger, select_sums({"milk": 3}), FixedClock(parts.ledger.clock.now() + MINUTE)
    ) as other:
        assert other.run_one()
    assert sums.state() is SliceState.SUCCEEDED
