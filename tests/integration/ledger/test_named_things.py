"""Results and schedules: made, found, changed, forgotten."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from logdrain.errors import (
    CronInvalid,
    ResultTableShared,
    ScheduleError,
    ScheduleExists,
    UnknownResult,
    UnknownSchedule,
    ZoneInvalid,
)
from logdrain.ledger.parts import Ledger
from logdrain.model.jobs import CatchUp, Cause, Schedule
from logdrain.model.plans import Dialect
from tests.integration.ledger.ledger_slices import claim_one

NOW = datetime(2024, 5, 1, 10, 30, tzinfo=UTC)
ELEVEN = datetime(2024, 5, 1, 11, tzinfo=UTC)
INJECTION = "x'; DROP TABLE logdrain.schedules; --%s"
PAY = Schedule(
    name="pay_hourly",
    cron="@hourly",
    timezone="Asia/Tokyo",
    delay_s=600,
    database="production",
    sql="SELECT '%s' AS \"x\"; -- 漢字",
    dialect=Dialect.HIVE,
    result="heroku_db:payments?mode=append",
    retry_limit=3,
    catch_up=CatchUp.LATEST,
    catch_up_max=7,
)
PAY_FILE = replace(PAY, source="jobs/pay_hourly.toml")


def test_a_ledger_has_a_name_of_its_own(ledger: Ledger) -> None:
    assert len(ledger.slices.identity()) == 36
    assert ledger.slices.identity() == ledger.slices.identity()


def test_results_are_kept_by_name(ledger: Ledger) -> None:
    ledger.results.create("heroku_db", "postgres://u:old@h/db")
    ledger.results.create("heroku_db", "postgres://u:new@h/db")
    ledger.results.create(INJECTION, "env:OTHER_URL")
    assert ledger.results.url("heroku_db") == "postgres://u:new@h/db"
    assert ledger.results.all() == [("heroku_db", "postgres://u:new@h/db"), (INJECTION, "env:OTHER_URL")]
    ledger.results.delete(INJECTION)
    assert [name for name, _ in ledger.results.all()] == ["heroku_db"]


def test_an_unknown_result_comes_with_the_nearest_name(ledger: Ledger) -> None:
    ledger.results.create("heroku_db", "postgres://h/db")
    for ask in (ledger.results.url, ledger.results.delete):
        with pytest.raises(UnknownResult, match="did you mean 'heroku_db'"):
            ask("heruko_db")
    with pytest.raises(UnknownResult, match="result:list"):
        ledger.results.url("navy")


def test_a_schedule_comes_back_as_it_was(ledger: Ledger) -> None:
    ledger.schedules.create(PAY, NOW)
    assert ledger.schedules.get("pay_hourly") == PAY
    assert ledger.schedules.all() == [(PAY, ELEVEN, None)]


def test_a_name_is_only_a_name(ledger: Ledger) -> None:
    odd = replace(PAY, name=INJECTION)
    ledger.schedules.create(odd, NOW)
    ledger.schedules.ask_slices(INJECTION, [NOW], Cause.MANUAL, force=False)
    claim = claim_one(ledger, owner=INJECTION, schedule=INJECTION)
    assert claim is not None
    ledger.slices.release(claim)
    assert ledger.schedules.get(INJECTION) == odd
    assert ledger.history.of_schedule(INJECTION, 10) == []
    ledger.schedules.delete(INJECTION)
    assert ledger.schedules.all() == []


@pytest.mark.parametrize("name", ["", "a\0b", "a\udcffb"])
def test_a_name_that_postgres_cannot_hold_is_refused(ledger: Ledger, name: str) -> None:
    with pytest.raises(ScheduleError):
        ledger.schedules.create(replace(PAY, name=name), NOW)


def test_a_schedule_without_cron_never_comes(ledger: Ledger) -> None:
    ledger.schedules.create(replace(PAY, cron=""), NOW)
    assert ledger.schedules.all()[0][1] is None
    assert ledger.slices.plan(NOW.replace(year=2030)) == 0


def test_unreadable_schedules_are_not_kept(ledger: Ledger) -> None:
    with pytest.raises(CronInvalid):
        ledger.schedules.create(replace(PAY, cron="every hour"), NOW)
    with pytest.raises(ZoneInvalid):
        ledger.schedules.apply(replace(PAY, timezone="JST"), NOW)
    with pytest.raises(ScheduleError, match="check constraint"):
        ledger.schedules.create(replace(PAY, delay_s=-1), NOW)
    assert ledger.schedules.all() == []


def test_a_name_is_given_once(ledger: Ledger) -> None:
    ledger.schedules.create(PAY, NOW)
    with pytest.raises(ScheduleExists, match="sched:update pay_hourly"):
        ledger.schedules.create(replace(PAY, result=""), NOW)


def test_a_result_table_has_one_writer(ledger: Ledger) -> None:
    ledger.schedules.create(PAY, NOW)
    other = replace(PAY, name="other", result="heroku_db:payments?mode=truncate")
    with pytest.raises(ResultTableShared, match="schedule 'pay_hourly' does"):
        ledger.schedules.create(other, NOW)
    with pytest.raises(ResultTableShared, match="schedule 'pay_hourly' does"):
        ledger.schedules.apply(other, NOW)
    ledger.schedules.create(replace(other, result="heroku_db:others"), NOW)
    with pytest.raises(ResultTableShared, match="schedule 'pay_hourly' does"):
        ledger.schedules.apply(other, NOW)
    assert ledger.schedules.get("other").result == "heroku_db:others"


def test_schedules_without_a_result_share_nothing(ledger: Ledger) -> None:
    ledger.schedules.create(replace(PAY, result=""), NOW)
    ledger.schedules.create(replace(PAY, name="other", result=""), NOW)
    assert len(ledger.schedules.all()) == 2


def test_a_shared_result_url_is_named_without_its_password(ledger: Ledger) -> None:
    ledger.schedules.create(replace(PAY, result="postgres://u:secret@h/db/t"), NOW)
    with pytest.raises(ResultTableShared, match="h:5432/db/t") as caught:
        ledger.schedules.create(replace(PAY, name="other", result="postgresql://v:secret@h:5432/db/t"), NOW)
    assert "secret" not in str(caught.value)


def test_a_job_file_is_applied_where_it_differs(ledger: Ledger) -> None:
    assert ledger.schedules.apply(PAY_FILE, NOW)
    assert not ledger.schedules.apply(PAY_FILE, NOW)
    changed = replace(
        PAY_FILE,
        sql="SELECT 2",
        delay_s=0,
        database="other",
        dialect=Dialect.TRINO,
        result="",
        retry_limit=0,
        catch_up=CatchUp.ALL,
        catch_up_max=1,
    )
    assert ledger.schedules.apply(changed, NOW)
    assert ledger.schedules.get("pay_hourly") == changed


def test_only_another_cron_or_zone_moves_the_next_instant(ledger: Ledger) -> None:
    later = NOW.replace(hour=20)
    ledger.schedules.apply(PAY_FILE, NOW)
    ledger.schedules.apply(replace(PAY_FILE, sql="SELECT 2"), later)
    assert ledger.schedules.all()[0][1] == ELEVEN
    ledger.schedules.apply(replace(PAY_FILE, cron="15 * * * *"), later)
    assert ledger.schedules.all()[0][1] == later.replace(minute=15, hour=21)


def test_a_schedule_of_another_source_is_left_alone(ledger: Ledger) -> None:
    ledger.schedules.create(PAY, NOW)
    with pytest.raises(ScheduleExists, match="made by `logdrain sched:create`, not by jobs/"):
        ledger.schedules.apply(PAY_FILE, NOW)
    assert ledger.schedules.get("pay_hourly") == PAY


def test_an_unknown_schedule_comes_with_the_nearest_name(ledger: Ledger) -> None:
    ledger.schedules.create(PAY, NOW)
    with pytest.raises(UnknownSchedule, match="did you mean 'pay_hourly'"):
        ledger.schedules.get("pay_hurly")
    with pytest.raises(UnknownSchedule, match="did you mean 'pay_hourly'"):
        ledger.schedules.delete("pay_hurly")
    with pytest.raises(UnknownSchedule, match="did you mean 'pay_hourly'"):
        ledger.history.of_schedule("pay_hurly", 1)
    with pytest.raises(UnknownSchedule, match="did you mean 'pay_hourly'"):
        ledger.schedules.ask_slices("pay_hurly", [NOW], Cause.MANUAL, force=False)
