"""The life of both servers, with the real programs."""

import contextlib
import os
import select
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pymongo
import pytest

from logdrain.errors import NotRunning, SandboxFolderBroken, SandboxServerFailed
from logdrain.sandbox.mongo_server import MongoServer
from logdrain.sandbox.postgres_server import PostgresServer
from logdrain.sandbox.process_server import SandboxServer

MakeServer = Callable[[Path], SandboxServer]
PATIENCE_S = 30.0


def make_postgres(folder: Path) -> PostgresServer:
    return PostgresServer(folder, durable=False)


both_servers = pytest.mark.parametrize("make", [MongoServer, make_postgres], ids=["mongodb", "postgres"])


@contextlib.contextmanager
def started(server: SandboxServer) -> Iterator[SandboxServer]:
    try:
        server.start()
        yield server
    finally:
        server.stop()


def write_row(uri: str) -> None:
    if uri.startswith("mongodb:"):
        with pymongo.MongoClient[dict[str, object]](uri) as client:
            client.get_default_database()["kept"].insert_one({"_id": 1})
    else:
        with psycopg.connect(uri) as connection:
            connection.execute("CREATE TABLE kept AS SELECT 1 AS id")


def has_row(uri: str) -> bool:
    if uri.startswith("mongodb:"):
        with pymongo.MongoClient[dict[str, object]](uri) as client:
            return client.get_default_database()["kept"].count_documents({}) == 1
    with psycopg.connect(uri) as connection:
        return connection.execute("SELECT id FROM kept").fetchall() == [(1,)]


def ends_within(pid: int, patience_s: float) -> bool:
    try:
        process = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        return bool(select.select([process], [], [], patience_s)[0])
    finally:
        os.close(process)


def is_running(pid: int) -> bool:
    return not ends_within(pid, 0)


@both_servers
def test_a_restart_keeps_data_and_uri(make: MakeServer, tmp_path: Path) -> None:
    with started(make(tmp_path / "server")) as server:
        uri, pid = server.uri, server.pid
        write_row(uri)
    assert not is_running(pid)
    with started(make(tmp_path / "server")) as server:
        assert server.uri == uri
        assert has_row(uri)


@both_servers
def test_starting_and_stopping_twice_is_the_same_as_once(make: MakeServer, tmp_path: Path) -> None:
    with started(make(tmp_path / "server")) as server:
        pid = server.pid
        server.start()
        assert server.pid == pid
    server.stop()
    with pytest.raises(NotRunning):
        server.poll()
    with pytest.raises(NotRunning):
        _ = server.uri


@both_servers
def test_a_taken_port_makes_it_move_and_stay_there(make: MakeServer, tmp_path: Path) -> None:
    with started(make(tmp_path / "server")) as server:
        old_port = server.port
        write_row(server.uri)
    with socket.create_server(("127.0.0.1", old_port)), started(make(tmp_path / "server")) as server:
        new_port = server.port
        assert new_port != old_port
        assert has_row(server.uri)
    with started(make(tmp_path / "server")) as server:
        assert server.port == new_port


def test_two_pairs_at_once(tmp_path: Path) -> None:
    makes: list[MakeServer] = [MongoServer, make_postgres, MongoServer, make_postgres]
    servers = [make(tmp_path / str(number)) for number, make in enumerate(makes)]
    try:
        with ThreadPoolExecutor() as threads:
            for starting in [threads.submit(server.start) for server in servers]:
                starting.result()
        # The threads that started them have ended; the servers go on.
        for server in servers:
            write_row(server.uri)
            server.check()
        assert len({server.port for server in servers}) == len(servers)
    finally:
        for server in servers:
            server.stop()


@both_servers
def test_a_server_left_behind_is_stopped_first(make: MakeServer, tmp_path: Path) -> None:
    with started(make(tmp_path / "server")) as orphan:
        write_row(orphan.uri)
        with started(make(tmp_path / "server")) as server:
            assert orphan.poll() is not None
            assert server.uri
            assert has_row(server.uri)


@both_servers
def test_a_recorded_pid_that_is_a_stranger_is_left_alone(make: MakeServer, tmp_path: Path) -> None:
    folder = tmp_path / "server"
    folder.mkdir()
    with subprocess.Popen(["sleep", "60"]) as stranger:
        (folder / "pid").write_text(f"{stranger.pid}\n")
        with started(make(folder)):
            assert stranger.poll() is None
        stranger.kill()


PARENT = """
import sys, time
from pathlib import Path
from logdrain.sandbox.mongo_server import MongoServer
from logdrain.sandbox.postgres_server import PostgresServer
servers = [MongoServer(Path(sys.argv[1], "m")), PostgresServer(Path(sys.argv[1], "p"))]
for server in servers:
    server.start()
print(*(server.pid for server in servers), flush=True)
sys.stdin.read()
"""


