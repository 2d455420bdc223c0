"""`bi:grant` and `bi:revoke` as a person types them."""

from collections.abc import Iterator

import pytest

from logdrain.__main__ import run
from tests.integration.results.result_table import SLICE_S, ResultTable, as_poor_role

QUERY = "SELECT TD_SCHEDULED_TIME() AS time"


@pytest.fixture
def bi(
    ledger_table: ResultTable, monkeypatch: pytest.MonkeyPatch, mongodb_uri: str
) -> Iterator[tuple[str, ResultTable]]:
    """A role that may connect and no more, on a ledger whose one schedule writes `here:payment_history`."""
    monkeypatch.setenv("DATABASE_URL", ledger_table.url)
    monkeypatch.setenv("MONGODB_URI", mongodb_uri)
    assert run(["result:create", "here", "env:DATABASE_URL"]) == 0
    words = ["sched:create", "hourly", "@hourly", "-d", "production", "-r", "here:payment_history", QUERY]
    assert run(words) == 0
    with as_poor_role(ledger_table) as found:
        yield found


def test_a_role_is_let_in_and_out(
    bi: tuple[str, ResultTable], ledger_table: ResultTable, capsys: pytest.CaptureFixture[str]
) -> None:
    role, poor = bi
    ledger_table.write({"time": [SLICE_S]}, commit_note=lambda _: None)
    capsys.readouterr()
    assert run(["bi:grant", role]) == 0
    assert f'{role} may read "public"."payment_history"' in capsys.readouterr().out
    assert len(poor.rows()) == 1
    assert run(["bi:revoke", role, "--result", "here"]) == 0
    assert f'{role} may no longer read "public"."payment_history"' in capsys.readouterr().out


def test_what_is_wrong_is_said_with_what_helps(
    bi: tuple[str, ResultTable], capsys: pytest.CaptureFixture[str]
) -> None:
    role, _ = bi
    assert run(["bi:grant", "nobody_of_this_name"]) == 1
    assert "hint: CREATE ROLE" in capsys.readouterr().err
    assert run(["bi:grant", role, "--result", "hear"]) == 1
    assert "did you mean 'here'?" in capsys.readouterr().err
