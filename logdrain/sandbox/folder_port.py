"""A port on the loopback interface, remembered in a folder so that URLs survive a restart."""

import socket
from pathlib import Path

from logdrain.sandbox.folder_private import read_private, write_private

LOOPBACK = "127.0.0.1"
_PORT_FILE = "port"
_LARGEST_PORT = 65535


def choose_port(folder: Path) -> int:
    """The port remembered in the folder where it is free, else any free one."""
    remembered = _remembered_port(folder)
    if remembered is not None and is_free(remembered):
        return remembered
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        return int(probe.getsockname()[1])


def remember_port(folder: Path, port: int) -> None:
    """Keep the port for the next start."""
    write_private(folder / _PORT_FILE, f"{port}\n")


def is_free(port: int) -> bool:
    """Whether a server could listen on this loopback port now."""
    with socket.socket() as probe:
        # As servers do: connections of an earlier server that still linger do not count.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
    return True


def is_open(port: int) -> bool:
    """Whether somebody listens on this loopback port now."""
    with socket.socket() as probe:
        return probe.connect_ex((LOOPBACK, port)) == 0


def _remembered_port(folder: Path) -> int | None:
    text = (read_private(folder / _PORT_FILE) or "").strip()
    if not (text.isascii() and text.isdigit()):
        return None
    port = int(text)
    return port if 0 < port <= _LARGEST_PORT else None
