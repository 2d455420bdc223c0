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
from logdrain.ledger.postgres_ledger import PostgresLedger
from logdrain.model.jobs import CatchUp, Cause, Schedule
from logdrain.model.plans import Dialect
from logdrain.ports.ledger import Ledger

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


def test_it_is_the_ledger_of_the_port(ledger: PostgresLedger) -> None:
    port: Ledger = ledger
    assert len(port.identity()) == 36
    assert port.identity() == port.identity()


def test_results_are_kept_by_name(ledger: PostgresLedger) -> None:
    ledger.create_result("heroku_db", "postgres://u:old@h/db")
    ledger.create_result("heroku_db", "postgres://u:new@h/db")
    ledger.create_result(INJECTION, "env:OTHER_URL")
    assert ledger.result_url("heroku_db") == "postgres://u:new@h/db"
    assert ledger.results() == [("heroku_db", "postgres://u:new@h/db"), (INJECTION, "env:OTHER_URL")]
    ledger.delete_result(INJECTION)
    assert [name for name, _ in ledger.results()] == ["heroku_db"]


def test_an_unknown_result_comes_with_the_nearest_name(ledger: PostgresLedger) -> None:
    ledger.create_result("heroku_db", "postgres://h/db")
    for ask in (ledger.result_url, ledger.delete_result):
        with pytest.raises(UnknownResult, match="did you mean 'heroku_db'"):
            ask("heruko_db")
    with pytest.raises(UnknownResult, match="result:list"):
        ledger.result_url("navy")


def test_a_schedule_comes_back_as_it_was(ledger: PostgresLedger) -> None:
    ledger.create_schedule(PAY, NOW)
    assert ledger.schedule("pay_hourly") == PAY
    assert ledger.schedules() == [(PAY, ELEVEN, None)]


def test_a_name_is_only_a_name(ledger: PostgresLedger) -> None:
    odd = replace(PAY, name=INJECTION)
    ledger.create_schedule(odd, NOW)
    ledger.ask_slices(INJECTION, [NOW], Cause.MANUAL, force=False)
    claim = ledger.claim(INJECTION, 60, NOW, schedule=INJECTION)
    assert claim is not None
    ledger.release(claim)
    assert ledger.schedule(INJECTION) == odd
    assert ledger.history(INJECTION, 10) == []
    ledger.delete_schedule(INJECTION)
    assert ledger.schedules() == []


@pytest.mark.parametrize("name", ["", "a\0b", "a\udcffb"])
def test_a_name_that_postgres_cannot_hold_is_refused(ledger: PostgresLedger, name: str) -> None:
    with pytest.raises(ScheduleError):
        ledger.create_schedule(replace(PAY, name=name), NOW)


def test_a_schedule_without_cron_never_comes(ledger: PostgresLedger) -> None:
    ledger.create_schedule(replace(PAY, cron=""), NOW)
    assert ledger.schedules()[0][1] is None
    assert ledger.plan_slices(NOW.replace(year=2030)) == 0


def test_unreadable_schedules_are_not_kept(ledger: PostgresLedger) -> None:
    with pytest.raises(CronInvalid):
        ledger.create_schedule(replace(PAY, cron="every hour"), NOW)
    with pytest.raises(ZoneInvalid):
        ledger.apply_schedule(replace(PAY, timezone="JST"), NOW)
    with pytest.raises(ScheduleError, match="check constraint"):
        ledger.create_schedule(replace(PAY, delay_s=-1), NOW)
    assert ledger.schedules() == []


def test_a_name_is_given_once(ledger: PostgresLedger) -> None:
    ledger.create_schedule(PAY, NOW)
    with pytest.raises(ScheduleExists, match="sched:update pay_hourly"):
        ledger.create_schedule(replace(PAY, result=""), NOW)


def test_a_result_table_has_one_writer(ledger: PostgresLedger) -> None:
    ledger.create_schedule(PAY, NOW)
    other = replace(PAY, name="other", result="heroku_db:payments?mode=truncate")
    with pytest.raises(ResultTableShared, match="schedule 'pay_hourly' does"):
        ledger.create_schedule(other, NOW)
    with pytest.raises(ResultTableShared, match="schedule 'pay_hourly' does"):
        ledger.apply_schedule(other, NOW)
    ledger.create_schedule(replace(other, result="heroku_db:others"), NOW)
    with pytest.raises(ResultTableShared, match="schedule 'pay_hourly' does"):
        ledger.apply_schedule(other, NOW)
    assert ledger.schedule("other").result == "heroku_db:others"


def test_schedules_without_a_result_share_nothing(ledger: PostgresLedger) -> None:
    ledger.create_schedule(replace(PAY, result=""), NOW)
    ledger.create_schedule(replace(PAY, name="other", result=""), NOW)
    assert len(ledger.schedules()) == 2


def test_a_shared_result_url_is_named_without_its_password(ledger: PostgresLedger) -> None:
    ledger.create_schedule(replace(PAY, result="postgres://u:secret@h/db/t"), NOW)
    with pytest.raises(ResultTableShared, match="h:5432/db/t") as caught:
        ledger.create_schedule(replace(PAY, name="other", result="postgresql://v:secret@h:5432/db/t"), NOW)
    assert "secret" not in str(caught.value)


def test_a_job_file_is_applied_where_it_differs(ledger: PostgresLedger) -> None:
    assert ledger.apply_schedule(PAY_FILE, NOW)
    assert not ledger.apply_schedule(PAY_FILE, NOW)
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
    assert ledger.apply_schedule(changed, NOW)
    assert ledger.schedule("pay_hourly") == changed


def test_only_another_cron_or_zone_moves_the_next_instant(ledger: PostgresLedger) -> None:
    later = NOW.replace(hour=20)
    ledger.apply_schedule(PAY_FILE, NOW)
    ledger.apply_schedule(replace(PAY_FILE, sql="SELECT 2"), later)
    assert ledger.schedules()[0][1] == ELEVEN
    ledger.apply_schedule(replace(PAY_FILE, cron="15 * * * *"), later)
    assert ledger.schedules()[0][1] == later.replace(minute=15, hour=21)


def test_a_schedule_of_another_source_is_left_alone(ledger: PostgresLedger) -> None:
    ledger.create_schedule(PAY, NOW)
    with pytest.raises(ScheduleExists, match="made by `logdrain sched:create`, not by jobs/"):
        ledger.apply_schedule(PAY_FILE, NOW)
    assert ledger.schedule("pay_hourly") == PAY


def test_an_unknown_schedule_comes_with_the_nearest_name(ledger: PostgresLedger) -> None:
    ledger.create_schedule(PAY, NOW)
    with pytest.raises(UnknownSchedule, match="did you mean 'pay_hourly'"):
        ledger.schedule("pay_hurly")
    with pytest.raises(UnknownSchedule, match="did you mean 'pay_hourly'"):
        ledger.delete_schedule("pay_hurly")
    with pytest.raises(UnknownSchedule, match="did you mean 'pay_hourly'"):
        ledger.history("pay_hurly", 1)
    with pytest.raises(UnknownSchedule, match="did you mean 'pay_hourly'"):
        ledger.ask_slices("pay_hurly", [NOW], Cause.MANUAL, force=False)
