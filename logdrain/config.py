"""Settings: one frozen value from the environment, all mistakes reported at once. Secrets never print.

docs/reference/settings.md lists every name here; a test compares the two.
"""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from logdrain.errors import ConfigError
from logdrain.model.keys import Key, Scope

_MEBIBYTE = 1024 * 1024
_KEY_NAME = re.compile(r"[A-Za-z0-9_.-]{1,64}\Z")
_KEY_LENGTH_MIN = 16


@dataclass(frozen=True, slots=True)
class Setting:
    """One environment variable.

    Attributes:
        default: As it would be written; "" for none.
        meaning: One line for docs/reference/settings.md.
    """

    name: str
    default: str
    meaning: str


SETTINGS = (
    Setting("PORT", "8080", "TCP port of the drain and API."),
    Setting("MONGODB_URI", "", "Where events are stored; the database in its path, else `logdrain`."),
    Setting("DATABASE_URL", "", "Postgres with the ledger: results, schedules, slices, runs."),
    Setting("LOGDRAIN_KEYS", "", "Keys, separated by commas or spaces: `scope:name:secret`."),
    Setting("LOGDRAIN_BODY_SIZE_MAX_BYTES", "33554432", "Largest request body, decoded; above it 413."),
    Setting("LOGDRAIN_BODIES_SIZE_MAX_BYTES", "268435456", "Bodies that are received at once; above it 503."),
    Setting("LOGDRAIN_STORE_TIMEOUT_S", "4", "How long MongoDB may take to confirm; then 503."),
    Setting("LOGDRAIN_QUEUE_SIZE_MAX_BYTES", "134217728", "Octets that may wait for MongoDB; above it 503."),
    Setting("LOGDRAIN_TABLES_MAX", "1000", "Tables that tags may make; events beyond go to quarantine."),
    Setting("LOGDRAIN_FIELDS_MAX", "2000", "Field paths the catalog keeps per table."),
    Setting("LOGDRAIN_SPLIT_WAIT_S", "60", "How long a cut line waits for its rest; then quarantine."),
    Setting("LOGDRAIN_QUARANTINE_KEEP_DAYS", "90", "How long quarantine entries are kept."),
    Setting("LOGDRAIN_MONGODB_DRIVER", "pymongo", "`pymongo`, or `motor` where it is installed."),
    Setting("LOGDRAIN_JOBS_FOLDER", "jobs", "Job files that the worker loads when it starts."),
    Setting("LOGDRAIN_LEASE_S", "15", "How long a slice stays a worker's without a sign of life."),
    Setting("LOGDRAIN_WORKER_THREADS", "2", "Slices that one worker runs at once."),
    Setting(
        "LOGDRAIN_QUERY_MEMORY_MAX_BYTES", "1073741824", "Memory of one query; beyond it spills to disk."
    ),
    Setting("LOGDRAIN_QUERY_THREADS", "2", "Threads of one query."),
)


@dataclass(frozen=True, slots=True)
class Settings:
    """What the environment says; see SETTINGS for the meanings."""

    port: int
    mongodb_uri: str = field(repr=False)
    database_url: str = field(repr=False)
    keys: tuple[Key, ...] = field(repr=False)
    body_size_max_bytes: int
    bodies_size_max_bytes: int
    store_timeout_s: float
    queue_size_max_bytes: int
    tables_max: int
    fields_max: int
    split_wait_s: float
    quarantine_keep_days: int
    mongodb_driver: str
    jobs_folder: str
    lease_s: float
    worker_threads: int
    query_memory_max_bytes: int
    query_threads: int


