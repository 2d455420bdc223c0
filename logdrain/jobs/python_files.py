"""Runs Python job files, and finds the functions in them that are jobs.

A file is run anew whenever it is asked for, in a module of its own, so what it says is never out of date and
nothing of one run is left for the next. What goes wrong in it is its author's: named with file and line.
"""

import itertools
import sys
import traceback
import types
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from logdrain.errors import JobFailed, JobFailedTransient, JobFileInvalid, JobFileMissing, LogdrainError
from logdrain.log import mask
from logdrain.model.python_jobs import options_of

_numbers = itertools.count(1)
_TRANSIENT = (ConnectionError, TimeoutError)


@dataclass(frozen=True, slots=True)
class PythonFunction:
    """A function that is a job.

    Attributes:
        line: Where it begins, from 1.
        options: What `@logdrain.job` was given.
    """

    path: Path
    name: str
    line: int
    function: Callable[[Any], Any]
    options: Mapping[str, Any]


@contextmanager
def opened(path: Path) -> Iterator[list[PythonFunction]]:
    """The jobs of a file, in its order; its module is there while the block lasts.

    Raises:
        JobFileInvalid: it cannot be read, or what it does when it is run goes wrong.
    """
    text = read_text(path)
    module = types.ModuleType(f"_logdrain_job_{next(_numbers)}_{path.stem}")
    module.__file__ = str(path)
    sys.modules[module.__name__] = module
    try:
        try:
            exec(compile(text, str(path), "exec"), module.__dict__)  # noqa: S102  # that is what the file is for
        except (Exception, SystemExit) as error:
            raise JobFileInvalid(
                described(error, path),
                hint="the file is run to see its jobs: mind what stands outside of them",
            ) from error
        yield _functions(module, path)
    finally:
        del sys.modules[module.__name__]


def read_text(path: Path) -> str:
    """The text of a job file.

    Raises:
        JobFileInvalid: it is not there, or not UTF-8.
    """
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise JobFileInvalid(f"{path}:{line}: not UTF-8", hint="save it as UTF-8") from error
    except OSError as error:
        raise JobFileInvalid(f"{path}:1: {error.strerror or 'cannot be read'}") from error


def find_file(source: str, jobs_folder: Path) -> Path:
    """The file that a schedule came from, on this machine.

    Args:
        source: `<folder>/<file>`, as the ledger keeps it.
        jobs_folder: Where this worker has its job files.

    Raises:
        JobFileMissing: this worker has no such file.
    """
    parts = PurePosixPath(source).parts
    folder = jobs_folder.resolve()
    is_plain = len(parts) == len(("folder", "file")) and ".." not in parts and parts[0] != "/"
    candidates = [folder.parent.joinpath(*parts), folder / parts[-1], Path.cwd().joinpath(*parts)]
    for candidate in candidates if is_plain else []:
        if candidate.is_file():
            return candidate
    raise JobFileMissing(
        f"this worker has no {source}: it looked in {folder} and in {Path.cwd()}",
        hint="deploy the file with the worker; LOGDRAIN_JOBS_FOLDER says where the job files are",
    )


@contextmanager
def users_errors(path: Path) -> Iterator[None]:
    """Turn what a job's own code raises into an error with its place; ours pass unchanged.

    Raises:
        JobFailed: the code raised, or wanted to end the program.
        JobFailedTransient: it could not connect, or waited too long.
    """
    try:
        yield
    except LogdrainError:
        raise
    except (Exception, SystemExit) as error:
        of = JobFailedTransient if isinstance(error, _TRANSIENT) else JobFailed
        raise of(
            described(error, path), hint="mend the file; `logdrain sched:run` runs the slice again"
        ) from error


def described(error: BaseException, path: Path) -> str:
    """`jobs/pay.py:12: KeyError: 'price'`: the innermost line of the file itself, and what was raised."""
    frames = traceback.extract_tb(error.__traceback__)
    lines = [frame.lineno for frame in frames if frame.filename == str(path)]
    line = lines[-1] if lines else None
    if isinstance(error, SyntaxError) and error.filename == str(path):
        return f"{path}:{error.lineno or 1}: {type(error).__name__}: {error.msg}"
    text = mask(" ".join(str(error).split()))
    return f"{path}:{line or 1}: {type(error).__name__}" + (f": {text}" if text else "")


def _functions(module: types.ModuleType, path: Path) -> list[PythonFunction]:
    found = [
        PythonFunction(path, name, thing.__code__.co_firstlineno, thing, options)
        for name, thing in vars(module).items()
        if isinstance(thing, types.FunctionType) and (options := options_of(thing)) is not None
    ]
    return sorted(found, key=lambda function: function.line)
