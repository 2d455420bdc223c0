"""Deliveries to spool, and all that a spool gives back."""

import stat
from pathlib import Path

from logdrain.model.events import Delivery
from logdrain.model.spool import Spooled, SpooledEntry
from logdrain.spool.folder_spool import FolderSpool


def one(number: int, size: int = 100) -> Spooled:
    return Spooled(Delivery("app", f"delivery-{number}", "d.token", number), bytes([number % 251]) * size, "")


async def read_all(spool: FolderSpool, size_max_bytes: int = 100_000) -> list[SpooledEntry]:
    entries: list[SpooledEntry] = []
    while found := await spool.read(entries[-1] if entries else None, size_max_bytes):
        entries += found
    return entries


async def deliveries(spool: FolderSpool) -> list[Spooled | None]:
    return [entry.spooled for entry in await read_all(spool)]


def segment_paths(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.spool"))


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir()) if folder.exists() else []


def modes(folder: Path) -> list[int]:
    """Of the folder and its files."""
    return [stat.S_IMODE(path.stat().st_mode) for path in (folder, *folder.iterdir())]


def put(path: Path, octets: bytes) -> None:
    """Write a file and, where there is none, its folder."""
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(octets)