class _Reader:
    """Reads variables and collects what is wrong with them."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = environment
        self._defaults = {setting.name: setting.default for setting in SETTINGS}
        self.problems: list[str] = []

    def text(self, name: str) -> str:
        return self._environment.get(name, "").strip() or self._defaults[name]

    def number(self, name: str, *, low: float, high: float) -> float:
        return self._number(name, float, low, high)

    def whole(self, name: str, *, low: int, high: int) -> int:
        return int(self._number(name, int, low, high))

    def choice(self, name: str, choices: tuple[str, ...]) -> str:
        value = self.text(name)
        if value not in choices:
            self.problems.append(f"{name}={value!r} is none of: {', '.join(choices)}")
        return value

    def url(self, name: str, schemes: tuple[str, ...]) -> str:
        value = self.text(name)
        if value and not value.startswith(tuple(f"{scheme}://" for scheme in schemes)):
            self.problems.append(f"{name} does not start with {schemes[0]}://")
        return value

    def keys(self, name: str) -> tuple[Key, ...]:
        found: list[Key] = []
        for number, text in enumerate(re.split(r"[,\s]+", self.text(name).strip(", ")), start=1):
            if not text:
                continue
            key = _read_key(text)
            if isinstance(key, Key):
                found.append(key)
            else:  # the text is not shown: it may hold a secret
                self.problems.append(f"{name}: key {number} {key}")
        return tuple(found)

    def _number(self, name: str, kind: type[int] | type[float], low: float, high: float) -> float:
        value = self.text(name)
        try:
            number = kind(value)
        except ValueError:
            self.problems.append(f"{name}={value!r} is no {'whole ' if kind is int else ''}number")
            return low
        if not low <= number <= high:
            self.problems.append(f"{name}={value} is not from {low:g} to {high:g}")
        return number


def read_settings(environment: Mapping[str, str]) -> Settings:
    """Settings from environment variables.

    Raises:
        ConfigError: naming every variable that is wrong, not only the first.
    """
    read = _Reader(environment)
    settings = Settings(
        port=read.whole("PORT", low=0, high=65_535),
        mongodb_uri=read.url("MONGODB_URI", ("mongodb", "mongodb+srv")),
        database_url=read.url("DATABASE_URL", ("postgresql", "postgres")),
        keys=read.keys("LOGDRAIN_KEYS"),
        body_size_max_bytes=read.whole("LOGDRAIN_BODY_SIZE_MAX_BYTES", low=_MEBIBYTE, high=512 * _MEBIBYTE),
        bodies_size_max_bytes=read.whole("LOGDRAIN_BODIES_SIZE_MAX_BYTES", low=_MEBIBYTE, high=2**40),
        store_timeout_s=read.number("LOGDRAIN_STORE_TIMEOUT_S", low=0.1, high=60),
        queue_size_max_bytes=read.whole("LOGDRAIN_QUEUE_SIZE_MAX_BYTES", low=_MEBIBYTE, high=2**40),
        tables_max=read.whole("LOGDRAIN_TABLES_MAX", low=1, high=100_000),
        fields_max=read.whole("LOGDRAIN_FIELDS_MAX", low=1, high=100_000),
        split_wait_s=read.number("LOGDRAIN_SPLIT_WAIT_S", low=1, high=86_400),
        quarantine_keep_days=read.whole("LOGDRAIN_QUARANTINE_KEEP_DAYS", low=1, high=3650),
        mongodb_driver=read.choice("LOGDRAIN_MONGODB_DRIVER", ("pymongo", "motor")),
        jobs_folder=read.text("LOGDRAIN_JOBS_FOLDER"),
        lease_s=read.number("LOGDRAIN_LEASE_S", low=1, high=3600),
        worker_threads=read.whole("LOGDRAIN_WORKER_THREADS", low=1, high=64),
        query_memory_max_bytes=read.whole("LOGDRAIN_QUERY_MEMORY_MAX_BYTES", low=64 * _MEBIBYTE, high=2**42),
        query_threads=read.whole("LOGDRAIN_QUERY_THREADS", low=1, high=256),
    )
    if read.problems:
        raise ConfigError("; ".join(read.problems), hint="docs/reference/settings.md lists all settings")
    return settings


def _read_key(text: str) -> Key | str:
    """A key from `scope:name:secret`, or what is wrong with it."""
    scope, _, rest = text.partition(":")
    name, _, secret = rest.partition(":")
    if scope not in {known.value for known in Scope}:
        return f"does not start with a scope ({', '.join(Scope)}): write scope:name:secret"
    if not _KEY_NAME.match(name):
        return "has no name of 1 to 64 letters, digits, dots, dashes: write scope:name:secret"
    if len(secret) < _KEY_LENGTH_MIN:
        return f"({scope}:{name}) has a secret of fewer than {_KEY_LENGTH_MIN} characters"
    return Key(Scope(scope), name, hashlib.sha256(secret.encode()).digest())
