"""Job files: `jobs/<name>.toml` becomes the schedule `<name>`.

All keys, of which `cron`, `database` and one of `sql_file` and `sql` are needed:

    cron = "0 * * * *"                  # or @hourly, @daily, @monthly; "" runs only when it is asked to
    timezone = "UTC"                    # IANA name
    delay = "10m"                       # or seconds: 600
    database = "production"             # where table names without a database live
    sql_file = "../sql/pay_hourly.sql"  # seen from this file; or the text itself: sql = "SELECT ..."
    dialect = "trino"                   # or hive; td's word `type` does as well
    result = "heroku_db:payment_history"
    retry_limit = 5
    catch_up = "all"                    # or latest, none
    catch_up_max = 1000
    late = "24h"                        # so long slices run again when events come late; "0" never
    timeout = "30m"                     # "0": the time limit of all queries
    priority = 0                        # -2 to 2, or very-low, low, normal, high, very-high
    notify = "https://example.com/hook" # where failures are told
    after = ["logins_hourly"]           # schedules whose slices up to the same time go first
    enabled = true                      # false: applied only where this file is named itself

A function in `jobs/<file>.py` with `@logdrain.job(...)` becomes the schedule of its name; it takes the same
keys without those of the SQL, and does not need a `database`.
"""

import json
import re
import tomllib
from collections.abc import Callable, Mapping
from enum import StrEnum
from pathlib import PurePath
from typing import Any

from logdrain.errors import CronInvalid, JobFileInvalid, NotifyUrlInvalid, ZoneInvalid
from logdrain.jobs import cron
from logdrain.jobs.option_values import PRIORITY_HINT, duration_s, read_priority
from logdrain.model.job_files import Job
from logdrain.model.jobs import CatchUp, Schedule
from logdrain.model.names import nearest_hint
from logdrain.model.notices import check_notify_url
from logdrain.model.plans import Dialect

HINT = "`logdrain jobs check` reads them again"

_KEYS_OF_OTHERS = {"query": "its key is sql, or sql_file for a file", "schedule": "its key is cron"}
_PLACE_IN_TOML = re.compile(r" \((?:at line (?P<line>\d+), column \d+|at end of document)\)$")
_LONG_TEXT_MARK = re.compile(r"\"{3}|'{3}")
_LONG_TEXT_BELOW = re.compile(r"[^=]*=\s*(?:\"{3}|'{3})\s*$")
_BARE_TEXT = re.compile(r"\s*(?P<key>[a-z_]+)\s*=\s*(?P<value>[^\s\"'\[{#][^\"'#]*?)\s*(?:#.*)?$")
_WHOLE_MAX = 2**31 - 1  # what the ledger's columns hold
_CATCH_UP_MAX = 100_000  # planning holds them all in memory
_NEEDED = (("cron",), ("database",), ("sql", "sql_file"))
_ONE_OF = (("sql", "sql_file"), ("dialect", "type"))


class _UnreadableError(Exception):
    """Why an entry cannot be read."""


def read_job(text: str, path: str, source: str, read_sql: Callable[[str], str]) -> Job:
    """Read one job file.

    Args:
        text: What is in it.
        path: Its path, for messages; the file's name without `.toml` is the schedule's name.
        source: What the ledger keeps as its origin: the same on every machine.
        read_sql: Gives the text of a `sql_file`, named as in the job file; may raise OSError, ValueError.

    Raises:
        JobFileInvalid: All that is wrong with it, each with its line.
    """
    table = _read_toml(text, path)
    fields: dict[str, Any] = {"timezone": "UTC", "delay_s": 0}
    wrong: list[tuple[int, str]] = []
    for key, value in table.items():
        try:
            fields |= _read_entry(key, value, read_sql)
        except _UnreadableError as error:
            wrong.append((line_of(key, text), str(error)))
    wrong += ((1, f"there is no {' or '.join(keys)}") for keys in _NEEDED if not table.keys() & keys)
    wrong += (
        (line_of(keys[1], text), f"{' and '.join(keys)}: one of them is enough")
        for keys in _ONE_OF
        if table.keys() >= set(keys)
    )
    if wrong:
        raise JobFileInvalid(*(f"{path}:{line}: {why}" for line, why in sorted(wrong)), hint=HINT)
    enabled = fields.pop("enabled", True)
    lines = {key: line_of(key, text) for key in table} | {"sql": first_line_of("sql", text)}
    sql_path = str(PurePath(path).parent / str(table["sql_file"])) if "sql_file" in table else path
    if "sql_file" in table:
        lines["sql"] = 1
    schedule = Schedule(name=PurePath(path).stem, source=source, **fields)
    return Job(schedule, enabled=enabled, path=path, lines=lines, sql_path=sql_path)


