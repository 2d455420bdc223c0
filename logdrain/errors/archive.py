"""Errors of the archive."""

from logdrain.errors.root import LogdrainError


class ArchiveUnavailable(LogdrainError):
    """The place of the archive's files cannot be used just now: full, read-only, or gone."""

    code = "archive_unavailable"
    status = 503
    retryable = True


class ArchiveRefused(LogdrainError):
    """The place belongs to another installation, or to a newer version of logdrain."""

    code = "archive_refused"
    status = 409


class ArchiveOvertaken(LogdrainError):
    """Somebody else rewrote the same hours meanwhile; what was built is thrown away."""

    code = "archive_overtaken"
    status = 409
    retryable = True


class ArchiveDamaged(LogdrainError):
    """Files of the archive are missing, or not what was written."""

    code = "archive_damaged"
