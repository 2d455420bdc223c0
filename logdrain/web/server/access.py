"""Who may: `Authorization: Basic name:key` (RFC 7617) or `Bearer key` (RFC 6750).

A valid key always opens, whatever else its address has sent: all of Logplex may come through few routers.
"""

import base64
import binascii
import hmac
import time
from collections.abc import Callable, Iterable
from typing import NamedTuple

from aiohttp import web

from logdrain import metrics
from logdrain.errors import LedgerUnavailable, LogdrainError, TooManyAttempts, Unauthorized
from logdrain.keys.addresses import client_address
from logdrain.keys.auth_rate_limiter import AuthRateLimiter
from logdrain.model.keys import Key, Refusal, Scope, digest
from logdrain.web.server.key_ring import KeyRing

FAILURES_BURST = 60
FAILURES_PER_S = 1.0
_ADDRESSES_MAX = 10_000

_HINT = "https://NAME:KEY@host/logs, the key as password"


class Refused(Exception):  # named for what it carries, and caught at once
    """This key does not open; `reason` is counted, `error` is the answer."""

    def __init__(self, reason: Refusal, error: LogdrainError) -> None:
        super().__init__(reason)
        self.reason = reason
        self.error = error


class Access:
    """Lets requests in.

    Args:
        ring: The keys.
        proxy_count: Trusted proxies before this program.
        clock_s: Seconds that never go back.
    """

    def __init__(
        self, ring: KeyRing, *, proxy_count: int, clock_s: Callable[[], float] = time.monotonic
    ) -> None:
        self.ring = ring
        self._proxy_count = proxy_count
        self._clock_s = clock_s
        self._rate_limiter = AuthRateLimiter(
            burst=FAILURES_BURST, per_s=FAILURES_PER_S, addresses_max=_ADDRESSES_MAX
        )

    async def caller(self, request: web.Request, scope: Scope) -> "Caller":
        """Whose key it is.

        Raises:
            Unauthorized: no key, one nobody knows, or one of another scope.
            TooManyAttempts: the same, and the address has sent too many of those.
            LedgerUnavailable: the key may be valid, but Postgres cannot be asked.
        """
        authorization = request.headers.get("Authorization", "")
        try:
            return caller_of(authorization, self.ring.keys, scope)
        except Refused as refused:
            self._check_attempts(request, refused)
            if refused.reason is not Refusal.UNKNOWN:
                raise self._counted(refused) from None
        # It may be new. Logplex never repeats what is answered 401, so that must be certain.
        is_certain = await self.ring.ask_again()
        try:
            return caller_of(authorization, self.ring.keys, scope)
        except Refused as refused:
            error = self._counted(refused)
            if is_certain:
                raise error from None
            raise LedgerUnavailable(
                "the key is not known, and Postgres cannot be asked whether it is new",
                hint="keys of LOGDRAIN_KEYS and those read before go on to work",
            ) from None

    def _check_attempts(self, request: web.Request, refused: Refused) -> None:
        forwarded_for = request.headers.getall("X-Forwarded-For", [])
        address = client_address(request.remote or "", forwarded_for, self._proxy_count)
        if not self._rate_limiter.take(address, self._clock_s()):
            self._counted(refused)
            raise TooManyAttempts(
                "too many requests without a valid key came from this address",
                hint="a valid key works at once",
            ) from None

    @staticmethod
    def _counted(refused: Refused) -> LogdrainError:
        metrics.AUTH_FAILURES.labels(refused.reason.value).inc()
        return refused.error


ACCESS = web.AppKey("access", Access)


class Caller(NamedTuple):
    """Who sends a request.

    Attributes:
        name: The user name of the URL, else the key's own name.
        key_name: The key's own name.
    """

    name: str
    key_name: str


async def require(request: web.Request, scope: Scope) -> Caller:
    """Who sends it; raises as `Access.caller`."""
    return await request.app[ACCESS].caller(request, scope)


def caller_of(authorization: str, keys: Iterable[Key], scope: Scope) -> Caller:
    """Whom this header lets in.

    Raises:
        Refused: nobody.
    """
    name, secret = _credentials(authorization)
    wanted = digest(secret)
    # Every key is compared, in constant time: how long it takes tells nothing.
    matching = [key for key in keys if hmac.compare_digest(key.sha256, wanted)]
    allowed = [key for key in matching if key.scope in (scope, Scope.ADMIN)]
    if allowed:
        return Caller(name or allowed[0].name, allowed[0].name)
    if matching:
        raise Refused(
            Refusal.SCOPE,
            Unauthorized(f"this key's scope is {matching[0].scope}, not {scope}", hint="use another key"),
        )
    raise Refused(Refusal.UNKNOWN, Unauthorized("the key is not known", hint=_HINT))


def _credentials(header: str) -> tuple[str, bytes]:
    scheme, _, value = header.partition(" ")
    if scheme.lower() == "bearer" and value.strip():
        return "", value.strip().encode("utf-8", "surrogateescape")
    if scheme.lower() == "basic":
        try:
            decoded = base64.b64decode(value.strip(), validate=True)
        except (binascii.Error, ValueError):
            error = Unauthorized("the Authorization header is not Basic as in RFC 7617")
            raise Refused(Refusal.UNREADABLE, error) from None
        name, _, secret = decoded.partition(b":")
        return name.decode("utf-8", "replace"), secret
    raise Refused(Refusal.NO_KEY, Unauthorized("no key was given", hint=_HINT))
