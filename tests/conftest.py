"""Real servers for the tests that ask for them: a pair per test process, started by the first that asks.

`MONGODB_URI` and `DATABASE_URL` name servers to use instead; each test has databases of its own in any case.
"""

import gc
import os
import secrets
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import parse_qsl, urlencode, urlsplit

import psycopg
import pymongo
import pytest
from hypothesis import settings
from psycopg import sql

from logdrain.ledger.schema.migrate import migrate
from logdrain.sandbox.mongo_server import MongoServer
from logdrain.sandbox.postgres_server import PostgresServer

# How long an example takes says more of the machine than of the code.
settings.register_profile("logdrain", deadline=None)
settings.load_profile("logdrain")


@pytest.fixture(scope="session")
def mongodb_server_uri(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A running MongoDB; its path is no test's database."""
    if given := os.environ.get("MONGODB_URI"):
        yield given
        return
    server = MongoServer(tmp_path_factory.mktemp("mongodb"))
    server.start()
    yield server.uri
    server.stop()


@pytest.fixture(scope="session")
def postgres_server_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A running Postgres; its database is for making others."""
    if given := os.environ.get("DATABASE_URL"):
        yield given
        return
    server = PostgresServer(tmp_path_factory.mktemp("postgres"), durable=False)
    server.start()
    yield server.uri
    server.stop()


@pytest.fixture(scope="session")
def ledger_template(postgres_server_url: str) -> Iterator[str]:
    """The name of a database with the ledger's tables, to copy."""
    name = f"ledger_template_{secrets.token_hex(6)}"
    with _postgres_database(postgres_server_url, name) as url:
        migrate(url)
        yield name


@pytest.fixture
def mongodb_uri(mongodb_server_uri: str) -> Iterator[str]:
    """A MongoDB URI whose path is a database of this test alone, empty."""
    with own_mongodb_database(mongodb_server_uri) as uri:
        yield uri


@pytest.fixture
def postgres_url(postgres_server_url: str) -> Iterator[str]:
    """A Postgres URL of a database of this test alone, empty."""
    with _postgres_database(postgres_server_url, f"test_{secrets.token_hex(6)}") as url:
        yield url


@pytest.fixture
def ledger_url(postgres_server_url: str, ledger_template: str) -> Iterator[str]:
    """A Postgres URL of a database of this test alone, migrated."""
    name = f"ledger_{secrets.token_hex(6)}"
    with _postgres_database(postgres_server_url, name, template=ledger_template) as url:
        yield url


@pytest.fixture
def cancelled_connects() -> Iterator[None]:
    """For tests without a MongoDB: PyMongo's monitor leaves the socket open whose connecting it cancels."""
    yield
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()


@contextmanager
def own_mongodb_database(server_uri: str) -> Iterator[str]:
    """A MongoDB URI whose path is a new database, dropped at the end."""
    name = f"test_{secrets.token_hex(6)}"
    yield _with_mongodb_database(server_uri, name)
    with pymongo.MongoClient[dict[str, object]](server_uri) as client:
        client.drop_database(name)


@contextmanager
def _postgres_database(server_url: str, name: str, *, template: str = "template1") -> Iterator[str]:
    database = sql.Identifier(name)
    with psycopg.connect(server_url, autocommit=True) as connection:
        connection.execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(database, sql.Identifier(template))
        )
    try:
        yield urlsplit(server_url)._replace(path=f"/{name}").geturl()
    finally:
        with psycopg.connect(server_url, autocommit=True) as connection:
            connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(database))


def _with_mongodb_database(server_uri: str, name: str) -> str:
    """Another database in the path; who authenticates still does so where they did (`authSource`)."""
    parts = urlsplit(server_uri)
    options = dict(parse_qsl(parts.query))
    if "@" in parts.netloc:
        options.setdefault("authSource", parts.path.strip("/") or "admin")
    return parts._replace(path=f"/{name}", query=urlencode(options)).geturl()
