"""Sends notices: one POST of JSON each, without redirects, to the URL that somebody has set and no other."""

import json
import urllib.error
import urllib.request
from http import HTTPStatus
from http.client import HTTPException
from typing import IO

from logdrain.errors import NotifyUrlInvalid
from logdrain.model.notices import Notice, check_notify_url

KEY_HEADER = "Idempotency-Key"
"""Carries the notice's key: the same however often it is sent."""

_TIMEOUT_S = 10.0


class HttpNotices:
    """Sends notices; proxies of the environment are used, redirects are not followed.

    Args:
        timeout_s: How long an answer may take.
    """

    def __init__(self, timeout_s: float = _TIMEOUT_S) -> None:
        self._timeout_s = timeout_s
        self._opener = urllib.request.build_opener(_NoRedirects())

    def send(self, notice: Notice) -> str:
        """Send a notice; returns "" where it was taken (2xx), else the reason, without the URL."""
        body = json.dumps({**notice.body, "key": notice.key}).encode()
        headers = {"Content-Type": "application/json", "User-Agent": "logdrain", KEY_HEADER: notice.key}
        try:
            check_notify_url(notice.url)
            request = urllib.request.Request(notice.url, body, headers, method="POST")  # noqa: S310  # just checked
            with self._opener.open(request, timeout=self._timeout_s) as answer:
                return "" if answer.status < HTTPStatus.MULTIPLE_CHOICES else f"HTTP {answer.status}"
        except urllib.error.HTTPError as error:
            error.close()
            return f"HTTP {error.code}"
        except (OSError, HTTPException, NotifyUrlInvalid) as error:
            return type(error).__name__


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """A redirect is an answer like any other: what was set is where a notice goes."""

    def redirect_request(  # noqa: PLR0917  # urllib passes them so
        self, req: object, fp: IO[bytes], code: int, msg: str, headers: object, newurl: str
    ) -> None:
        """None: not followed."""
