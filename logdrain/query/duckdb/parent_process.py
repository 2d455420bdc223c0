"""A child process ends with its parent: its standard input is a pipe that nobody writes to."""

import fcntl
import os
import signal
import sys


def end_with_parent() -> None:
    """Nothing but the parent, its end, and SIGKILL ends this process: a dyno's SIGTERM goes to all."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_IGN)
    stdin = sys.stdin.fileno()
    # SIGIO ends a process; it comes when the other end of the pipe is closed.
    fcntl.fcntl(stdin, fcntl.F_SETOWN, os.getpid())
    fcntl.fcntl(stdin, fcntl.F_SETFL, fcntl.fcntl(stdin, fcntl.F_GETFL) | os.O_ASYNC)
