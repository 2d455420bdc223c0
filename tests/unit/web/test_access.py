import base64
import hashlib

import pytest
from aiohttp.test_utils import make_mocked_request
from hypothesis import given
from hypothesis import strategies as st

from logdrain.errors import Unauthorized
from logdrain.model.keys import Key, Scope
from logdrain.web.access import require


def key(scope: Scope, name: str, secret: str) -> Key:
    return Key(scope, name, hashlib.sha256(secret.encode()).digest())


KEYS = (
    key(Scope.DRAIN, "shop", "drain-secret"),
    key(Scope.DRAIN, "shop-new", "next-secret"),
    key(Scope.READ, "bi", "read-secret"),
    key(Scope.ADMIN, "root", "admin-secret"),
)


def name_for(authorization: str | None, scope: Scope = Scope.DRAIN) -> str:
    headers = {} if authorization is None else {"Authorization": authorization}
    return require(make_mocked_request("POST", "/logs", headers=headers), KEYS, scope)


def basic(user: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


@pytest.mark.parametrize(
    ("authorization", "name"),
    [
        (basic("anything", "drain-secret"), "anything"),
        (basic("", "drain-secret"), "shop"),
        ("Bearer next-secret", "shop-new"),
        ("bearer  next-secret ", "shop-new"),
        (basic("ops", "admin-secret"), "ops"),
    ],
)
def test_who_may(authorization: str, name: str) -> None:
    assert name_for(authorization) == name


@pytest.mark.parametrize(
    "authorization",
    [
        None,
        "",
        "Bearer",
        "Bearer wrong",
        basic("shop", ""),
        basic("shop", "drain-secret "),
        basic("drain-secret", "shop"),
        basic("bi", "read-secret"),
        "Basic !!!",
        "Basic ",
        "Digest x",
    ],
)
def test_who_may_not(authorization: str | None) -> None:
    with pytest.raises(Unauthorized) as caught:
        name_for(authorization)
    assert "secret" not in str(caught.value)


@given(st.text(st.characters(min_codepoint=32, max_codepoint=126)))
def test_any_header_is_refused_not_failed(authorization: str) -> None:
    with pytest.raises(Unauthorized):
        name_for(authorization)
