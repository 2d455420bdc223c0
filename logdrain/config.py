"""Settings: one frozen value from the environment, all mistakes reported at once. Secrets never print.

docs/reference/settings.md lists every name here; a test compares the two.
"""

import os.path
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

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
    Setting("LOGDRAIN_KEYS_REFRESH_S", "5", "How long a revoked key of Postgres may go on to work."),
    Setting("LOGDRAIN_PROXY_COUNT", "0", "Trusted proxies that append to X-Forwarded-For; Heroku: 1."),
    Setting("LOGDRAIN_BODY_SIZE_MAX_BYTES", "33554432", "Largest request body, decoded; above it 413."),
    Setting("LOGDRAIN_BODIES_SIZE_MAX_BYTES", "268435456", "Bodies that are received at once; above it 503."),
    Setting("LOGDRAIN_PARSED_SIZE_MAX_BYTES", "268435456", "Bodies that are read at once, as objects."),
    Setting("LOGDRAIN_CONNECTIONS_MAX", "2000", "Connections at once; above it idle ones end, or 503."),
    Setting("LOGDRAIN_HEAD_TIMEOUT_S", "15", "How long the head of a request may take to arrive."),
    Setting("LOGDRAIN_IDLE_TIMEOUT_S", "300", "How long a connection may idle between two requests."),
    Setting("LOGDRAIN_METRICS_OPEN", "0", "`1`: `/metrics` and the messages of `/health` need no key."),
    Setting("LOGDRAIN_ACK", "auto", "What 204 means: `spooled`, `stored`, or `auto`; see below."),
    Setting("LOGDRAIN_SPOOL_FOLDER", ".logdrain/spool", "Where deliveries wait while MongoDB is away."),
    Setting("LOGDRAIN_SPOOL_AFTER_S", "1.5", "How long MongoDB may take before a delivery is spooled."),
    Setting("LOGDRAIN_SPOOL_SIZE_MAX_BYTES", "4294967296", "Octets the spool may take; above it 503."),
    Setting("LOGDRAIN_STORE_TIMEOUT_S", "4", "How long a delivery may take to be durable; then 503."),
    Setting("LOGDRAIN_QUEUE_SIZE_MAX_BYTES", "134217728", "Octets that may wait for MongoDB; above it 503."),
    Setting("LOGDRAIN_TABLES_MAX", "1000", "Tables that tags may make; events beyond go to quarantine."),
    Setting("LOGDRAIN_FIELDS_MAX", "2000", "Field paths the catalog keeps per table."),
    Setting("LOGDRAIN_KEYS_PER_RECORD_MAX", "10000", "Keys of one record, nested ones too; else quarantine."),
    Setting("LOGDRAIN_SPLIT_WAIT_S", "60", "How long a cut line waits for its rest; then quarantine."),
    Setting("LOGDRAIN_QUARANTINE_KEEP_DAYS", "90", "How long quarantine entries are kept."),
    Setting("LOGDRAIN_MONGODB_DRIVER", "pymongo", "`pymongo`, or `motor` where it is installed."),
    Setting("LOGDRAIN_JOBS_FOLDER", "jobs", "Job files that the worker loads when it starts."),
    Setting("LOGDRAIN_RESULT_FOLDER", "", "Workers write results of files below it; not set: none."),
    Setting("LOGDRAIN_LEASE_S", "15", "How long a slice stays a worker's without a sign of life."),
    Setting("LOGDRAIN_WORKER_THREADS", "2", "Slices that one worker runs at once."),
    Setting("LOGDRAIN_NOTIFY_URL", "", "Where a worker tells that schedules fail or recover."),
    Setting("LOGDRAIN_HISTORY_KEEP_DAYS", "90", "How long runs are kept for `sched:history`."),
    Setting(
        "LOGDRAIN_QUERY_MEMORY_MAX_BYTES", "1073741824", "Memory of one query; beyond it spills to disk."
    ),
    Setting("LOGDRAIN_QUERY_THREADS", "2", "Threads of one query."),
    Setting("LOGDRAIN_QUERY_TIMEOUT_S", "3600", "How long one query may take; then `query_timeout`."),
    Setting(
        "LOGDRAIN_QUERY_SPILL_MAX_BYTES", "8589934592", "Disk that one query may spill to, below `TMPDIR`."
    ),
    Setting("LOGDRAIN_QUERY_ROWS_MAX", "10000000", "Rows that `logdrain query` prints; then `query_rows`."),
    Setting("LOGDRAIN_KEPT_EVENTS_MAX_BYTES", "268435456", "Events kept from slice to slice; `0`: none."),
    Setting("LOGDRAIN_GEOIP_FILE", "", "A MaxMind `.mmdb` file for the TD_IP_TO_* functions."),
    Setting("LOGDRAIN_DEBUG", "0", "`1`: a command shows the traceback of an internal error."),
)


@dataclass(frozen=True, slots=True)
class Settings:
    """What the environment says; see SETTINGS for the meanings."""

    port: int
    mongodb_uri: str = field(repr=False)
    database_url: str = field(repr=False)
    keys: tuple[Key, ...] = field(repr=False)
    keys_refresh_s: float
    proxy_count: int
    body_size_max_bytes: int
    bodies_size_max_bytes: int
    parsed_size_max_bytes: int
    connections_max: int
    head_timeout_s: float
    idle_timeout_s: float
    is_metrics_open: bool
    is_spooling: bool
    spool_folder: str
    spool_after_s: float
    spool_size_max_bytes: int
    store_timeout_s: float
    queue_size_max_bytes: int
    tables_max: int
    fields_max: int
    keys_per_record_max: int
    split_wait_s: float
    quarantine_keep_days: int
    mongodb_driver: str
    jobs_folder: str
    result_folder: str
    lease_s: float
    worker_threads: int
    notify_url: str = field(repr=False)
    history_keep_days: int
    query_memory_max_bytes: int
    query_threads: int
    query_timeout_s: float
    query_spill_max_bytes: int
    query_rows_max: int
    kept_events_max_bytes: int
    geoip_file: str


