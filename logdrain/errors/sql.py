"""What can go wrong with a query."""

from logdrain.errors.root import LogdrainError, Place


class SqlError(LogdrainError):
    """A query is wrong or failed; parent of the SQL errors."""

    code = "sql_error"
    status = 400
    warnings: tuple[str, ...] = ()  # what planning had to say about the query before it failed


class SqlSyntaxError(SqlError):
    """The SQL text cannot be parsed; the place has line and column."""

    code = "sql_syntax"


class UnsupportedSql(SqlError):
    """The SQL is well formed, but this is something logdrain does not run."""

    code = "sql_unsupported"


class UnknownTable(SqlError):
    """No event has been stored in this table.

    Attributes:
        table: `database.table`, where events may make it; "" elsewhere.
    """

    code = "unknown_table"
    status = 404

    def __init__(self, message: str, *, hint: str = "", place: Place | None = None, table: str = "") -> None:
        super().__init__(message, hint=hint, place=place)
        self.table = table


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


class QueryProcessDied(SqlError):
    """The process that ran the query ended in the middle of it."""

    code = "query_process_died"
    status = 503
    retryable = True


class QueryTimeout(SqlError):
    """The query ran longer than it may."""

    code = "query_timeout"
    status = 504


class QueryRowsExceeded(SqlError):
    """The query has more rows than may be handed out."""

    code = "query_rows"


class ScanTypeChanged(SqlError):
    """A field got a new type while it was being read; planning again helps."""

    code = "scan_type_changed"
    status = 503
    retryable = True


class TooManyQuestions(LogdrainError):
    """As many questions wait as may wait."""

    code = "too_many_questions"
    status = 429
    retryable = True


class QueriesOff(LogdrainError):
    """This process answers no questions: it has no query processes."""

    code = "queries_off"
    status = 404
