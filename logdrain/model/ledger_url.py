"""The ledger's Postgres URL, read with care."""

from urllib.parse import urlsplit

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from logdrain.errors import LedgerUnavailable


def ledger_conninfo(dsn: str, **settings: str | int) -> str:
    """The URL as libpq takes it, checked so that no part of a password is ever taken for a host or port.

    Args:
        dsn: postgres:// or postgresql://.
        settings: libpq parameters for what the URL leaves open.

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
    ours: dict[str, str | int] = {"application_name": "logdrain", **settings}
    return make_conninfo(dsn, **{name: value for name, value in ours.items() if name not in known})
