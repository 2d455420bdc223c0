import pytest
from hypothesis import given
from hypothesis import strategies as st

from logdrain.keys.addresses import client_address

CLAIM = "6.6.6.6"


@pytest.mark.parametrize(
    ("forwarded_for", "proxy_count", "address"),
    [
        ([], 0, "10.0.0.1"),
        ([f"{CLAIM}, 1.2.3.4"], 0, "10.0.0.1"),
        ([f"{CLAIM}, 1.2.3.4"], 1, "1.2.3.4"),
        ([CLAIM, "1.2.3.4"], 1, "1.2.3.4"),
        ([f"{CLAIM},1.2.3.4, 10.0.0.9"], 2, "1.2.3.4"),
        ([], 1, "10.0.0.1"),
        (["1.2.3.4"], 2, "10.0.0.1"),
    ],
)
def test_only_what_a_trusted_proxy_has_said_counts(
    forwarded_for: list[str], proxy_count: int, address: str
) -> None:
    assert client_address("10.0.0.1", forwarded_for, proxy_count) == address


@pytest.mark.parametrize(
    ("peer", "address"),
    [
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("::ffff:1.2.3.4", "1.2.3.4"),
        ("", ""),
        ("x" * 1000, "x" * 64),
    ],
)
def test_one_subscriber_is_one_address(peer: str, address: str) -> None:
    assert client_address(peer, [], 0) == address


@given(st.text(), st.lists(st.text()), st.integers(0, 3))
def test_any_text_gives_a_short_address(peer: str, forwarded_for: list[str], proxy_count: int) -> None:
    assert len(client_address(peer, forwarded_for, proxy_count)) <= 64
