import psycopg

from tests.integration.results.result_table import CLAIM, SLICE_S, ResultTable, next_claim, opened_writer

_PIDS = (
    "SELECT pid FROM pg_stat_activity WHERE application_name = 'logdrain' AND datname = current_database()"
)
_CUT = """
SELECT pg_terminate_backend(pid, 5000)
FROM pg_stat_activity WHERE application_name = 'logdrain' AND datname = current_database()
"""
ROW = {"time": [SLICE_S], "sum": [1]}


def test_runs_share_a_connection(table: ResultTable) -> None:
    with opened_writer() as writer:
        table.write_by(writer, ROW)
        before = table.execute(_PIDS)
        table.write_by(writer, ROW, next_claim(CLAIM))
        assert table.execute(_PIDS) == before
        assert len(before) == 1


def test_a_connection_that_was_cut_while_idle_is_replaced(table: ResultTable) -> None:
    with opened_writer() as writer:
        table.write_by(writer, ROW)
        with psycopg.connect(table.url) as connection:
            connection.execute(_CUT)
        table.write_by(writer, {"time": [SLICE_S], "sum": [2]}, next_claim(CLAIM))
    assert [row[1] for row in table.rows()] == [2]


def test_a_large_load_is_analyzed(table: ResultTable) -> None:
    table.write({"time": [SLICE_S] * 10_000, "sum": list(range(10_000))})
    ((rows,),) = table.execute("SELECT reltuples::bigint FROM pg_class WHERE relname = 'payment_history'")
    assert rows == 10_000
