import os
import signal
import socket
import subprocess
from pathlib import Path

from tests.e2e.running_up import LOGDRAIN, Up, await_condition, free_environment, running_up


def processes_of(folder: Path) -> list[str]:
    """Command lines that name the folder."""
    found = []
    for command in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = command.read_bytes().replace(b"\0", b" ").decode()
        except OSError:
            continue
        if str(folder) in words:
            found.append(words)
    return found


def send(up: Up, line: str) -> None:
    up.run("ship", stdin=line.encode() + b"\n")


def count(up: Up) -> int:
    return int(up.json("query", "--format", "json", "SELECT COUNT(*) AS n FROM a.b")[0]["n"])


def start(*words: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [LOGDRAIN, "up", *words],
        env=free_environment(**environment),
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def test_a_restart_keeps_everything_and_a_stop_leaves_nothing(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    with running_up(folder) as first:
        send(first, '@[a.b] {"x":1}')
        urls = first.urls
        second = start("--port", "0", "--data", str(folder))
        assert second.returncode == 1
        assert f"in use by process {first.process.pid}" in second.stderr
        assert first.stop() == 0
    assert processes_of(folder) == []
    port = urls["api"].rpartition(":")[2]
    with running_up(folder, "--port", port) as again:
        assert again.urls == urls
        assert count(again) == 1
        # Whoever dies is started again, and what was acknowledged is there.
        send(again, '@[a.b] {"x":2}')
        [serving] = again.children("serve")
        os.kill(serving, signal.SIGKILL)
        await_condition(lambda: again.children("serve") not in ([], [serving]), "the drain runs again")
        send(again, '@[a.b] {"x":3}')
        assert count(again) == 3
        again.process.kill()
        again.process.wait()
        await_condition(lambda: processes_of(folder) == [], "nothing is left running")
    with running_up(folder) as last:
        assert count(last) == 3


def test_a_port_in_use(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("0.0.0.0", 0))  # noqa: S104  # where up listens
        taken.listen()
        port = taken.getsockname()[1]
        done = start("--port", str(port), "--data", str(tmp_path / "data"))
    assert done.returncode == 1
    assert done.stderr.splitlines()[0].startswith(f"logdrain: port {port} ")
    assert "--port" in done.stderr.splitlines()[1]


def test_it_is_for_this_machine_only_unless_told_otherwise(up: Up) -> None:
    port = int(up.urls["api"].rpartition(":")[2])
    for host in ("127.0.0.1", "::1"):
        socket.create_connection((host, port)).close()
    listening = Path("/proc/net/tcp").read_text() + Path("/proc/net/tcp6").read_text()
    addresses = {
        line.split()[1].rpartition(":")[0] for line in listening.splitlines() if f":{port:04X} 0000" in line
    }
    assert addresses == {"0100007F", "00000000000000000000000001000000"}


def test_a_host_that_is_named(tmp_path: Path) -> None:
    with running_up(tmp_path / "data", "--port", "0", "--host", "::") as named:
        assert named.urls["api"].startswith("http://[::1]:")
        send(named, '@[a.b] {"x":1}')
        assert count(named) == 1


def test_a_folder_that_is_not_ours(tmp_path: Path) -> None:
    (tmp_path / "letter.txt").write_text("dear")
    done = start("--port", "0", "--data", str(tmp_path))
    assert done.returncode == 1
    assert "letter.txt" in done.stderr
    assert (tmp_path / "letter.txt").read_text() == "dear"


def test_wrong_settings_are_told_before_anything_starts(tmp_path: Path) -> None:
    done = start("--data", str(tmp_path / "data"), PORT="http", LOGDRAIN_LEASE_S="0")
    assert done.returncode == 1
    assert "PORT" in done.stderr
    assert "LOGDRAIN_LEASE_S" in done.stderr
    assert not (tmp_path / "data").exists()


def test_commands_without_servers_say_what_to_do(tmp_path: Path) -> None:
    for words in (["tables"], ["query", "SELECT 1 AS x FROM a.b"], ["urls"], ["sched:list"], ["ship"]):
        done = subprocess.run(
            [LOGDRAIN, *words, "--data", str(tmp_path)],
            env=free_environment(),
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 1
        assert "logdrain up" in done.stderr, words
