"""Who a server runs as that refuses to run as root. Postgres does: it says so and exits.

The first choice is a user namespace: the server sees itself as an ordinary user, files stay root's,
no account is made and no permission widened. Where those are refused (some containers): `nobody`.
"""

import os
import pwd
import signal
import stat
import subprocess
from pathlib import Path

from logdrain.errors import SandboxServerFailed
from logdrain.sandbox.folder_state import is_data_folder
from logdrain.sandbox.process_server import child_command

_HINT = "run as an ordinary user, choose another folder with --data, or set DATABASE_URL to a server of yours"


def unprivileged_user(folder: Path, program: Path) -> str:
    """The user (as `process_child` reads it) that a program may run as, with `folder` as its own.

    Args:
        folder: An existing folder; handed to the user where that is another than the present one.
        program: An executable that knows `--version`.

    Raises:
        SandboxServerFailed: the present user is root, and no other may reach the folder or the program.
    """
    if os.geteuid() != 0:
        return "same"
    owner = folder.stat()
    if owner.st_uid != 0:  # made by an ordinary user, or by an earlier start as nobody
        uid, gid = owner.st_uid, owner.st_gid
    else:
        nobody = _unprivileged_account()
        uid, gid = nobody.pw_uid, nobody.pw_gid
        # initdb asks for the name of its user, so that the namespace shows it an id that has one.
        if runs_as(f"namespace:{uid}", program):
            return f"namespace:{uid}"
    for path in (folder, program):
        _require_way(path, uid, gid)
    try:
        _hand_over(folder, uid, gid)
    except OSError as error:
        raise SandboxServerFailed(
            f"Postgres does not run as root, and {folder} cannot be given to user {uid}: {error.strerror}",
            hint=_HINT,
        ) from error
    return f"{uid}:{gid}"


def runs_as(user: str, program: Path) -> bool:
    """Whether a program can run as this user (as `process_child` reads it) here."""
    command = child_command([str(program), "--version"], death_signal=signal.SIGKILL, user=user)
    probe = subprocess.run(command, capture_output=True, check=False)  # noqa: S603  # our own words
    return probe.returncode == 0


def _unprivileged_account() -> pwd.struct_passwd:
    accounts = [account for account in pwd.getpwall() if account.pw_uid != 0]
    if not accounts:
        raise SandboxServerFailed("Postgres does not run as root, and there is no other account", hint=_HINT)
    return next((account for account in accounts if account.pw_name == "nobody"), accounts[0])


def _require_way(path: Path, uid: int, gid: int) -> None:
    for above in reversed(path.parents):
        status = above.stat()
        if _may_pass(status, uid, gid):
            continue
        if not is_data_folder(above):
            raise SandboxServerFailed(
                f"Postgres does not run as root, and user {uid}, who should run it, may not enter {above}",
                hint=_HINT,
            )
        above.chmod(stat.S_IMODE(status.st_mode) | stat.S_IXOTH)  # to pass through, not to list


def _may_pass(status: os.stat_result, uid: int, gid: int) -> bool:
    if status.st_uid == uid:
        return bool(status.st_mode & stat.S_IXUSR)
    if status.st_gid == gid:
        return bool(status.st_mode & stat.S_IXGRP)
    return bool(status.st_mode & stat.S_IXOTH)


def _hand_over(folder: Path, uid: int, gid: int) -> None:
    os.chown(folder, uid, gid)
    for parent, folders, files in os.walk(folder):
        for name in (*folders, *files):
            os.chown(Path(parent, name), uid, gid, follow_symlinks=False)
