"""What can go wrong with schedules and their ledger."""

from logdrain.errors.root import LogdrainError


class ScheduleError(LogdrainError):
    """Something about a schedule; parent of the schedule errors."""

    code = "schedule_error"
    status = 400


class CronInvalid(ScheduleError):
    """A cron expression cannot be read."""

    code = "cron_invalid"


class ZoneInvalid(ScheduleError):
    """A time zone is not in the IANA database."""

    code = "zone_invalid"


class TimeInvalid(ScheduleError):
    """A point in time cannot be read."""

    code = "time_invalid"


class JobFileInvalid(ScheduleError):
    """A job file cannot be read.

    Args:
        reasons: All that is wrong, each with file and line; the message has them all.
        hint: What to do about it.
    """

    code = "job_file_invalid"

    def __init__(self, *reasons: str, hint: str = "") -> None:
        super().__init__("; ".join(reasons), hint=hint)
        self.reasons = reasons


class JobFileMissing(ScheduleError):
    """The worker has not the file that has the job's function."""

    code = "job_file_missing"
    status = 500


class JobFailed(ScheduleError):
    """A job's own code has raised; the message has file, line and what."""

    code = "job_failed"
    status = 500


class JobFailedTransient(JobFailed):
    """A job's own code could not connect to something, or waited too long for it."""

    code = "job_failed_transient"
    retryable = True


class JobResultInvalid(ScheduleError):
    """What a job's function returned is no result, or its rows do not fit together."""

    code = "job_result_invalid"
    status = 500


class ScheduleCycle(ScheduleError):
    """Schedules would wait for each other for ever."""

    code = "schedule_cycle"


class ScheduleNeeded(ScheduleError):
    """Other schedules run after this one; the message names them."""

    code = "schedule_needed"
    status = 409


class UnknownSchedule(ScheduleError):
    """No schedule has this name."""

    code = "unknown_schedule"
    status = 404


class ScheduleExists(ScheduleError):
    """A schedule of this name exists already."""

    code = "schedule_exists"
    status = 409


class ScheduleFromFile(ScheduleError):
    """A schedule is its job file's, and changes only with it."""

    code = "schedule_from_file"
    status = 409


class UnknownRun(ScheduleError):
    """No run has this number, or it has been forgotten."""

    code = "unknown_run"
    status = 404


class RunEnded(ScheduleError):
    """A run that should end has ended, and is not tried again."""

    code = "run_ended"
    status = 409


class RunKilled(ScheduleError):
    """Somebody has ended the run."""

    code = "run_killed"
    status = 409


class NotifyUrlInvalid(ScheduleError):
    """A URL for notices is not http or https, or cannot be read."""

    code = "notify_url_invalid"


class SliceNotRepeatable(ScheduleError):
    """Running this slice again would double its rows."""

    code = "slice_not_repeatable"
    status = 409


class SlicesFailed(ScheduleError):
    """Slices that were asked for have failed; the message has the first one's reason."""

    code = "slices_failed"
    status = 500


class LeaseLost(ScheduleError):
    """Another worker has taken the slice; this run must not commit."""

    code = "lease_lost"
    status = 409


class LedgerUnavailable(LogdrainError):
    """The Postgres with the ledger cannot be reached, or cut the connection."""

    code = "ledger_unavailable"
    status = 503
    retryable = True


class MigrationError(LogdrainError):
    """The ledger's tables are missing, newer than this program, or could not be brought up to date."""

    code = "migration"
