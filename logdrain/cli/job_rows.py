"""How runs are printed: the same words in every command that shows some."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

from logdrain.log import mask, printable
from logdrain.model.jobs import Run, Wait


def row(run: Run) -> dict[str, object]:
    """A run for programs; times are instants, absent things None."""
    return {
        "run": run.run_id,
        "schedule": run.schedule,
        "scheduled_at": run.scheduled_at,
        "cause": run.cause.value,
        "reason": run.reason or None,
        "attempt": run.attempt,
        "state": run.state.value,
        "started_at": run.started_at,
        "late_start_s": _rounded(run.late_start_s),
        "seconds": _rounded(run.seconds),
        "rows_read": run.rows_read,
        "bytes_read": run.bytes_read,
        "rows_written": run.rows_written,
        "warnings": list(run.warnings),
        "error": f"{run.error_code}: {run.error_message}" if run.error_code else None,
        "hint": run.error_hint or None,
    }


def notes(runs: Sequence[Run]) -> Iterable[str]:
    """What is said below a table of runs, each once: why some ran again, hints, warnings."""
    said = dict.fromkeys(f"run {run.run_id}: {run.reason}" for run in runs if run.reason)
    said |= dict.fromkeys(f"hint: {run.error_hint}" for run in runs if run.error_hint)
    said |= dict.fromkeys(f"warning: {warning}" for run in runs for warning in run.warnings)
    return map(printable, said)


def waits_lines(waits: Sequence[Wait]) -> list[str]:
    """`slice 2012-03-02T00:00Z waits for pay_hourly 2012-03-01T23:00Z: running`, one line each."""
    return [
        f"slice {_instant(wait.scheduled_at)} waits for {wait.before}"
        + (f" {_instant(wait.before_at)}" if wait.before_at else "")
        + f": {mask(wait.why)}"
        for wait in waits
    ]


def _instant(time: datetime) -> str:
    return f"{time.astimezone(UTC):%Y-%m-%dT%H:%MZ}"


def _rounded(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 3)
