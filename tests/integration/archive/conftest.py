from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.archive.archive_world import ArchiveWorld, opened_archive


@pytest.fixture
def world(mongodb_uri: str, ledger_url: str, tmp_path: Path) -> Iterator[ArchiveWorld]:
    with opened_archive(mongodb_uri, ledger_url, tmp_path / "archive") as world:
        yield world
