import psycopg
import pymongo
import pytest


@pytest.mark.parametrize("_time", range(2))
def test_each_test_has_a_mongodb_database_of_its_own(mongodb_uri: str, _time: int) -> None:
    with pymongo.MongoClient[dict[str, object]](mongodb_uri) as client:
        database = client.get_default_database()
        assert database.list_collection_names() == []
        database["left"].insert_one({})


@pytest.mark.parametrize("_time", range(2))
def test_each_test_has_a_postgres_database_of_its_own(postgres_url: str, _time: int) -> None:
    with psycopg.connect(postgres_url) as connection:
        connection.execute("CREATE TABLE left_behind ()")


@pytest.mark.parametrize("_time", range(2))
def test_each_test_has_a_ledger_of_its_own(ledger_url: str, _time: int) -> None:
    with psycopg.connect(ledger_url) as connection:
        tables = connection.execute("SELECT count(*) FROM pg_tables WHERE schemaname = 'logdrain'").fetchone()
        assert tables is not None
        assert tables[0] > 0
        connection.execute("CREATE TABLE left_behind ()")
