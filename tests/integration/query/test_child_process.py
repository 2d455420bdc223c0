"""The process that a query runs in: what it is given, what it may use, and how it ends."""

import os
import select
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from logdrain.answer.deadlines import time_limit
from logdrain.errors import QueryMemoryExceeded, QueryProcessDied, QueryTimeout, SqlError
from logdrain.model.stops import Stop
from logdrain.query.duckdb.child_engine import ChildEngine
from tests.contract.engine_scans import Numbers, count, raw, run
from tests.unit.query.event_tables import SCHEDULED_TIME_S, MemoryScan, Tables, lowered

MIB = 1024 * 1024
MEMORY_BYTES = 128 * MIB
TIMEOUT_S = 4.0
ENDLESS = "WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM t) SELECT COUNT(*) FROM t"
LONG = "ab" * 50_000
TABLES: Tables = {
    "production.many": [{"time": SCHEDULED_TIME_S, "n": n} for n in range(22_000)],
    "production.long": [
        {"time": SCHEDULED_TIME_S, "a": LONG, "b": LONG[1:] + "c", "agent": "x; (" * 250_000}
    ],
}


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[ChildEngine]:
    with closing(ChildEngine(MEMORY_BYTES, 2, str(tmp_path), spill_max_bytes=MEMORY_BYTES)) as made:
        yield made


def children() -> set[int]:
    """The processes that this one has started and that nobody has waited for."""
    task = Path(f"/proc/{os.getpid()}/task")
    return {int(pid) for thread in task.iterdir() for pid in (thread / "children").read_text().split()}


def the_child(engine: ChildEngine) -> int:
    """The process of a query."""
    before = children()
    assert run(engine, "SELECT n FROM scan_0") == 3000
    (pid,) = children() - before
    return pid


def wait_for_end(pid: int) -> None:
    """Until a process that is not this one's has ended."""
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    try:
        assert select.select([descriptor], [], [], 60)[0], "it lives"
    finally:
        os.close(descriptor)


def resident_bytes(pid: int) -> int:
    """Memory of a process; 0 where it has ended."""
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, IndexError):
        return 0


def run_over_tables(engine: ChildEngine, sql: str, stop: Stop) -> None:
    """Plan and run a text."""
    query = lowered(sql, TABLES)
    count(engine, query, [MemoryScan(scan, TABLES[scan.table.name]) for scan in query.plan.scans], stop)


@contextmanager
def watched(pid: int) -> Iterator[list[int]]:
    """What a process has resident, again and again while the block lasts."""
    seen, is_over = [0], threading.Event()

    def watch() -> None:
        while not is_over.wait(0.002):
            seen.append(resident_bytes(pid))

    watching = threading.Thread(target=watch)
    watching.start()
    try:
        yield seen
    finally:
        is_over.set()
        watching.join()


def test_one_child_serves_one_query_after_the_other(engine: ChildEngine) -> None:
    child = the_child(engine)
    with pytest.raises(SqlError):
        run(engine, "SELECT nosuch(n) FROM scan_0")
    engine.close_idle()
    assert run(engine, "SELECT n FROM scan_0") == 3000
    assert child in children()
    engine.close()
    assert child not in children()


