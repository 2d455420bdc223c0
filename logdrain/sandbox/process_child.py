"""The first program of every child process: it ties the child to its parent's life, then becomes the server.

    python -I -S process_child.py PARENT_PID SIGNAL USER PROGRAM [ARGUMENT ...]

USER is `same`, `UID:GID`, or `namespace:UID` (what it sees itself as, in a user namespace of its own).
A program rather than a `preexec_fn`: running Python between fork and exec may deadlock where threads run.
Standard library only, and little of it, to start quickly. Source: prctl(2), user_namespaces(7).
"""

import ctypes
import os
import sys
from pathlib import Path

_PR_SET_PDEATHSIG = 1
_CLONE_NEWUSER = 0x10000000
_NO_NAMESPACE = 71  # exit status; EX_OSERR of sysexits.h
_libc = ctypes.CDLL(None, use_errno=True)


def main(arguments: list[str]) -> None:
    """Never returns: the process becomes the program, or exits."""
    parent_pid, signal_number, user, *command = arguments
    _become(user)
    # After the change of user, which would clear it; execve keeps it.
    _libc.prctl(_PR_SET_PDEATHSIG, int(signal_number), 0, 0, 0)
    if os.getppid() != int(parent_pid):  # the parent died before the line above
        sys.exit(0)
    os.execv(command[0], command)  # noqa: S606  # no shell is the point


def _become(user: str) -> None:
    kind, _, number = user.partition(":")
    if kind == "namespace":
        _enter_namespace(seen_as=int(number))
    elif kind != "same":
        os.setgroups([])
        os.setgid(int(number))
        os.setuid(int(kind))


def _enter_namespace(seen_as: int) -> None:
    """Map this very user, and no other, to another id: its files stay its own, nobody else gains."""
    uid, gid = os.geteuid(), os.getegid()
    if _libc.unshare(_CLONE_NEWUSER) != 0:
        sys.exit(_NO_NAMESPACE)
    maps = (
        ("setgroups", "deny"),
        ("uid_map", f"{seen_as} {uid} 1"),
        ("gid_map", f"{seen_as} {gid} 1"),
    )
    try:
        for name, text in maps:
            Path("/proc/self", name).write_text(text, encoding="ascii")
    except OSError:
        sys.exit(_NO_NAMESPACE)


if __name__ == "__main__":
    main(sys.argv[1:])
