"""Result texts to values.

`NAME:table?mode=append&schema=s`            a named result, its URL is in the ledger
`postgres://user:pw@host:5432/db/table?…`    a URL with everything in it (`postgresql://` is the same)
`postgres://user:pw@host:5432/db`            what `result:create` keeps under a name;
`env:NAME`                                   or the variable that holds such a URL

`file:///folder` in place of `postgres://user:pw@host:5432/db`: files, on the disk of the worker.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from logdrain.errors import ResultRefused, ResultUrlInvalid
from logdrain.model.jobs import Mode, ResultTarget
from logdrain.model.result_files import FileFormat, FileTarget, Target
from logdrain.results.url.connection_url import (
    PARAMETERS,
    check_characters,
    choice,
    connection_url,
    decode,
    join_url,
    known_hint,
    pairs,
    split_url,
)
from logdrain.results.url.file_url import (
    check_file_options,
    check_file_table,
    folder_path,
    is_file_url,
    split_table,
)

NAME_BYTES_MAX = 63
"""Postgres cuts longer identifiers (NAMEDATALEN - 1)."""

OPTIONS = ("mode", "unique", "method", "schema", "time", "ssl", "fdw", "format")
"""What may follow a table's `?`; `method` and `fdw` change nothing here: rows are always copied."""

TIMES = ("timestamp", "unix", "start")
"""What `time=` may say of a column `time`."""

OWN_TABLES = ("logdrain_marks", "logdrain_contents", "logdrain_readers", "logdrain_starts")
"""What is kept beside results; no query reads or writes it."""

_ENVIRONMENT = "env"
_OWN_SCHEMAS = ("logdrain", "information_schema")
_RESULT_NAME = re.compile(r"[A-Za-z0-9_.-]+")
_VARIABLE_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


@dataclass(frozen=True, slots=True)
class ParsedResult:
    """A result text, read.

    Attributes:
        name: The named result, or "" for a direct one.
        url: Connection URL of a direct result with its secret, or "" for a named one.
        table: As given, percent-decoded.
        unique: The query's columns that tell rows apart, where the mode needs them.
        format: Of files; None where it is not said.
    """

    name: str
    url: str = field(repr=False)
    table: str
    mode: Mode = Mode.APPEND
    schema: str = ""
    unix_time: bool = False
    time_is_start: bool = False
    ssl: bool = False
    unique: tuple[str, ...] = ()
    format: FileFormat | None = None


def parse_result(text: str) -> ParsedResult:
    """Read `NAME:table?options`, `postgres://…/db/table?options` or `file:///folder/table?options`.

    Raises:
        ResultUrlInvalid: with what is off and what to write instead.
    """
    check_characters(text)
    if is_file_url(text):
        url, table, query = split_table(text)
        parsed = _with_options(ParsedResult("", url, _table_name(table)), pairs(query))
        _file_target(parsed, url)
        return parsed
    if "://" in text:
        return _parse_direct(text)
    head, _, query = text.partition("?")
    name, colon, table = head.partition(":")
    check_name(name)
    if not colon or not table:
        raise ResultUrlInvalid(f'result "{name}" has no table', hint=f"write {name}:TABLE")
    if "/" in table:
        raise ResultUrlInvalid(
            "a table name cannot have a slash",
            hint="if a URL is meant, it begins with postgres:// or file:///",
        )
    return _with_options(ParsedResult(name, "", _table_name(decode(table))), pairs(query))


def check_name(name: str) -> None:
    """Refuse what cannot be a result's name.

    Raises:
        ResultUrlInvalid: empty, `env`, or with characters that mean something in a result text.
    """
    if not name:
        raise ResultUrlInvalid("the result's name is empty", hint="write NAME:TABLE")
    if not _RESULT_NAME.fullmatch(name):
        raise ResultUrlInvalid(
            "the result's name has characters that a name cannot have",
            hint="use letters, digits, _ - and . for the name; a URL begins with postgres://",
        )
    if name == _ENVIRONMENT:
        raise ResultUrlInvalid(
            '"env" cannot name a result: env:NAME is a variable', hint="choose another name"
        )


def check_url(url: str) -> None:
    """Check what `result:create` is given: a Postgres URL with host and database, a folder, or `env:NAME`.

    Raises:
        ResultUrlInvalid: with what is off and what to write instead.
    """
    variable = variable_name(url)
    if is_file_url(url):
        folder_path(url, table_options=OPTIONS)
    elif variable is None:
        connection_url(url, ssl=False, table_options=OPTIONS)
    elif not _VARIABLE_NAME.fullmatch(variable):
        raise ResultUrlInvalid(
            "env: is not followed by the name of a variable", hint="write env:DATABASE_URL"
        )


def variable_name(url: str) -> str | None:
    """The NAME of `env:NAME`; None for any other text."""
    prefix = f"{_ENVIRONMENT}:"
    return url.removeprefix(prefix) if url.startswith(prefix) else None