def test_a_child_knows_no_secret_and_has_no_file_of_ours(
    engine: ChildEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://u:secret@localhost/d")
    with Path(os.devnull).open() as inherited:
        os.set_inheritable(inherited.fileno(), True)  # noqa: FBT003  # the function takes no name
        child = the_child(engine)
        links = [str(path.readlink()) for path in Path(f"/proc/{child}/fd").iterdir()]
    assert b"secret" not in Path(f"/proc/{child}/environ").read_bytes()
    kinds = sorted(link.partition(":")[0] for link in links if not link.startswith("/"))
    assert kinds.count("socket") == 1
    assert links.count(os.devnull) <= 2, "standard output, perhaps errors"


def test_a_child_that_is_killed_is_an_error_that_a_retry_helps(engine: ChildEngine) -> None:
    child = the_child(engine)
    with engine.run(raw("SELECT * FROM range(10000000)"), [Numbers(1)]) as result:
        os.kill(child, signal.SIGKILL)
        with pytest.raises(QueryProcessDied, match="SIGKILL") as raised:
            list(result)
    assert raised.value.retryable
    assert child not in children()
    assert run(engine, "SELECT n FROM scan_0") == 3000


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSEGV])
def test_a_child_that_ends_while_it_idles_is_replaced(engine: ChildEngine, number: signal.Signals) -> None:
    child = the_child(engine)
    os.kill(child, number)
    wait_for_end(child)
    assert run(engine, "SELECT n FROM scan_0") == 3000
    assert child not in children()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_to_all_processes_leaves_the_query_to_its_parent(
    engine: ChildEngine, number: signal.Signals
) -> None:
    child = the_child(engine)
    with engine.run(raw("SELECT * FROM range(1000000)"), [Numbers(1)]) as result:
        os.kill(child, number)
        assert sum(batch.num_rows for batch in result) == 1_000_000
    assert child in children()


@pytest.mark.parametrize("sql", [ENDLESS, "SELECT n FROM scan_0"])
def test_a_child_ends_with_its_parent_wherever_it_is(sql: str) -> None:
    program = (
        "import sys\n"
        "from pathlib import Path\n"
        "from logdrain.query.duckdb.child_engine import ChildEngine\n"
        "from tests.contract.engine_scans import run\n"
        "engine = ChildEngine(128 * 1024 * 1024, 1, None)\n"
        "run(engine, 'SELECT n FROM scan_0')\n"
        "print(Path('/proc/thread-self/children').read_text().split()[0], flush=True)\n"
        "run(engine, sys.argv[1])\n"
        "print('idle', flush=True)\n"
        "sys.stdin.read()\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program, sql], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        if sql != ENDLESS:
            parent.stdout.readline()
        parent.kill()
        parent.communicate()
    wait_for_end(child)


def test_what_a_killed_query_has_spilled_is_removed(engine: ChildEngine, tmp_path: Path) -> None:
    stop = Stop()
    with pytest.raises(QueryTimeout), time_limit(stop, 0.5):
        run(engine, ENDLESS, stop=stop)
    assert list(tmp_path.iterdir()) == []


def test_queries_at_once_have_children_of_their_own_and_no_more_are_kept_than_may_be(
    engine: ChildEngine,
) -> None:
    before = children()
    with engine.run(raw("SELECT n FROM scan_0"), [Numbers(3)]) as result:
        assert run(engine, "SELECT n FROM scan_0") == 3000
        assert len(children() - before) == 2
        assert sum(batch.num_rows for batch in result) == 3000
    assert len(children() - before) == 1


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT SUM(LENGTH(TD_TIME_FORMAT(n, RPAD('y', 1000000, 'y')))) FROM many",
        "SELECT FORMAT('%2000000000d', 1)",
        "SELECT LENGTH(RPAD('a', 2000000000, 'b'))",
        "SELECT LENGTH(REPLACE(REPLACE(RPAD('a', 100000, 'a'), 'a', RPAD('b', 1000, 'b')), 'b', 'cccc'))",
        "SELECT LEVENSHTEIN_DISTANCE(a, b) FROM long",
        "SELECT TD_PARSE_USER_AGENT(agent) FROM long",
        f"SELECT TD_PARSE_USER_AGENT('{'x; (' * 250_000}')",
        "SELECT RPAD('a', 17000000, 'b')",
        "SELECT ARRAY_AGG(a.n) FROM many a CROSS JOIN many b",
    ],
)
def test_memory_and_time_of_a_query_hold(engine: ChildEngine, sql: str) -> None:
    child = the_child(engine)
    idle_bytes, stop = resident_bytes(child), Stop()
    with (
        watched(child) as peaks_bytes,
        pytest.raises((QueryMemoryExceeded, QueryTimeout)),
        time_limit(stop, TIMEOUT_S),
    ):
        run_over_tables(engine, sql, stop)
    assert max(peaks_bytes) - idle_bytes <= 1.5 * MEMORY_BYTES
    assert run(engine, "SELECT n FROM scan_0") == 3000
