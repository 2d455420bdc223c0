"""What can go wrong with a result."""

from logdrain.errors.root import LogdrainError


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
    """The result's Postgres cannot be reached, or cut the connection; or its disk is full or away."""

    code = "result_unavailable"
    status = 503
    retryable = True


class ResultRefused(ResultError):
    """The result's Postgres refused: a privilege, a type, a constraint; or its files may not be written."""

    code = "result_refused"


class ResultColumnConflict(ResultError):
    """A column of the query does not fit the column the table has."""

    code = "result_column_conflict"


class ResultTableShared(ResultError):
    """Another schedule already writes this table."""

    code = "result_table_shared"
    status = 409