def resolve(parsed: ParsedResult, url: str, environment: Callable[[str], str | None]) -> Target:
    """Put a parsed result and its connection, or its folder, together.

    Args:
        parsed: From `parse_result`.
        url: `parsed.url` of a direct result; what the ledger keeps under `parsed.name` of a named one.
        environment: Gives the value of a variable, None where it is not set; asked for `env:NAME` only.

    Raises:
        ResultUrlInvalid: the URL cannot be read, the variable is not set, or an option does not fit.
    """
    variable = variable_name(url)
    if variable is not None:
        found = environment(variable)
        if not found:
            raise ResultUrlInvalid(
                f'the environment has no {variable}, which result "{parsed.name}" reads',
                hint=f"set {variable} to a postgres:// URL",
            )
        url = found
    if is_file_url(url):
        return _file_target(parsed, url)
    if parsed.format is not None:
        raise ResultUrlInvalid(
            "result option format is for files, and this result is a Postgres", hint="leave format out"
        )
    return ResultTarget(
        dsn=connection_url(url, ssl=parsed.ssl, table_options=OPTIONS),
        table=parsed.table,
        mode=parsed.mode,
        schema=parsed.schema,
        unix_time=parsed.unix_time,
        unique=parsed.unique,
        time_is_start=parsed.time_is_start,
    )


def resolve_table(
    parsed: ParsedResult, url: str, environment: Callable[[str], str | None], *, hint: str
) -> ResultTarget:
    """The same for what can be done with tables only; `hint` says what to do instead.

    Raises:
        ResultUrlInvalid: as `resolve`.
        ResultRefused: the result has files.
    """
    target = resolve(parsed, url, environment)
    if isinstance(target, FileTarget):
        raise ResultRefused(f"result {parsed.name or parsed.url} has files, not tables", hint=hint)
    return target


def _file_target(parsed: ParsedResult, url: str) -> FileTarget:
    check_file_options(parsed.mode, schema=parsed.schema, ssl=parsed.ssl)
    check_file_table(parsed.table)
    return FileTarget(
        folder=folder_path(url, table_options=OPTIONS),
        table=parsed.table,
        format=parsed.format or FileFormat.PARQUET,
        mode=parsed.mode,
        unix_time=parsed.unix_time,
        time_is_start=parsed.time_is_start,
    )


def _parse_direct(text: str) -> ParsedResult:
    parts = split_url(text)
    segments = parts.path.split("/")[1:]
    if len(segments) != len(("database", "table")) or not all(segments):
        raise ResultUrlInvalid(
            "the result URL has no table", hint="write postgres://USER:PASSWORD@HOST:5432/DATABASE/TABLE"
        )
    options = pairs(parts.query)
    connection = {name: options.pop(name) for name in PARAMETERS if name in options}
    url = join_url(parts, decode(segments[0]), connection)
    return _with_options(ParsedResult("", url, _table_name(decode(segments[1]))), options)


def _with_options(parsed: ParsedResult, options: Mapping[str, str]) -> ParsedResult:
    for name in options:
        if name not in OPTIONS:
            raise ResultUrlInvalid(f'result option "{name}" is not known', hint=known_hint(name, OPTIONS))
    choice("method", options.get("method", "copy"), ("copy", "insert"))
    mode = Mode(choice("mode", options.get("mode", Mode.APPEND), tuple(Mode)))
    time = choice("time", options.get("time", "timestamp"), TIMES)
    return replace(
        parsed,
        mode=mode,
        schema=_schema(options),
        unix_time=time == "unix",
        time_is_start=time == "start",
        ssl=choice("ssl", options.get("ssl", "false"), ("true", "false")) == "true",
        unique=_unique(mode, options.get("unique")),
        format=_format(options),
    )


def _format(options: Mapping[str, str]) -> FileFormat | None:
    word = options.get("format")
    return None if word is None else FileFormat(choice("format", word, tuple(FileFormat)))


def _schema(options: Mapping[str, str]) -> str:
    if "schema" in options:
        check_schema(options["schema"])
    return options.get("schema", "")


def _unique(mode: Mode, names: str | None) -> tuple[str, ...]:
    if names is None:
        if mode.facts.needs_unique:
            raise ResultUrlInvalid(
                f"mode={mode} does not say which columns tell rows apart",
                hint=f"name them: mode={mode}&unique=COLUMN,COLUMN",
            )
        return ()
    if not mode.facts.needs_unique:
        raise ResultUrlInvalid(
            f"result option unique has no meaning with mode={mode}",
            hint="rows are updated by these columns with mode=update; else leave unique out",
        )
    unique = tuple(names.split(","))
    if "" in unique:
        raise ResultUrlInvalid("result option unique has an empty column name", hint="write unique=a,b")
    for name in unique:
        if unique.count(name) > 1:
            raise ResultUrlInvalid(
                f'result option unique names column "{name}" twice', hint="leave one of them out"
            )
    return unique


def _table_name(name: str) -> str:
    _check_size("table", name)
    if "." in name:
        raise ResultUrlInvalid("the table name has a dot", hint="a schema is an option: TABLE?schema=SCHEMA")
    if name in OWN_TABLES:
        raise ResultUrlInvalid(f'table "{name}" is kept by logdrain itself', hint="choose another table")
    return name


def check_schema(name: str) -> None:
    """Refuse a schema that has no results: ours, and Postgres' own.

    Raises:
        ResultUrlInvalid: it is one of them, or too long.
    """
    _check_size("schema", name)
    if name in _OWN_SCHEMAS or name.startswith("pg_"):
        raise ResultUrlInvalid(f'schema "{name}" is not for results', hint="choose another schema")


def _check_size(what: str, name: str) -> None:
    size_bytes = len(name.encode())
    if size_bytes > NAME_BYTES_MAX:
        raise ResultUrlInvalid(
            f"the {what} name has {size_bytes} bytes, Postgres allows {NAME_BYTES_MAX}",
            hint=f"choose a shorter {what} name",
        )
