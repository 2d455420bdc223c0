"""Who Postgres runs as when the one who starts it is root."""

import os
import pwd
import shutil
import stat
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from logdrain.errors import SandboxServerFailed
from logdrain.sandbox import process_user
from logdrain.sandbox.folder_state import DataFolder
from logdrain.sandbox.postgres_server import PostgresServer

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root has to become another user")
programs_are_open = pytest.mark.skipif(
    any(not above.stat().st_mode & stat.S_IXOTH for above in Path(sys.prefix).resolve().parents),
    reason="the programs lie where only root may enter",
)


@pytest.fixture
def no_namespaces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process_user, "runs_as", lambda _user, _program: False)


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that everybody may enter, as pytest's own is not."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


def test_in_a_namespace_all_files_stay_roots(tmp_path: Path) -> None:
    server = PostgresServer(tmp_path / "server", durable=False)
    server.start()
    server.stop()
    assert {path.owner() for path in server.folder.rglob("*")} == {"root"}


@programs_are_open
@pytest.mark.usefixtures("no_namespaces")
def test_without_namespaces_it_runs_as_nobody(open_folder: Path) -> None:
    with DataFolder(open_folder / "data") as folder:
        folder.keys()
        for _ in range(2):
            server = PostgresServer(folder.postgres, durable=False)
            server.start()
            try:
                assert Path(f"/proc/{server.pid}").stat().st_uid == pwd.getpwnam("nobody").pw_uid
            finally:
                server.stop()
        assert folder.path.stat().st_mode & 0o777 == 0o701  # to pass through, not to list
        assert folder.postgres.stat().st_mode & 0o777 == 0o700
        assert (folder.path / "keys.json").owner() == "root"


@pytest.mark.usefixtures("no_namespaces")
def test_a_folder_that_nobody_may_enter_is_named(open_folder: Path) -> None:
    (open_folder / "private").mkdir(mode=0o700)
    with pytest.raises(SandboxServerFailed) as caught:
        PostgresServer(open_folder / "private" / "server").start()
    assert f"may not enter {open_folder / 'private'}" in caught.value.located
    assert "DATABASE_URL" in caught.value.hint


@programs_are_open
@pytest.mark.usefixtures("no_namespaces")
def test_a_folder_that_cannot_be_given_away_is_named(
    open_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_path: Path, _uid: int, _gid: int) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "chown", refuse)
    with pytest.raises(SandboxServerFailed, match=r"cannot be given to user .*: Operation not permitted"):
        PostgresServer(open_folder / "server").start()


@programs_are_open
def test_a_folder_of_an_ordinary_user_stays_theirs(open_folder: Path) -> None:
    folder = open_folder / "server"
    folder.mkdir(mode=0o700)
    owner = pwd.getpwnam("daemon")
    os.chown(folder, owner.pw_uid, owner.pw_gid)
    server = PostgresServer(folder, durable=False)
    server.start()
    server.stop()
    assert {path.owner() for path in (folder / "data").rglob("*")} == {"daemon"}
