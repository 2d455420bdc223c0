"""Opens the keys."""

from collections.abc import Iterator
from contextlib import closing, contextmanager

from logdrain.bootstrap import require
from logdrain.config import Settings
from logdrain.keys.postgres_keys import PostgresKeys


@contextmanager
def open_keys(settings: Settings) -> Iterator[PostgresKeys]:
    """The keys that Postgres keeps."""
    with closing(PostgresKeys(require(settings.database_url, "DATABASE_URL"))) as keys:
        yield keys
