from collections.abc import Iterator

import pytest

from tests.e2e.running_up import Up, running_up


@pytest.fixture(scope="module")
def up(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Up]:
    with running_up(tmp_path_factory.mktemp("up") / "data", LOGDRAIN_LEASE_S="2") as found:
        yield found
