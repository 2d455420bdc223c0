"""TD_IP_TO_… over a database of addresses that the operator gives."""

from pathlib import Path
from typing import Any

import pytest
from mmdb_writer import MMDBWriter
from netaddr import IPSet

from logdrain.errors import ConfigError
from logdrain.model.catalog import TableCatalog
from logdrain.model.plans import Dialect
from logdrain.model.queries import QueryRequest
from logdrain.query.duckdb.address_files import open_addresses
from logdrain.query.duckdb.engine import DuckdbEngine
from logdrain.query.plan import plan_query
from logdrain.query.values.address_functions import ADDRESS_FUNCTIONS

RECORD = {
    "city": {"names": {"en": "Kyoto", "ja": "京都"}},
    "connection_type": "Cellular",
    "country": {"iso_code": "JP", "names": {"en": "Japan"}},
    "domain": "example.org",
    "location": {"latitude": 35.0, "longitude": 135.75, "metro_code": 501, "time_zone": "Asia/Tokyo"},
    "postal": {"code": "600-0000"},
    "subdivisions": [{"names": {"en": "Kyoto Prefecture"}}, {"names": {"en": "Shimogyo"}}],
}


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("addresses") / "city.mmdb"
    writer = MMDBWriter(ip_version=6, ipv4_compatible=True, float_type="f64", int_type="u32")
    writer.insert_network(IPSet(["192.0.2.0/24"]), RECORD)
    writer.to_db_file(str(path))
    return path


def value(expression: str, path: Path) -> Any:
    engine = DuckdbEngine(128 * 1024 * 1024, 1, None, more_functions=open_addresses(str(path)))
    request = QueryRequest(f"SELECT {expression}", "", Dialect.TRINO, 0, 0)
    planned = plan_query(request, TableCatalog, [], has_addresses=True)
    with engine.run(engine.lower(planned), []) as rows:
        [batch] = rows
    return batch.column(0).to_pylist()[0]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("TD_IP_TO_CITY_NAME", "Kyoto"),
        ("TD_IP_TO_CONNECTION_TYPE", "Cellular"),
        ("TD_IP_TO_COUNTRY_CODE", "JP"),
        ("TD_IP_TO_COUNTRY_NAME", "Japan"),
        ("TD_IP_TO_DOMAIN", "example.org"),
        ("TD_IP_TO_LATITUDE", 35.0),
        ("TD_IP_TO_LEAST_SPECIFIC_SUBDIVISION_NAME", "Kyoto Prefecture"),
        ("TD_IP_TO_LONGITUDE", 135.75),
        ("TD_IP_TO_METRO_CODE", 501),
        ("TD_IP_TO_MOST_SPECIFIC_SUBDIVISION_NAME", "Shimogyo"),
        ("TD_IP_TO_POSTAL_CODE", "600-0000"),
        ("TD_IP_TO_SUBDIVISION_NAMES", ["Kyoto Prefecture", "Shimogyo"]),
        ("TD_IP_TO_TIME_ZONE", "Asia/Tokyo"),
    ],
)
def test_what_the_database_says(name: str, expected: Any, database: Path) -> None:
    assert value(f"{name}('192.0.2.7')", database) == expected


@pytest.mark.parametrize("name", ADDRESS_FUNCTIONS)
@pytest.mark.parametrize("address", ["'198.51.100.1'", "'no address'", "NULL"])
def test_what_the_database_does_not_know_is_null(name: str, address: str, database: Path) -> None:
    assert value(f"{name}({address})", database) is None


@pytest.mark.parametrize("content", [None, b"no database"])
def test_a_file_that_is_no_database(content: bytes | None, tmp_path: Path) -> None:
    path = tmp_path / "city.mmdb"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ConfigError, match="LOGDRAIN_GEOIP_FILE"):
        open_addresses(str(path))
