"""When `logdrain up` says that it is ready."""

import io
import json
import urllib.request

import pytest

from logdrain.cli import up


@pytest.mark.parametrize(
    ("report", "is_ready"),
    [
        ({"status": "ok", "mongodb": "ok", "spool": "ok", "postgres": "ok"}, True),
        (
            {"status": "degraded", "mongodb": "ok", "spool": {"code": "disk_nearly_full"}, "postgres": "ok"},
            True,
        ),
        ({"status": "degraded", "mongodb": {"code": "disk_nearly_full"}, "postgres": "ok"}, True),
        ({"status": "degraded", "mongodb": {"code": "store_unavailable"}, "postgres": "ok"}, False),
        ({"status": "degraded", "mongodb": "ok", "postgres": {"code": "migration"}}, False),
    ],
)
def test_both_servers_answer(
    report: dict[str, object],
    is_ready: bool,  # noqa: FBT001  # a parameter
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    octets = json.dumps(report).encode()
    monkeypatch.setattr(urllib.request, "urlopen", lambda *_, **__: io.BytesIO(octets))
    assert (up.health_of("http://127.0.0.1:1") == "ready") is is_ready
