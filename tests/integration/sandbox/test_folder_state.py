import json
import os
from pathlib import Path

import pytest

from logdrain.errors import SandboxFolderBroken, SandboxFolderBusy
from logdrain.model.keys import Scope
from logdrain.sandbox.folder_state import DataFolder, SandboxState, read_keys, read_state
from logdrain.sandbox.postgres_server import PostgresServer

STATE = SandboxState(
    pid=1,
    port=8080,
    drain="http://heroku:KEY@127.0.0.1:8080/logs",
    api="http://127.0.0.1:8080",
    postgres="postgresql://logdrain:SECRET@127.0.0.1:1/logdrain",
    mongodb="mongodb://127.0.0.1:2/logdrain",
)


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


def test_everything_in_it_is_private(tmp_path: Path) -> None:
    with DataFolder(tmp_path / "deep" / "data") as folder:
        folder.keys()
        folder.write_state(STATE)
        assert mode(folder.path) == 0o700
        assert {entry.name: mode(entry) for entry in folder.path.iterdir()} == dict.fromkeys(
            ["layout", "lock", "keys.json", "state.json"], 0o600
        )


def test_state_is_there_while_the_folder_is_held(tmp_path: Path) -> None:
    path = tmp_path / "data"
    assert read_state(path) is None
    with DataFolder(path) as folder:
        assert read_state(path) is None
        folder.write_state(STATE)
        assert read_state(path) == STATE
        assert set(json.loads((path / "state.json").read_text())) == {
            *("pid", "port", "drain", "api", "postgres", "mongodb"),
        }
    assert read_state(path) is None


def test_state_of_a_killed_process_is_none(tmp_path: Path) -> None:
    with DataFolder(tmp_path) as folder:
        folder.write_state(STATE)
        left_behind = (tmp_path / "state.json").read_text()
    (tmp_path / "state.json").write_text(left_behind)
    assert read_state(tmp_path) is None
    with DataFolder(tmp_path):
        assert read_state(tmp_path) is None


def test_state_does_not_print_its_secrets() -> None:
    assert "KEY" not in repr(STATE)
    assert "SECRET" not in repr(STATE)


def test_keys_are_made_once(tmp_path: Path) -> None:
    assert read_keys(tmp_path / "data") is None
    with DataFolder(tmp_path / "data") as folder:
        keys = folder.keys()
    assert set(keys) == set(Scope)
    assert len(set(keys.values())) == len(Scope)
    assert all(len(key) >= 32 for key in keys.values())
    with DataFolder(tmp_path / "data") as folder:
        assert folder.keys() == keys
    assert read_keys(tmp_path / "data") == keys


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", "null", '{"drain": "k"}'])
def test_damaged_keys_are_not_replaced(text: str, tmp_path: Path) -> None:
    with DataFolder(tmp_path) as folder:
        (tmp_path / "keys.json").write_text(text)
        with pytest.raises(SandboxFolderBroken, match=r"keys\.json is damaged"):
            folder.keys()


def test_a_second_user_is_told_of_the_first(tmp_path: Path) -> None:
    with DataFolder(tmp_path):
        with pytest.raises(SandboxFolderBusy, match=f"process {os.getpid()}"), DataFolder(tmp_path):
            pass
        with pytest.raises(SandboxFolderBusy), DataFolder(tmp_path):
            pass
    with DataFolder(tmp_path):
        pass


def test_servers_do_not_inherit_the_lock(tmp_path: Path) -> None:
    with DataFolder(tmp_path) as folder:
        server = PostgresServer(folder.postgres, durable=False)
        server.start()
    try:
        with DataFolder(tmp_path):
            server.check()
    finally:
        server.stop()


def test_a_folder_of_others_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").touch()
    with (
        pytest.raises(SandboxFolderBroken, match=r"no data folder of logdrain.*thesis\.txt"),
        DataFolder(tmp_path),
    ):
        pass
    assert [entry.name for entry in tmp_path.iterdir()] == ["thesis.txt"]


def test_a_folder_of_another_version_is_left_alone(tmp_path: Path) -> None:
    with DataFolder(tmp_path):
        pass
    (tmp_path / "layout").write_text("logdrain sandbox 99\n")
    with pytest.raises(SandboxFolderBroken, match="'logdrain sandbox 99'"), DataFolder(tmp_path):
        pass


def test_a_first_start_that_was_killed_early_may_go_on(tmp_path: Path) -> None:
    (tmp_path / "lock").write_text("123\n")
    (tmp_path / "layout.0123abcd.new").touch()
    with DataFolder(tmp_path) as folder:
        assert set(folder.keys()) == set(Scope)


def test_a_file_in_its_place(tmp_path: Path) -> None:
    (tmp_path / "data").touch()
    with pytest.raises(SandboxFolderBroken, match="File exists"), DataFolder(tmp_path / "data"):
        pass
