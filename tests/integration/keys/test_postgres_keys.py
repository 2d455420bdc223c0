from collections.abc import Iterator

import psycopg
import pytest

from logdrain.errors import KeyAmbiguous, LedgerUnavailable, MigrationError, UnknownKey, UsageError
from logdrain.keys.postgres_keys import PostgresKeys
from logdrain.model.keys import Key, Scope, digest


@pytest.fixture
def keys(ledger_url: str) -> Iterator[PostgresKeys]:
    keys = PostgresKeys(ledger_url)
    yield keys
    keys.close()


def test_a_secret_is_kept_as_its_digest_only(keys: PostgresKeys, ledger_url: str) -> None:
    new = keys.create(Scope.DRAIN, "shop")
    assert len(bytes.fromhex(new.secret.removeprefix("ldk_"))) == 32
    assert keys.valid() == (Key(Scope.DRAIN, "shop", digest(new.secret.encode())),)
    assert keys.create(Scope.DRAIN, "shop").secret != new.secret
    with psycopg.connect(ledger_url) as connection:
        [row, _] = connection.execute("SELECT to_jsonb(key)::text FROM logdrain.keys AS key ORDER BY id")
    assert new.secret not in row[0]
    assert digest(new.secret.encode()).hex() in row[0]


def test_two_keys_of_one_name_are_valid_until_one_is_revoked_by_its_id(keys: PostgresKeys) -> None:
    old, new = keys.create(Scope.DRAIN, "shop"), keys.create(Scope.DRAIN, "shop")
    other = keys.create(Scope.READ, "bi")
    assert len(keys.valid()) == 3
    with pytest.raises(KeyAmbiguous, match=f"{old.stored.id}, {new.stored.id}"):
        keys.revoke("shop")
    revoked = keys.revoke(str(old.stored.id))
    assert (revoked.id, revoked.revoked_at is None) == (old.stored.id, False)
    assert [key.sha256 for key in keys.valid()] == [digest(each.secret.encode()) for each in (new, other)]
    assert keys.revoke("shop").id == new.stored.id
    assert [(key.id, key.revoked_at is None) for key in keys.every()] == [
        (other.stored.id, True),
        (old.stored.id, False),
        (new.stored.id, False),
    ]


def test_what_cannot_be_revoked_is_named(keys: PostgresKeys) -> None:
    keys.create(Scope.DRAIN, "shop")
    with pytest.raises(UnknownKey, match="did you mean 'shop'"):
        keys.revoke("shopp")
    with pytest.raises(UnknownKey, match="keys:list"):
        keys.revoke("99")
    keys.revoke("shop")
    with pytest.raises(UnknownKey, match="revoked already"):
        keys.revoke("shop")


@pytest.mark.parametrize("name", ["", "a b", "a:b", "a@b", "x" * 65, "7", "shop\n", "naïve"])
def test_a_name_that_would_mean_something_else_is_refused(keys: PostgresKeys, name: str) -> None:
    with pytest.raises(UsageError):
        keys.create(Scope.DRAIN, name)
    assert keys.every() == []


def test_an_older_ledger_asks_for_the_migration(postgres_url: str) -> None:
    keys = PostgresKeys(postgres_url)
    with pytest.raises(MigrationError, match="logdrain migrate"):
        keys.valid()
    keys.close()


def test_a_connection_that_was_cut_is_opened_again(keys: PostgresKeys, ledger_url: str) -> None:
    keys.create(Scope.DRAIN, "shop")
    with psycopg.connect(ledger_url, autocommit=True) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
    with pytest.raises(LedgerUnavailable):
        keys.valid()
    assert len(keys.valid()) == 1


def test_a_server_that_is_not_there_is_named_without_the_password() -> None:
    keys = PostgresKeys("postgresql://u:secret@127.0.0.1:1/db")
    with pytest.raises(LedgerUnavailable) as caught:
        keys.valid()
    assert "secret" not in str(caught.value)
