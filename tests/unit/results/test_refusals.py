import psycopg
import pytest
from psycopg import errors

from logdrain.errors import LogdrainError, ResultRefused, ResultUnavailable
from logdrain.results.tables import TableName, result_error

TABLE = TableName("public", "pay")


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (psycopg.OperationalError("connection refused"), ResultUnavailable),
        (errors.ConnectionFailure("gone"), ResultUnavailable),
        (errors.AdminShutdown("terminating connection"), ResultUnavailable),
        (errors.QueryCanceled("statement timeout"), ResultUnavailable),
        (errors.TooManyConnections("too many"), ResultUnavailable),
        (errors.DiskFull("no space left"), ResultUnavailable),
        (errors.SerializationFailure("could not serialize"), ResultUnavailable),
        (errors.DeadlockDetected("deadlock"), ResultUnavailable),
        (errors.LockNotAvailable("lock timeout"), ResultUnavailable),
        (errors.InsufficientPrivilege("permission denied"), ResultRefused),
        (errors.UniqueViolation("duplicate key"), ResultRefused),
        (errors.NumericValueOutOfRange("out of range"), ResultRefused),
        (errors.ReadOnlySqlTransaction("read-only"), ResultRefused),
        (errors.TooManyColumns("at most 1600"), ResultRefused),
        (psycopg.ProgrammingError("bad connection string"), ResultRefused),
    ],
)
def test_what_passes_is_tried_again(error: psycopg.Error, expected: type[LogdrainError]) -> None:
    told = result_error(error, TABLE, "shop")
    assert type(told) is expected
    assert str(error) in told.message
    assert '"public"."pay"' in told.message


@pytest.mark.parametrize(
    ("error", "hint"),
    [
        (errors.InsufficientPrivilege("denied"), 'GRANT USAGE, CREATE ON SCHEMA "public" TO "sh""op"'),
        (errors.ReadOnlySqlTransaction("read-only"), "primary"),
        (errors.FeatureNotSupported("used by a view"), "view"),
        (errors.NotNullViolation("null value"), "constraint"),
        (errors.DependentObjectsStillExist("others depend on it"), "mode=truncate keeps"),
        (errors.ObjectNotInPrerequisiteState("deferrable"), "the next run makes"),
        (errors.CardinalityViolation("a second time"), "unique="),
        (errors.StringDataRightTruncation("too long"), "cast"),
        (errors.SyntaxError("?"), ""),
    ],
)
def test_a_refusal_says_what_to_do(error: psycopg.Error, hint: str) -> None:
    assert hint in result_error(error, TABLE, 'sh"op').hint


@pytest.mark.parametrize(
    ("says", "hint"),
    [
        ('FATAL:  password authentication failed for user "u"', "check user and password"),
        ("fe_sendauth: no password supplied", "has no password"),
        ('FATAL:  database "d" does not exist', "CREATE DATABASE"),
        ('FATAL:  role "u" does not exist', "CREATE ROLE"),
        ("server does not support SSL, but SSL was required", "leave sslmode"),
        ('no pg_hba.conf entry for host "h", user "u", database "d", no encryption', "sslmode=require"),
        ("Connection refused", "that the server runs"),
    ],
)
def test_a_connection_that_is_refused_says_what_to_do(says: str, hint: str) -> None:
    told = result_error(psycopg.OperationalError(says), TABLE, "u")
    assert hint in told.hint
    assert told.retryable


def test_a_message_is_one_line_without_a_password() -> None:
    told = result_error(psycopg.OperationalError("no\n\tpostgres://u:s3cret@h/db\n"), TABLE, "")
    assert "s3cret" not in str(told)
    assert "\n" not in str(told)
