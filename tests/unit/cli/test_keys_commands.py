"""What `keys:create` prints as the drain URL."""

import argparse
from pathlib import Path

import pytest

from logdrain.cli.keys import drain_address


@pytest.mark.parametrize(
    ("host", "address"),
    [
        ("my-drain.example.com", ("https", "my-drain.example.com")),
        ("localhost:8080", ("http", "localhost:8080")),
        ("127.0.0.1:8080", ("http", "127.0.0.1:8080")),
        ("[::1]:8080", ("http", "[::1]:8080")),
        ("localhost.example.com", ("https", "localhost.example.com")),
        ("http://drain.lan/", ("http", "drain.lan")),
        ("https://localhost", ("https", "localhost")),
        (None, ("https", "HOST")),
    ],
)
def test_the_scheme_is_that_of_the_host(host: str | None, address: tuple[str, str], tmp_path: Path) -> None:
    assert drain_address(argparse.Namespace(host=host, data=tmp_path)) == address