def test_kill_9_of_the_parent_leaves_nothing_running(tmp_path: Path) -> None:
    command = [sys.executable, "-c", PARENT, str(tmp_path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        pids = [int(pid) for pid in parent.stdout.readline().split()]
        assert len(pids) == 2
        assert all(map(is_running, pids))
        parent.send_signal(signal.SIGKILL)
    assert all(ends_within(pid, PATIENCE_S) for pid in pids)
    for make, name in ((MongoServer, "m"), (make_postgres, "p")):
        with started(make(tmp_path / name)) as server:
            server.check()


@both_servers
def test_a_server_that_stops_by_itself_is_told_of(make: MakeServer, tmp_path: Path) -> None:
    with started(make(tmp_path / "server")) as server:
        os.kill(server.pid, signal.SIGTERM)
        assert ends_within(server.pid, PATIENCE_S)
        with pytest.raises(SandboxServerFailed, match=r"stopped by itself.*log ends with: "):
            server.check()
        server.start()
        server.check()


def break_postgres(data: Path) -> None:
    (data / "PG_VERSION").write_text("9\n")


def break_mongodb(data: Path) -> None:
    (data / "storage.bson").write_bytes(b"junk")


@pytest.mark.parametrize(
    ("make", "damage", "reason"),
    [
        (MongoServer, break_mongodb, "Unable to read the storage engine metadata file"),
        (make_postgres, break_postgres, "database files are incompatible with server"),
    ],
)
def test_a_server_that_dies_at_start_shows_why(
    make: MakeServer, damage: Callable[[Path], None], reason: str, tmp_path: Path
) -> None:
    with started(make(tmp_path / "server")):
        pass
    damage(tmp_path / "server" / "data")
    with pytest.raises(SandboxServerFailed, match="stopped while it started") as caught:
        make(tmp_path / "server").start()
    assert reason in caught.value.located
    assert str(tmp_path / "server" / "log") in caught.value.hint


def test_half_made_postgres_data_is_made_again(tmp_path: Path) -> None:
    draft = tmp_path / "server" / "data.new"
    draft.mkdir(parents=True)
    (draft / "PG_VERSION").write_text("18\n")
    with started(make_postgres(tmp_path / "server")) as server:
        write_row(server.uri)
    assert not draft.exists()


def test_a_killed_initdb_leaves_no_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    programs = tmp_path / "programs"
    programs.mkdir()
    (programs / "postgres").symlink_to("/bin/true")
    (programs / "initdb").write_text('#!/bin/sh\nmkdir "$2"; echo half; kill -9 $$\n')
    (programs / "initdb").chmod(0o755)
    with monkeypatch.context() as patch:
        patch.setattr("logdrain.sandbox.postgres_server.find_postgres", lambda: programs)
        with pytest.raises(SandboxServerFailed, match=r"initdb ended with exit status -9; .*: half"):
            make_postgres(tmp_path / "server").start()
    assert (tmp_path / "server" / "data.new").is_dir()
    with started(make_postgres(tmp_path / "server")) as server:
        write_row(server.uri)


def test_half_made_mongodb_data_is_made_again(tmp_path: Path) -> None:
    data = tmp_path / "server" / "data"
    data.mkdir(parents=True)
    (tmp_path / "server" / "unfinished").touch()
    (data / "storage.bson").write_bytes(b"junk")
    with started(MongoServer(tmp_path / "server")) as server:
        write_row(server.uri)
    with started(MongoServer(tmp_path / "server")) as server:
        assert has_row(server.uri)


def test_a_stale_lock_file_of_postgres_does_not_stop_it(tmp_path: Path) -> None:
    with started(make_postgres(tmp_path / "server")):
        pass
    # As after a reboot: the pid in it is another program's now.
    (tmp_path / "server" / "data" / "postmaster.pid").write_text(f"{os.getppid()}\n")
    with started(make_postgres(tmp_path / "server")) as server:
        server.check()


def test_lost_password(tmp_path: Path) -> None:
    with started(make_postgres(tmp_path / "server")):
        pass
    (tmp_path / "server" / "password").unlink()
    with pytest.raises(SandboxFolderBroken, match="no password"):
        make_postgres(tmp_path / "server").start()


def test_secrets_are_private(tmp_path: Path) -> None:
    with started(make_postgres(tmp_path / "server")) as server:
        assert server.folder.stat().st_mode & 0o777 == 0o700
        assert (server.folder / "password").stat().st_mode & 0o777 == 0o600
        wrong = server.uri.replace("://logdrain:", "://logdrain:wrong")
        with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
            psycopg.connect(wrong)
