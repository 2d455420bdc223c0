"""Reads job files."""

from collections.abc import Sequence
from pathlib import Path

from logdrain.errors import JobFileInvalid
from logdrain.model.jobs import Job
from logdrain.schedule.jobfile import HINT, read_job


def load_jobs(paths: Sequence[Path]) -> list[Job]:
    """The jobs of these files, and of all `*.toml` files of these folders, in order of name.

    A job's `source` is `<folder>/<file>` without what is above the folder: the same wherever the
    program is started.

    Raises:
        JobFileInvalid: One of the paths is not there; or all that is wrong in all of the files.
    """
    jobs: list[Job] = []
    wrong: list[str] = []
    for path in paths:
        if not path.exists():
            raise JobFileInvalid(f"{path} is not there", hint="name job files, or a folder with job files")
        for file in sorted(path.glob("*.toml")) if path.is_dir() else [path]:
            try:
                jobs.append(_load(file))
            except JobFileInvalid as error:
                wrong.append(error.message)
    if wrong:
        raise JobFileInvalid("; ".join(wrong), hint=HINT)
    return jobs


def _load(path: Path) -> Job:
    def read_sql(name: str) -> str:
        return (path.parent / name).read_text(encoding="utf-8")

    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise JobFileInvalid(f"{path}:{line}: not UTF-8", hint=HINT) from error
    except OSError as error:
        raise JobFileInvalid(f"{path}:1: {error.strerror or 'cannot be read'}", hint=HINT) from error
    return read_job(text, str(path), f"{path.parent.resolve().name}/{path.name}", read_sql)
