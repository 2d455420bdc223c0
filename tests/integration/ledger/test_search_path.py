"""Others may create operators in the ledger's database; the ledger's role must not run them."""

import psycopg
import pytest

from logdrain.ledger.parts import Ledger
from logdrain.model.jobs import Cause
from tests.integration.ledger.ledger_slices import NOW, OUTCOME, Ask, claimed, hour, with_slices

TRAP = """
CREATE FUNCTION public.trap(text[], text[]) RETURNS boolean LANGUAGE plpgsql
AS $$ BEGIN RAISE EXCEPTION 'caught'; END $$;
CREATE OPERATOR public.<> (LEFTARG = text[], RIGHTARG = text[], PROCEDURE = public.trap);
CREATE OPERATOR public.= (LEFTARG = text[], RIGHTARG = text[], PROCEDURE = public.trap);
CREATE OPERATOR public.@> (LEFTARG = text[], RIGHTARG = text[], PROCEDURE = public.trap);
"""


@pytest.fixture(autouse=True)
def trap(ledger_url: str) -> None:
    with psycopg.connect(ledger_url, autocommit=True) as connection:
        connection.execute(TRAP)
        with pytest.raises(psycopg.errors.RaiseException):
            connection.execute("SELECT ARRAY['a'] @> '{}'::text[]")


def test_operators_of_others_do_not_run(ledger: Ledger) -> None:
    with_slices(ledger, 1, 2)
    ledger.slices.succeed(claimed(ledger), OUTCOME)
    ledger.slices.release(claimed(ledger))
    ledger.schedules.ask_slices("sums", [hour(3)], Cause.MANUAL, force=False)
    ledger.slices.plan(NOW)
    ledger.late_work.ask_followers(NOW)
    assert ledger.history.totals()["succeeded"] == 1


@pytest.mark.parametrize(
    "call",
    [
        "logdrain.count_run('lost')",
        "logdrain.note_success('sums', now())",
        "logdrain.requeue('sums')",
        "logdrain.requeue_one('sums')",
    ],
)
def test_nor_do_they_from_functions_whatever_the_search_path(call: str, ledger: Ledger, ask: Ask) -> None:
    with_slices(ledger, 1)
    ask(f"SELECT {call} IS NULL")