class _Reader:
    """Reads variables and collects what is wrong with them."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = environment
        self._defaults = {setting.name: setting.default for setting in SETTINGS}
        self.problems: list[str] = []

    def text(self, name: str) -> str:
        return self._environment.get(name, "").strip() or self._defaults[name]

    def folder(self, name: str) -> str:
        """Absolute and without `..`, links as they are; "" where it is not set."""
        path = self.text(name)
        return os.path.abspath(path) if path else ""  # noqa: PTH100  # Path.resolve() follows links

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

    def is_spooling(self) -> bool:
        """Whether a disk counts as durable: a Heroku dyno's is gone after its next restart."""
        choice = self.choice("LOGDRAIN_ACK", ("auto", "spooled", "stored"))
        return choice == "spooled" or (choice == "auto" and not self._environment.get("DYNO"))

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
        keys_refresh_s=read.number("LOGDRAIN_KEYS_REFRESH_S", low=1, high=3600),
        proxy_count=read.whole("LOGDRAIN_PROXY_COUNT", low=0, high=16),
        body_size_max_bytes=read.whole("LOGDRAIN_BODY_SIZE_MAX_BYTES", low=_MEBIBYTE, high=512 * _MEBIBYTE),
        bodies_size_max_bytes=read.whole("LOGDRAIN_BODIES_SIZE_MAX_BYTES", low=_MEBIBYTE, high=2**40),
        parsed_size_max_bytes=read.whole("LOGDRAIN_PARSED_SIZE_MAX_BYTES", low=_MEBIBYTE, high=2**40),
        connections_max=read.whole("LOGDRAIN_CONNECTIONS_MAX", low=1, high=1_000_000),
        head_timeout_s=read.number("LOGDRAIN_HEAD_TIMEOUT_S", low=0.1, high=3600),
        idle_timeout_s=read.number("LOGDRAIN_IDLE_TIMEOUT_S", low=1, high=86_400),
        is_metrics_open=read.choice("LOGDRAIN_METRICS_OPEN", ("0", "1")) == "1",
        is_spooling=read.is_spooling(),
        spool_folder=read.text("LOGDRAIN_SPOOL_FOLDER"),
        spool_after_s=read.number("LOGDRAIN_SPOOL_AFTER_S", low=0.1, high=60),
        spool_size_max_bytes=read.whole("LOGDRAIN_SPOOL_SIZE_MAX_BYTES", low=_MEBIBYTE, high=2**44),
        store_timeout_s=read.number("LOGDRAIN_STORE_TIMEOUT_S", low=0.1, high=60),
        queue_size_max_bytes=read.whole("LOGDRAIN_QUEUE_SIZE_MAX_BYTES", low=_MEBIBYTE, high=2**40),
        tables_max=read.whole("LOGDRAIN_TABLES_MAX", low=1, high=100_000),
        fields_max=read.whole("LOGDRAIN_FIELDS_MAX", low=1, high=100_000),
        keys_per_record_max=read.whole("LOGDRAIN_KEYS_PER_RECORD_MAX", low=1, high=1_000_000),
        split_wait_s=read.number("LOGDRAIN_SPLIT_WAIT_S", low=1, high=86_400),
        quarantine_keep_days=read.whole("LOGDRAIN_QUARANTINE_KEEP_DAYS", low=1, high=3650),
        mongodb_driver=read.choice("LOGDRAIN_MONGODB_DRIVER", ("pymongo", "motor")),
        jobs_folder=read.text("LOGDRAIN_JOBS_FOLDER"),
        result_folder=read.folder("LOGDRAIN_RESULT_FOLDER"),
        lease_s=read.number("LOGDRAIN_LEASE_S", low=1, high=3600),
        worker_threads=read.whole("LOGDRAIN_WORKER_THREADS", low=1, high=64),
        notify_url=read.url("LOGDRAIN_NOTIFY_URL", ("https", "http")),
        history_keep_days=read.whole("LOGDRAIN_HISTORY_KEEP_DAYS", low=1, high=3650),
        query_memory_max_bytes=read.whole("LOGDRAIN_QUERY_MEMORY_MAX_BYTES", low=64 * _MEBIBYTE, high=2**42),
        query_threads=read.whole("LOGDRAIN_QUERY_THREADS", low=1, high=256),
        query_timeout_s=read.number("LOGDRAIN_QUERY_TIMEOUT_S", low=0.1, high=604_800),
        query_spill_max_bytes=read.whole("LOGDRAIN_QUERY_SPILL_MAX_BYTES", low=_MEBIBYTE, high=2**44),
        query_rows_max=read.whole("LOGDRAIN_QUERY_ROWS_MAX", low=1, high=2**40),
        kept_events_max_bytes=read.whole("LOGDRAIN_KEPT_EVENTS_MAX_BYTES", low=0, high=2**40),
        geoip_file=read.text("LOGDRAIN_GEOIP_FILE"),
    )
    if read.problems:
        raise ConfigError("; ".join(read.problems), hint="docs/reference/settings.md lists all settings")
    return settings


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
