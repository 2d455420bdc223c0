"""Settings: one frozen value from the environment, all mistakes reported at once. Secrets never print.

A setting is one line of Settings, and one of docs/reference/settings.md, which says what it means; a test
compares the two. Settings are handed on as they are: a room says by a Protocol of its own, as StoreLimits,
what it reads of them.
"""

import os.path
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from logdrain.errors import ConfigError
from logdrain.model.keys import KEY_NAME, Key, Scope, digest
from logdrain.model.names import nearest_hint

_MEBIBYTE = 1024 * 1024
_KEY_LENGTH_MIN = 16
_PREFIX = "LOGDRAIN_"
_OF_APPLICATIONS = "LOGDRAIN_URL"  # the drain URL that they send to


@dataclass(frozen=True, slots=True)
class Setting:
    """One environment variable.

    Attributes:
        default: As it would be written; "" for none.
        read: Its value from a text. Raises ValueError with what is wrong; that quotes no secret.
    """

    name: str
    default: str
    read: Callable[[str], object]


def _read_folder(text: str) -> str:
    """Absolute and without `..`, links as they are; "" where it is not set."""
    return os.path.abspath(text) if text else ""  # noqa: PTH100  # Path.resolve() follows links


def _read_number(text: str, kind: type[int] | type[float], low: float, high: float) -> float:
    try:
        number = kind(text)
    except ValueError:
        raise ValueError(f"{text!r} is no {'whole ' if kind is int else ''}number") from None
    if not low <= number <= high:
        raise ValueError(f"{text} is not from {low:g} to {high:g}")
    return number


def _read_choice(text: str, choices: tuple[str, ...]) -> str:
    if text not in choices:
        raise ValueError(f"{text!r} is none of: {', '.join(choices)}")
    return text


def _read_url(text: str, schemes: tuple[str, ...]) -> str:
    """The text is not shown where it is wrong: it may hold a password."""
    if text and not text.startswith(tuple(f"{scheme}://" for scheme in schemes)):
        raise ValueError(f"does not start with {schemes[0]}://")
    return text


def _read_keys(text: str) -> tuple[Key, ...]:
    texts = [each for each in re.split(r"[,\s]+", text) if each]
    keys = [_read_key(each) for each in texts]
    problems = [f"key {number} {key}" for number, key in enumerate(keys, start=1) if isinstance(key, str)]
    if problems:
        raise ValueError("; ".join(problems))
    return tuple(key for key in keys if isinstance(key, Key))


def unknown_settings(environment: Mapping[str, str]) -> list[str]:
    """What to say of variables that look like settings and are none."""
    known = [setting.name for setting in SETTINGS]
    all_of_them = "docs/reference/settings.md lists all settings"
    return [
        f"{name} is no setting: {nearest_hint(name, known, all_of_them)}"
        for name in sorted(environment)
        if name.startswith(_PREFIX) and name not in (*known, _OF_APPLICATIONS)
    ]


def _read_key(text: str) -> Key | str:
    """A key from `scope:name:secret`, or what is wrong with it."""
    scope, _, rest = text.partition(":")
    name, _, secret = rest.partition(":")
    if scope not in {known.value for known in Scope}:
        return f"does not start with a scope ({', '.join(Scope)}): write scope:name:secret"
    if not KEY_NAME.match(name):
        return "has no name of 1 to 64 letters, digits, dots, dashes: write scope:name:secret"
    if len(secret) < _KEY_LENGTH_MIN:
        return f"({scope}:{name}) has a secret of fewer than {_KEY_LENGTH_MIN} characters"
    return Key(Scope(scope), name, digest(secret.encode()))


def _setting(name: str, default: str, read: Callable[[str], object], *, is_secret: bool = False) -> Any:
    return field(repr=not is_secret, metadata={"setting": Setting(name, default, read)})


def _text(name: str, default: str = "") -> Any:
    return _setting(name, default, str)


