"""Reads job files, those in TOML and those in Python."""

from collections.abc import Sequence
from pathlib import Path

from logdrain.errors import JobFileInvalid
from logdrain.jobs.job_file import HINT, read_job, read_python_job
from logdrain.jobs.python_files import opened, read_text
from logdrain.model.job_files import Job

_PYTHON = ".py"


def load_jobs(paths: Sequence[Path]) -> list[Job]:
    """The jobs of these files, and of all `*.toml` and `*.py` files of these folders, in order of name.

    A schedule that others run after comes before them. In a folder, Python files whose name begins with `_`
    are left out: they have what jobs share.

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
        for file in job_files(path) if path.is_dir() else [path]:
            try:
                jobs += _load_python(file) if file.suffix == _PYTHON else [_load(file)]
            except JobFileInvalid as error:
                wrong += error.reasons
    if wrong:
        raise JobFileInvalid(*wrong, hint=HINT)
    return first_things_first(jobs)


def job_files(folder: Path) -> list[Path]:
    """The job files of a folder, in order of name."""
    return sorted(
        file
        for file in folder.iterdir()
        if file.suffix == ".toml" or (file.suffix == _PYTHON and not file.name.startswith("_"))
    )


def first_things_first(jobs: Sequence[Job]) -> list[Job]:
    """The same jobs, each after those that it runs after; those of a circle as they come."""
    waiting = {job.schedule.name: job for job in jobs}
    ordered: list[Job] = []

    def take(job: Job) -> None:
        if waiting.pop(job.schedule.name, None) is None:
            return
        for name in job.schedule.after:
            if name in waiting:
                take(waiting[name])
        ordered.append(job)

    for job in jobs:
        take(job)
    return ordered


def _load_python(path: Path) -> list[Job]:
    text = read_text(path)
    source = _source(path)
    with opened(path) as functions:
        jobs = [
            read_python_job(job.name, job.options, text, path=str(path), line=job.line, source=source)
            for job in functions
        ]
    if not jobs:
        raise JobFileInvalid(f"{path}:1: no function has @logdrain.job", hint=HINT)
    return jobs


def _source(path: Path) -> str:
    return f"{path.parent.resolve().name}/{path.name}"


def _load(path: Path) -> Job:
    def read_sql(name: str) -> str:
        return (path.parent / name).read_text(encoding="utf-8")

    return read_job(read_text(path), str(path), _source(path), read_sql)
