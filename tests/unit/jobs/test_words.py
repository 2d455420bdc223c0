"""What people type for durations and priorities, and what they are told of late events."""

import pytest

from logdrain.errors import NotifyUrlInvalid
from logdrain.jobs.durations import duration_s
from logdrain.jobs.notify_urls import check_notify_url
from logdrain.jobs.priorities import read_priority
from logdrain.ledger.late_work import LateHour, late_reason


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("600", 600),
        ("0", 0),
        ("10m", 600),
        ("1h30m", 5400),
        ("24h", 86_400),
        ("1d12h1m1s", 129_661),
        ("", None),
        ("10 m", None),
        ("-1h", None),
        ("1.5h", None),
        ("m", None),
        ("30m1h", None),
        ("٣", None),
    ],
)
def test_durations(text: str, seconds: int | None) -> None:
    assert duration_s(text) == seconds


@pytest.mark.parametrize(
    ("value", "priority"),
    [
        ("very-low", -2),
        ("VERY HIGH", 2),
        ("normal", 0),
        ("-1", -1),
        (1, 1),
        (3, None),
        ("3", None),
        (True, None),
        (1.0, None),
        ("urgent", None),
    ],
)
def test_priorities(value: object, priority: int | None) -> None:
    assert read_priority(value) == priority


def test_late_hours_in_words() -> None:
    hours = [LateHour("production.pay", 1330560000 + 3600 * number) for number in range(4)]
    assert late_reason(hours[:1]) == "late events in 1 hour: production.pay 2012-03-01T00:00Z"
    assert late_reason(hours).startswith("late events in 4 hours: production.pay 2012-03-01T00:00Z, ")
    assert late_reason(hours).endswith("T02:00Z, …")


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
