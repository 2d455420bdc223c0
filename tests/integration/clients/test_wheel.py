"""What `pip install logdrain` gives: a client and `ship`, without any other package."""

import os
import shutil
import subprocess
import sys
import venv
from pathlib import Path

import pytest

from tests.integration.clients.events_server import events_server

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A virtual environment with the wheel alone."""
    folder = tmp_path_factory.mktemp("wheel")
    source = folder / "source"
    shutil.copytree(ROOT / "logdrain", source / "logdrain", ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet"]
    build = ["wheel", "--no-deps", "--no-build-isolation", "--no-index", "-w", str(folder), str(source)]
    subprocess.run([*pip, *build], check=True)
    [wheel] = folder.glob("*.whl")
    target = folder / "venv"
    venv.create(target, with_pip=False)
    subprocess.run([*pip, "--python", str(target), "install", "--no-index", str(wheel)], check=True)
    return target / "bin"


def run(environment: Path, *words: str, **variables: str) -> subprocess.CompletedProcess[str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "LOGDRAIN"))}
    return subprocess.run(
        [str(environment / words[0]), *words[1:]],
        env={**clean, **variables},
        cwd=environment,
        input="",
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_wheel_alone_sends_events(environment: Path) -> None:
    program = "import logdrain; logdrain.Client().track('a.b', {'n': 1})"
    with events_server() as server:
        done = run(
            environment, "python", "-c", program, LOGDRAIN_URL=server.url, LOGDRAIN_WRITE_KEY="k", DYNO=""
        )
        assert (done.returncode, done.stderr) == (0, "")
        assert server.names() == [1]


def test_the_wheel_alone_ships(environment: Path) -> None:
    done = run(environment, "logdrain", "ship", "--url", "http://127.0.0.1:1/logs")
    assert (done.returncode, done.stderr) == (0, "logdrain: 0 lines delivered\n")


@pytest.mark.parametrize("command", [["serve"], ["query", "SELECT 1"], ["tables"]], ids=" ".join)
def test_a_command_that_needs_more_says_what_to_install(environment: Path, command: list[str]) -> None:
    done = run(environment, "logdrain", *command, MONGODB_URI="mongodb://127.0.0.1:1/x")
    assert done.returncode == 1
    assert done.stderr.endswith("hint: pip install 'logdrain[server]'\n")
    assert "Traceback" not in done.stderr