def read_python_job(
    name: str, options: Mapping[str, object], text: str, *, path: str, line: int, source: str
) -> Job:
    """Read what a function was marked with.

    Args:
        name: Of the function; it is the schedule's, too.
        options: What `@logdrain.job` was given.
        text: The whole file: what `sched:show` shows.
        path: Of the file, for messages.
        line: Where the function begins, for messages.
        source: What the ledger keeps as the file: the same on every machine.

    Raises:
        JobFileInvalid: All that is wrong with it.
    """
    fields: dict[str, Any] = {"timezone": "UTC", "delay_s": 0, "database": ""}
    wrong: list[str] = []
    for key, value in options.items():
        try:
            fields |= _read_option(key, value)
        except _UnreadableError as error:
            wrong.append(str(error))
    if wrong:
        raise JobFileInvalid(*(f"{path}:{line}: {name}: {why}" for why in wrong), hint=HINT)
    enabled = fields.pop("enabled", True)
    schedule = Schedule(name=name, source=source, sql=text, function=name, **fields)
    return Job(schedule, enabled=enabled, path=path, line=line)


def line_of(key: str, text: str) -> int:
    """The line, from 1, where a key of the top level is set; lines within long texts do not count."""
    setting = re.compile(rf"\s*(?:\[\[?\s*)?[\"']?{re.escape(key)}[\"']?\s*[=.\]]")
    open_mark = ""
    for number, line in enumerate(text.splitlines(), start=1):
        if not open_mark and setting.match(line):
            return number
        for mark in _LONG_TEXT_MARK.findall(line):
            if not open_mark:
                open_mark = mark
            elif mark == open_mark:
                open_mark = ""
    return 1


def first_line_of(key: str, text: str) -> int:
    """The line, from 1, of the first line of a key's text: TOML leaves out a line end after three quotes."""
    line = line_of(key, text)
    return line + bool(_LONG_TEXT_BELOW.match((text.splitlines() or [""])[line - 1]))


def _read_toml(text: str, path: str) -> dict[str, object]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        place = _PLACE_IN_TOML.search(str(error))
        line = int(place["line"]) if place and place["line"] else len(text.splitlines())
        reason = _PLACE_IN_TOML.sub("", str(error))
        bare = _BARE_TEXT.match((text.splitlines() or [""])[line - 1])
        if bare:
            reason += f": quote it, {bare['key']} = {json.dumps(bare['value'])}"
        raise JobFileInvalid(f"{path}:{line}: not TOML: {reason}", hint=HINT) from error


def _read_entry(key: str, value: object, read_sql: Callable[[str], str]) -> dict[str, object]:
    if key == "sql_file":
        return {"sql": _read_sql(_words(key, value), read_sql)}
    if key not in _KEYS:
        known = ["sql_file", *_KEYS]
        hint = _KEYS_OF_OTHERS.get(key) or nearest_hint(key, known, f"there are {', '.join(known)}")
        raise _UnreadableError(f"unknown key {key!r}, {hint}")
    field, read = _KEYS[key]
    return {field: read(key, value)}


def _read_option(key: str, value: object) -> dict[str, object]:
    if key in _SQL_KEYS:
        raise _UnreadableError(f"{key} has no meaning here: the function returns the SQL")
    if key in _PYTHON_KEYS:
        _PYTHON_KEYS[key](key, value)
        return {}
    return _read_entry(key, value, str)


def _read_sql(name: str, read_sql: Callable[[str], str]) -> str:
    try:
        text = read_sql(name)
    except OSError as error:
        raise _UnreadableError(f"sql_file {name!r}: {error.strerror or 'cannot be read'}") from error
    except ValueError as error:
        raise _UnreadableError(f"sql_file {name!r}: not UTF-8, or no path") from error
    return _words(f"sql_file {name!r}", text)


