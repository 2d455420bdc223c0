"""The one error tree: every error has a stable code, an HTTP status, whether a retry helps, and a hint.

`code` is part of the interface: programs match on it, docs/reference/errors.md lists it.
`exit_status` is the process exit status when the error ends a command (2 = the words of the command are off).
"""

from logdrain.errors.results import (
    ResultColumnConflict,
    ResultError,
    ResultRefused,
    ResultTableShared,
    ResultUnavailable,
    ResultUrlInvalid,
    UnknownResult,
)
from logdrain.errors.root import (
    BodyTooLarge,
    ConfigError,
    DeliveryFailed,
    LogdrainError,
    MethodNotAllowed,
    NotFound,
    NotRunning,
    SpoolUnavailable,
    StoreBusy,
    StoreUnavailable,
    Unauthorized,
    UsageError,
)
from logdrain.errors.sandbox import (
    PortInUse,
    SandboxError,
    SandboxFolderBroken,
    SandboxFolderBusy,
    SandboxServerFailed,
    SandboxWheelMissing,
)
from logdrain.errors.schedules import (
    CronInvalid,
    JobFileInvalid,
    LeaseLost,
    LedgerUnavailable,
    MigrationError,
    ScheduleError,
    ScheduleExists,
    SliceNotRepeatable,
    SlicesFailed,
    TimeInvalid,
    UnknownSchedule,
    ZoneInvalid,
)
from logdrain.errors.sql import (
    NumberOverflow,
    QueryMemoryExceeded,
    ScanTypeChanged,
    SqlError,
    SqlSyntaxError,
    SqlTypeError,
    UnknownFunction,
    UnknownTable,
    UnsupportedSql,
)

__all__ = [
    "BodyTooLarge",
    "ConfigError",
    "CronInvalid",
    "DeliveryFailed",
    "JobFileInvalid",
    "LeaseLost",
    "LedgerUnavailable",
    "LogdrainError",
    "MethodNotAllowed",
    "MigrationError",
    "NotFound",
    "NotRunning",
    "NumberOverflow",
    "PortInUse",
    "QueryMemoryExceeded",
    "ResultColumnConflict",
    "ResultError",
    "ResultRefused",
    "ResultTableShared",
    "ResultUnavailable",
    "ResultUrlInvalid",
    "SandboxError",
    "SandboxFolderBroken",
    "SandboxFolderBusy",
    "SandboxServerFailed",
    "SandboxWheelMissing",
    "ScanTypeChanged",
    "ScheduleError",
    "ScheduleExists",
    "SliceNotRepeatable",
    "SlicesFailed",
    "SpoolUnavailable",
    "SqlError",
    "SqlSyntaxError",
    "SqlTypeError",
    "StoreBusy",
    "StoreUnavailable",
    "TimeInvalid",
    "Unauthorized",
    "UnknownFunction",
    "UnknownResult",
    "UnknownSchedule",
    "UnknownTable",
    "UnsupportedSql",
    "UsageError",
    "ZoneInvalid",
    "all_errors",
]


def all_errors() -> list[type[LogdrainError]]:
    """Every class of the tree, parents first."""
    found: list[type[LogdrainError]] = [LogdrainError]
    for error in found:
        found.extend(error.__subclasses__())
    return found