def _folder(name: str) -> Any:
    return _setting(name, "", _read_folder)


def _whole(name: str, default: int, low: int, high: int) -> Any:
    return _setting(name, str(default), lambda text: _read_number(text, int, low, high))


def _number(name: str, default: float, low: float, high: float) -> Any:
    return _setting(name, f"{default:g}", lambda text: _read_number(text, float, low, high))


def _choice(name: str, *choices: str) -> Any:
    return _setting(name, choices[0], lambda text: _read_choice(text, choices))


def _flag(name: str) -> Any:
    return _setting(name, "0", lambda text: _read_choice(text, ("0", "1")) == "1")


def _processes(name: str) -> Any:
    """A number, or None for what fits into the memory."""
    return _setting(name, "auto", lambda text: None if text == "auto" else _read_number(text, int, 0, 16))


def _url(name: str, *schemes: str) -> Any:
    return _setting(name, "", lambda text: _read_url(text, schemes), is_secret=True)


def _keys(name: str) -> Any:
    return _setting(name, "", _read_keys, is_secret=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What the environment says: variable, default, and what it may be (from, to)."""

    port: int = _whole("PORT", 8080, 0, 65_535)
    mongodb_uri: str = _url("MONGODB_URI", "mongodb", "mongodb+srv")
    database_url: str = _url("DATABASE_URL", "postgresql", "postgres")
    keys: tuple[Key, ...] = _keys("LOGDRAIN_KEYS")
    keys_refresh_s: float = _number("LOGDRAIN_KEYS_REFRESH_S", 5, 1, 3600)
    proxy_count: int = _whole("LOGDRAIN_PROXY_COUNT", 0, 0, 16)
    body_size_max_bytes: int = _whole(
        "LOGDRAIN_BODY_SIZE_MAX_BYTES", 32 * _MEBIBYTE, _MEBIBYTE, 512 * _MEBIBYTE
    )
    bodies_size_max_bytes: int = _whole("LOGDRAIN_BODIES_SIZE_MAX_BYTES", 2**28, _MEBIBYTE, 2**40)
    parsed_size_max_bytes: int = _whole("LOGDRAIN_PARSED_SIZE_MAX_BYTES", 2**28, _MEBIBYTE, 2**40)
    connections_max: int = _whole("LOGDRAIN_CONNECTIONS_MAX", 2000, 1, 1_000_000)
    head_timeout_s: float = _number("LOGDRAIN_HEAD_TIMEOUT_S", 15, 0.1, 3600)
    idle_timeout_s: float = _number("LOGDRAIN_IDLE_TIMEOUT_S", 300, 1, 86_400)
    is_metrics_open: bool = _flag("LOGDRAIN_METRICS_OPEN")
    ack: str = _choice("LOGDRAIN_ACK", "auto", "spooled", "stored")
    spool_folder: str = _text("LOGDRAIN_SPOOL_FOLDER", ".logdrain/spool")
    spool_after_s: float = _number("LOGDRAIN_SPOOL_AFTER_S", 1.5, 0.1, 60)
    spool_size_max_bytes: int = _whole("LOGDRAIN_SPOOL_SIZE_MAX_BYTES", 2**32, _MEBIBYTE, 2**44)
    store_timeout_s: float = _number("LOGDRAIN_STORE_TIMEOUT_S", 4, 0.1, 60)
    queue_size_max_bytes: int = _whole("LOGDRAIN_QUEUE_SIZE_MAX_BYTES", 2**27, _MEBIBYTE, 2**40)
    tables_max: int = _whole("LOGDRAIN_TABLES_MAX", 1000, 1, 100_000)
    fields_max: int = _whole("LOGDRAIN_FIELDS_MAX", 2000, 1, 100_000)
    keys_per_record_max: int = _whole("LOGDRAIN_KEYS_PER_RECORD_MAX", 10_000, 1, 1_000_000)
    split_wait_s: float = _number("LOGDRAIN_SPLIT_WAIT_S", 60, 1, 86_400)
    quarantine_keep_days: int = _whole("LOGDRAIN_QUARANTINE_KEEP_DAYS", 90, 1, 3650)
    core: str = _choice("LOGDRAIN_CORE", "auto", "python", "compiled")
    mongodb_driver: str = _choice("LOGDRAIN_MONGODB_DRIVER", "pymongo", "motor")
    jobs_folder: str = _text("LOGDRAIN_JOBS_FOLDER", "jobs")
    result_folder: str = _folder("LOGDRAIN_RESULT_FOLDER")
    lease_s: float = _number("LOGDRAIN_LEASE_S", 15, 1, 3600)
    worker_threads: int = _whole("LOGDRAIN_WORKER_THREADS", 2, 1, 64)
    notify_url: str = _url("LOGDRAIN_NOTIFY_URL", "https", "http")
    history_keep_days: int = _whole("LOGDRAIN_HISTORY_KEEP_DAYS", 90, 1, 3650)
    query_memory_max_bytes: int = _whole("LOGDRAIN_QUERY_MEMORY_MAX_BYTES", 2**30, 64 * _MEBIBYTE, 2**42)
    query_threads: int = _whole("LOGDRAIN_QUERY_THREADS", 2, 1, 256)
    query_timeout_s: float = _number("LOGDRAIN_QUERY_TIMEOUT_S", 3600, 0.1, 604_800)
    query_spill_max_bytes: int = _whole("LOGDRAIN_QUERY_SPILL_MAX_BYTES", 2**33, _MEBIBYTE, 2**44)
    query_rows_max: int = _whole("LOGDRAIN_QUERY_ROWS_MAX", 10_000_000, 1, 2**40)
    query_processes: int | None = _processes("LOGDRAIN_QUERY_PROCESSES")
    query_waiting_max: int = _whole("LOGDRAIN_QUERY_WAITING_MAX", 64, 0, 100_000)
    kept_events_max_bytes: int = _whole("LOGDRAIN_KEPT_EVENTS_MAX_BYTES", 2**28, 0, 2**40)
    geoip_file: str = _text("LOGDRAIN_GEOIP_FILE")
    debug: str = _text("LOGDRAIN_DEBUG", "0")  # `__main__` reads it where another setting is wrong, too
    is_heroku_dyno: bool

    @property
    def is_spooling(self) -> bool:
        """Whether a disk counts as durable: a Heroku dyno's is gone after its next restart."""
        return self.ack == "spooled" or (self.ack == "auto" and not self.is_heroku_dyno)


_SETTINGS: dict[str, Setting] = {
    each.name: each.metadata["setting"] for each in fields(Settings) if each.metadata
}
SETTINGS = tuple(_SETTINGS.values())


def read_settings(environment: Mapping[str, str]) -> Settings:
    """Settings from environment variables.

    Raises:
        ConfigError: naming every variable that is wrong, not only the first.
    """
    values: dict[str, Any] = {"is_heroku_dyno": bool(environment.get("DYNO"))}
    problems: list[str] = []
    for name, setting in _SETTINGS.items():
        try:
            values[name] = setting.read(environment.get(setting.name, "").strip() or setting.default)
        except ValueError as error:
            problems.append(f"{setting.name}: {error}")
    if problems:
        raise ConfigError("; ".join(problems), hint="docs/reference/settings.md lists all settings")
    return Settings(**values)


def environment_of(settings: Settings) -> dict[str, str]:
    """What `read_settings` reads the same settings from, but for keys: for a child that lets nobody in."""
    return {
        setting.name: _written(getattr(settings, name))
        for name, setting in _SETTINGS.items()
        if name != "keys"
    } | ({"DYNO": "child"} if settings.is_heroku_dyno else {})


def _written(value: object) -> str:
    if value is None:
        return "auto"
    return str(int(value)) if isinstance(value, bool) else str(value)