def _text(key: str, value: object) -> str:
    if not isinstance(value, str):
        raise _UnreadableError(f"{key} is a text in quotes, not {value!r}")
    if "\0" in value:
        raise _UnreadableError(f"{key} holds the character U+0000")
    return value


def _words(key: str, value: object) -> str:
    text = _text(key, value)
    if not text.strip():
        raise _UnreadableError(f"{key} is empty")
    return text


def _names(key: str, value: object) -> tuple[str, ...]:
    if not isinstance(value, list | tuple) or not all(isinstance(name, str) and name for name in value):
        raise _UnreadableError(f'{key} is a list of names of schedules, ["pay_hourly"], not {value!r}')
    return tuple(dict.fromkeys(value))


def _columns(key: str, value: object) -> object:
    if value is not None and not isinstance(value, Mapping):
        raise _UnreadableError(f"{key} is a dict of names and types, {{'sum': 'BIGINT'}}, not {value!r}")
    return value


def _cron(key: str, value: object) -> str:
    text = _text(key, value)
    try:
        cron.parse(text, "UTC")
    except CronInvalid as error:
        raise _UnreadableError(str(error)) from error
    return text


def _timezone(key: str, value: object) -> str:
    try:
        return cron.zone(_text(key, value)).key
    except ZoneInvalid as error:
        raise _UnreadableError(f"{key} {error}") from error


def _whole(key: str, value: object, most: int = _WHOLE_MAX) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= most:
        raise _UnreadableError(f"{key} is a whole number from 0 to {most}, not {value!r}")
    return value


def _slice_count(key: str, value: object) -> int:
    return _whole(key, value, _CATCH_UP_MAX)


def _yes_or_no(key: str, value: object) -> bool:
    if not isinstance(value, bool):
        raise _UnreadableError(f"{key} is true or false, not {value!r}")
    return value


def _duration_s(key: str, value: object) -> int:
    if not isinstance(value, str):
        return _whole(key, value)
    seconds = duration_s(value)
    if seconds is None:
        raise _UnreadableError(f"{key} is seconds, or a text such as '10m' or '1h30m', not {value!r}")
    return _whole(key, seconds)


def _priority(key: str, value: object) -> int:
    priority = read_priority(value)
    if priority is None:
        raise _UnreadableError(f"{key} is {PRIORITY_HINT}, not {value!r}")
    return priority


def _notify(key: str, value: object) -> str:
    url = _text(key, value)
    try:
        if url:
            check_notify_url(url)
    except NotifyUrlInvalid as error:
        raise _UnreadableError(f"{key}: {error}") from error
    return url


def _dialect(key: str, value: object) -> StrEnum:
    return Dialect.TRINO if value == "presto" else _choice(key, value, Dialect)


def _catch_up(key: str, value: object) -> StrEnum:
    return _choice(key, value, CatchUp)


def _choice(key: str, value: object, choices: type[StrEnum]) -> StrEnum:
    try:
        return choices(_text(key, value))
    except ValueError as error:
        raise _UnreadableError(f"{key} is {' or '.join(choices)}, not {value!r}") from error


_KEYS: dict[str, tuple[str, Callable[[str, object], object]]] = {
    "cron": ("cron", _cron),
    "database": ("database", _words),
    "sql": ("sql", _words),
    "timezone": ("timezone", _timezone),
    "delay": ("delay_s", _duration_s),
    "dialect": ("dialect", _dialect),
    "type": ("dialect", _dialect),
    "result": ("result", _text),
    "retry_limit": ("retry_limit", _whole),
    "catch_up": ("catch_up", _catch_up),
    "catch_up_max": ("catch_up_max", _slice_count),
    "late": ("late_s", _duration_s),
    "timeout": ("timeout_s", _duration_s),
    "priority": ("priority", _priority),
    "notify": ("notify", _notify),
    "after": ("after", _names),
    "enabled": ("enabled", _yes_or_no),
}
"""Key -> (field of Schedule or Job, how it is read); `sql_file` is read by itself."""

_SQL_KEYS = ("sql", "sql_file")
_PYTHON_KEYS: dict[str, Callable[[str, object], object]] = {"slice_column": _text, "columns": _columns}
"""What only a function can say; read again when it runs."""
