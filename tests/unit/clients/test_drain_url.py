from base64 import b64encode

import pytest

from logdrain.clients.http_drain import DrainUrl
from logdrain.errors import UsageError


def test_a_url_is_read() -> None:
    url = DrainUrl.parse("https://shop:KEY@drain.example:8443/logs?src=x")

    assert (url.tls, url.host, url.port, url.path) == (True, "drain.example", 8443, "/logs?src=x")
    assert url.authorization == "Basic c2hvcDpLRVk="


def test_user_and_key_are_percent_decoded() -> None:
    url = DrainUrl.parse("http://a%40b:p%2Fw@h/")

    assert url.authorization == "Basic " + b64encode(b"a@b:p/w").decode()


def test_a_url_without_a_key_has_no_authorization() -> None:
    url = DrainUrl.parse("http://[::1]:8080")

    assert (url.host, url.port, url.path, url.authorization) == ("::1", 8080, "/", "")


@pytest.mark.parametrize("url", ["https://shop:SECRET@h/logs?token=SECRET", "https://SECRET@h/logs"])
def test_no_secret_is_shown(url: str) -> None:
    parsed = DrainUrl.parse(url)

    assert parsed.shown == "https://h/logs"
    assert "SECRET" not in repr(parsed)
    assert parsed.authorization.removeprefix("Basic ") not in repr(parsed)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "shop:SECRET@host/logs",
        "ftp://shop:SECRET@host/logs",
        "https://shop:SECRET@/logs",
        "https://shop:SECRET@host:port/logs",
        "https://shop:SECRET@host:99999/logs",
        "https://shop:SECRET@[::1/logs",
        "https://shop:SECRET@a..b/logs",
        "https://shop:SECRET@host/lögs",
        "https://shop:SECRET@host/my logs",
    ],
)
def test_what_is_no_drain_url_is_refused_without_repeating_it(url: str) -> None:
    with pytest.raises(UsageError, match="the drain URL") as caught:
        DrainUrl.parse(url)

    assert "SECRET" not in str(caught.value)
    assert "LOGDRAIN_URL" in caught.value.hint
