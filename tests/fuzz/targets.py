"""Everything that is fuzzed, by name: a function that takes any octets and fails where its promise does."""

from collections.abc import Callable

from tests.fuzz import targets_drain, targets_spool, targets_sql

TARGETS: dict[str, Callable[[bytes], None]] = {
    "body": targets_drain.body,
    "cron": targets_sql.cron,
    "frames": targets_drain.frames,
    "interval": targets_sql.td_interval,
    "java_format": targets_sql.java_format,
    "message": targets_drain.message,
    "reading": targets_drain.reading,
    "record": targets_drain.record,
    "result": targets_sql.result,
    "segment": targets_spool.segment,
    "sql": targets_sql.sql,
}
