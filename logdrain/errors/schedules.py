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
    """A job file cannot be read; the message has file, line and reason."""

    code = "job_file_invalid"


class UnknownSchedule(ScheduleError):
    """No schedule has this name."""

    code = "unknown_schedule"
    status = 404


class ScheduleExists(ScheduleError):
    """A schedule of this name exists already."""

    code = "schedule_exists"
    status = 409


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
