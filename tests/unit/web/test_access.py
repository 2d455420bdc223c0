import base64

import pytest
from aiohttp.test_utils import make_mocked_request
from hypothesis import given
from hypothesis import strategies as st

from logdrain.errors import LedgerUnavailable, TooManyAttempts, Unauthorized
from logdrain.metrics import AUTH_FAILURES
from logdrain.model.keys import Key, Refusal, Scope, digest
from logdrain.web.server.access import FAILURES_BURST, Access, Refused, caller_of
from logdrain.web.server.key_ring import KeyRing


def key(scope: Scope, name: str, secret: str) -> Key:
    return Key(scope, name, digest(secret.encode()))


KEYS = (
    key(Scope.DRAIN, "shop", "drain-secret"),
    key(Scope.DRAIN, "shop-new", "next-secret"),
    key(Scope.READ, "bi", "read-secret"),
    key(Scope.ADMIN, "root", "admin-secret"),
)


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
    assert caller_of(authorization, KEYS, Scope.DRAIN).name == name


def test_a_key_has_a_name_whatever_the_url_says() -> None:
    assert caller_of(basic("anything", "drain-secret"), KEYS, Scope.DRAIN).key_name == "shop"


@pytest.mark.parametrize(
    ("authorization", "reason"),
    [
        ("", Refusal.NO_KEY),
        ("Bearer", Refusal.NO_KEY),
        ("Digest x", Refusal.NO_KEY),
        ("Bearer wrong", Refusal.UNKNOWN),
        (basic("shop", ""), Refusal.UNKNOWN),
        (basic("shop", "drain-secret "), Refusal.UNKNOWN),
        (basic("drain-secret", "shop"), Refusal.UNKNOWN),
        ("Basic ", Refusal.UNKNOWN),
        ("Basic !!!", Refusal.UNREADABLE),
        (basic("bi", "read-secret"), Refusal.SCOPE),
    ],
)
def test_who_may_not(authorization: str, reason: Refusal) -> None:
    with pytest.raises(Refused) as caught:
        caller_of(authorization, KEYS, Scope.DRAIN)
    assert caught.value.reason is reason
    assert isinstance(caught.value.error, Unauthorized)
    assert "secret" not in str(caught.value.error)


@given(st.text(st.characters(min_codepoint=32, max_codepoint=126)))
def test_any_header_is_refused_not_failed(authorization: str) -> None:
    with pytest.raises(Refused):
        caller_of(authorization, KEYS, Scope.DRAIN)


class ScriptedRing(KeyRing):
    """Gets a new key when it is asked again, or cannot be asked."""

    def __init__(self, *, new: tuple[Key, ...] = (), answers: bool = True) -> None:
        super().__init__(KEYS, None, refresh_s=5)
        self.asked = 0
        self._new = new
        self._answers = answers

    async def ask_again(self) -> bool:
        self.asked += 1
        self._stored = self._new
        return self._answers


async def name_for(access: Access, authorization: str) -> str:
    request = make_mocked_request("POST", "/logs", headers={"Authorization": authorization})
    return (await access.caller(request, Scope.DRAIN)).name


async def test_a_new_key_works_at_once() -> None:
    ring = ScriptedRing(new=(key(Scope.DRAIN, "new", "new-secret"),))
    access = Access(ring, proxy_count=0)
    assert await name_for(access, "Bearer new-secret") == "new"
    assert await name_for(access, "Bearer new-secret") == "new"
    assert ring.asked == 1


async def test_while_postgres_cannot_be_asked_an_unknown_key_is_to_come_again() -> None:
    access = Access(ScriptedRing(answers=False), proxy_count=0)
    with pytest.raises(LedgerUnavailable):
        await name_for(access, "Bearer wrong")
    with pytest.raises(Unauthorized, match="scope is read"):
        await name_for(access, "Bearer read-secret")
    assert await name_for(access, "Bearer drain-secret") == "shop"


async def test_beyond_the_limit_failures_are_429_and_ask_nobody_but_a_valid_key_opens() -> None:
    ring = ScriptedRing()
    access = Access(ring, proxy_count=0, clock_s=lambda: 0.0)
    counted = AUTH_FAILURES.labels("unknown")
    before = counted._value.get()  # noqa: SLF001  # the client library shows a value in no other way
    for _ in range(FAILURES_BURST):
        with pytest.raises(Unauthorized):
            await name_for(access, "Bearer wrong")
    with pytest.raises(TooManyAttempts) as caught:
        await name_for(access, "Bearer wrong")
    assert (caught.value.status, caught.value.retryable) == (429, True)
    assert ring.asked == FAILURES_BURST
    assert counted._value.get() - before == FAILURES_BURST + 1  # noqa: SLF001  # same
    assert await name_for(access, "Bearer drain-secret") == "shop"
