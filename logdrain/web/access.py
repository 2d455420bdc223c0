"""Who may: `Authorization: Basic name:key` (RFC 7617) or `Bearer key` (RFC 6750)."""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Iterable

from aiohttp import web

from logdrain.errors import Unauthorized
from logdrain.model.keys import Key, Scope


def require(request: web.Request, keys: Iterable[Key], scope: Scope) -> str:
    """The caller's name: the user name of the URL, else the key's own name.

    Raises:
        Unauthorized: no key, a key nobody knows, or one of another scope.
    """
    name, secret = _credentials(request.headers.get("Authorization", ""))
    digest = hashlib.sha256(secret).digest()
    # Every key is compared, in constant time: how long it takes tells nothing.
    matching = [key for key in keys if hmac.compare_digest(key.sha256, digest)]
    allowed = [key for key in matching if key.scope in (scope, Scope.ADMIN)]
    if allowed:
        return name or allowed[0].name
    if matching:
        raise Unauthorized(f"this key's scope is {matching[0].scope}, not {scope}", hint="use another key")
    raise Unauthorized("the key is not known", hint="https://NAME:KEY@host/logs, the key as password")


def _credentials(header: str) -> tuple[str, bytes]:
    scheme, _, value = header.partition(" ")
    if scheme.lower() == "bearer" and value.strip():
        return "", value.strip().encode("utf-8", "surrogateescape")
    if scheme.lower() == "basic":
        try:
            decoded = base64.b64decode(value.strip(), validate=True)
        except (binascii.Error, ValueError):
            raise Unauthorized("the Authorization header is not Basic as in RFC 7617") from None
        name, _, secret = decoded.partition(b":")
        return name.decode("utf-8", "replace"), secret
    raise Unauthorized("no key was given", hint="https://NAME:KEY@host/logs, the key as password")
