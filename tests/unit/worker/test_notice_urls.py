import pytest

from logdrain.errors import NotifyUrlInvalid
from logdrain.model.notices import check_notify_url


@pytest.mark.parametrize("url", ["https://example.com/hook?a=b", "http://127.0.0.1:8080/x"])
def test_urls_for_notices(url: str) -> None:
    check_notify_url(url)


@pytest.mark.parametrize(
    "url",
    [
        "ftp://example.com/secret",
        "file:///etc/passwd",
        "https:///secret",
        "https://u:secret@example.com/",
        "https://example.com/a b",
        "https://example.com:99999/secret",
        "https://[secret/",
        "secret",
    ],
)
def test_what_no_notice_is_sent_to(url: str) -> None:
    with pytest.raises(NotifyUrlInvalid) as caught:
        check_notify_url(url)
    assert "secret" not in str(caught.value)
