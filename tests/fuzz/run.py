"""Looks for octets that break a promise, guided by what code they reach.

    python tests/fuzz/run.py SECONDS [TARGET ...]

Each target begins with its corpus and runs in a process of its own. What breaks it is written to
tests/fuzz/found/ and printed; make it small, keep it in tests/fuzz/corpus/, then mend the code.
"""

import argparse
import importlib
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

FOLDER = Path(__file__).parent
ROOT = FOLDER.parents[1]
_INPUT_SIZE_MAX_BYTES = 4096
_ONE_INPUT_WITHIN_S = 10


def main() -> int:
    """Run the targets one after the other; exit status 1 where one was broken."""
    parser = argparse.ArgumentParser(description="Fuzz, guided by coverage.")
    parser.add_argument("seconds", type=int, help="how long each target runs")
    parser.add_argument("targets", nargs="*", metavar="TARGET")
    parser.add_argument("--one", metavar="TARGET", help=argparse.SUPPRESS)
    arguments, more = parser.parse_known_args()
    sys.path.insert(0, str(ROOT))
    if arguments.one:
        _fuzz(arguments.one, more)
    known = sorted(folder.name for folder in (FOLDER / "corpus").iterdir())
    broken = [name for name in arguments.targets or known if _run(name, arguments.seconds) != 0]
    print(f"broken: {', '.join(broken)}" if broken else "nothing was found")
    return 1 if broken else 0


def _run(name: str, seconds: int) -> int:
    print(f"--- {name}", flush=True)
    found = FOLDER / "found"
    found.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as grown:
        shutil.copytree(FOLDER / "corpus" / name, grown, dirs_exist_ok=True)
        words = [
            f"-max_total_time={seconds}",
            f"-max_len={_INPUT_SIZE_MAX_BYTES}",
            f"-timeout={_ONE_INPUT_WITHIN_S}",
            f"-artifact_prefix={found}/{name}-",
            "-rss_limit_mb=2048",
            "-print_final_stats=1",
            "-verbosity=1",
            grown,
        ]
        return subprocess.run(  # this very file
            [sys.executable, __file__, str(seconds), "--one", name, *words], cwd=ROOT, check=False
        ).returncode


def _fuzz(name: str, words: list[str]) -> None:
    atheris = importlib.import_module("atheris")  # only in the fuzzer's own environment
    with atheris.instrument_imports(include=["logdrain"]):
        targets = importlib.import_module("tests.fuzz.targets")
    atheris.Setup([sys.argv[0], *words], targets.TARGETS[name])
    atheris.Fuzz()


if __name__ == "__main__":
    sys.exit(main())
