"""Folders that queries spill to."""

import os
import signal
import subprocess
import sys
from pathlib import Path

from logdrain.query.duckdb.spill_folder import open_spill_folder

_OWNER = """
import sys, signal
from pathlib import Path
from logdrain.query.duckdb.spill_folder import open_spill_folder
with open_spill_folder(Path(sys.argv[1])) as folder:
    (folder / "spilled").write_text("rows")
    print(folder, flush=True)
    signal.pause()
"""


def test_a_folder_goes_with_what_is_in_it(tmp_path: Path) -> None:
    with open_spill_folder(tmp_path) as folder:
        (folder / "spilled").write_text("rows")
    assert list(tmp_path.iterdir()) == []


def test_a_killed_process_leaves_its_folder_to_the_next(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", _OWNER, str(tmp_path)], stdout=subprocess.PIPE) as owner:
        assert owner.stdout is not None
        left = Path(owner.stdout.readline().decode().strip())
        with open_spill_folder(tmp_path) as other:
            assert left.joinpath("spilled").exists()  # its owner lives
            assert other != left
        os.kill(owner.pid, signal.SIGKILL)
        owner.wait()
    with open_spill_folder(tmp_path) as folder:
        assert list(tmp_path.iterdir()) == [folder]


def test_what_is_not_a_folder_of_ours_stays(tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    link = tmp_path / "logdrain-query-link"
    link.symlink_to(elsewhere)
    with open_spill_folder(tmp_path):
        pass
    assert link.is_symlink()
    assert elsewhere.is_dir()
