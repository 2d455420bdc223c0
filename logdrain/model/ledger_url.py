"""The ledger's Postgres URL, read with care."""

from urllib.parse import urlsplit

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from logdrain.errors import LedgerUnavailable

_SETTINGS = {
    "application_name": "logdrain",
    "connect_timeout": "10",
    # A server that vanished without a word is noticed within a minute, not after two hours.
    "keepalives_idle": "30",
    "keepalives_interval": "10",
    "keepalives_count": "3",
    "tcp_user_timeout": "60000",
}


def ledger_conninfo(dsn: str) -> str:
    """The URL as libpq takes it, with our settings for what it leaves open.

    Checked, so that no part of a password is ever taken for a host or port.

    Args:
        dsn: postgres:// or postgresql://.

    Raises:
        LedgerUnavailable: it cannot be read; nothing of it is quoted.
    """
    try:
        parts = urlsplit(dsn)
        known = conninfo_to_dict(dsn)
        ports = str(known.get("port") or "0").split(",")
        is_readable = parts.scheme in {"postgres", "postgresql"} and parts.netloc.count("@") <= 1
        is_readable = is_readable and all(port.isdecimal() for port in ports)
    except (ValueError, psycopg.ProgrammingError):
        is_readable = False
        known = {}
    if not is_readable:
        raise LedgerUnavailable(
            "the ledger's Postgres URL cannot be read",
            hint="postgresql://user:password@host:5432/database, other characters percent-encoded",
        )
    return make_conninfo(dsn, **{name: value for name, value in _SETTINGS.items() if name not in known})
