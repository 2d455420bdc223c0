"""A worker is killed at each step that puts a file in place: it is old or new, whole, and there once."""

import os
import signal
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pyarrow.parquet as pq
import pytest

from logdrain.model.jobs import Mode
from tests.integration.results.result_files import everything, target, write
from tests.integration.results.result_table import CLAIM, SLICE_S, as_stream, next_claim

STEPS = ("os.fsync", "os.rename", "os.unlink")
DEATHS_MIN = 6  # fsync: rows, mark, our folder, the result's; rename: mark, rows


def in_a_child(run: Callable[[], object]) -> bool:
    """Whether it ended alive; a child that dies takes its locks and descriptors with it."""
    child = os.fork()
    if child == 0:
        try:
            run()
        except BaseException:  # noqa: BLE001  # told by the status
            os._exit(1)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        assert os.WTERMSIG(status) == signal.SIGKILL
        return False
    assert os.WEXITSTATUS(status) == 0
    return True


def dying(last: int, *, after: bool) -> list[Any]:
    """Patches that kill the process before or after its step number `last`, counted over all of STEPS."""
    count = 0

    def mortal(step: Callable[..., Any]) -> Callable[..., Any]:
        def call(*words: Any, **options: Any) -> Any:
            nonlocal count
            count += 1
            if count == last and not after:
                os.kill(os.getpid(), signal.SIGKILL)
            said = step(*words, **options)
            if count == last:
                os.kill(os.getpid(), signal.SIGKILL)
            return said

        return call

    return [patch(name, mortal(getattr(sys.modules["os"], name.removeprefix("os.")))) for name in STEPS]


@pytest.mark.parametrize("mode", [Mode.APPEND, Mode.REPLACE])
@pytest.mark.parametrize("after", [False, True])
def test_a_kill_at_each_step(tmp_path: Path, mode: Mode, *, after: bool) -> None:
    deaths = 0
    for last in range(1, 20):
        root = tmp_path / str(last)
        root.mkdir()
        of = target(root, mode=mode)
        path = root / ("pay.parquet" if mode is Mode.REPLACE else "pay/20120301T000000Z.parquet")
        write(root, of, as_stream({"time": [SLICE_S], "run": [1]}))

        def run_and_die(of: Any = of, root: Path = root, last: int = last) -> None:
            for each in dying(last, after=after):
                each.start()
            write(root, of, as_stream({"time": [SLICE_S] * 2, "run": [2, 2]}), run_id=2)

        lived = in_a_child(run_and_die)
        assert pq.read_table(path).column("run").to_pylist() in ([[1], [2, 2]] if not lived else [[2, 2]])
        third = next_claim(replace(CLAIM, run_id=2))
        write(root, of, as_stream({"time": [SLICE_S], "run": [3]}), run_id=third.run_id, ran_before=True)
        assert pq.read_table(path).column("run").to_pylist() == [3]
        assert [name for name in everything(root) if name.endswith((".part", ".new"))] == []
        if lived:
            break
        deaths += 1
    assert deaths >= DEATHS_MIN
