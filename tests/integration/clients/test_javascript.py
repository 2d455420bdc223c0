"""The JavaScript client's own tests, by Node's runner."""

import shutil
import subprocess
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[3] / "clients" / "js"


def test_the_tests_of_the_javascript_client_pass() -> None:
    node = shutil.which("node")
    if node is None:
        pytest.skip("there is no node")
    major = subprocess.run([node, "--version"], capture_output=True, text=True, check=True).stdout
    if int(major.lstrip("v").partition(".")[0]) < 18:
        pytest.skip(f"node {major.strip()} has no test runner; 18 has")
    command = [node, "--test", *map(str, sorted((FOLDER / "test").glob("*.test.js")))]
    done = subprocess.run(command, cwd=FOLDER, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
