"""When a disk is nearly full."""

import pytest

from logdrain.errors import DiskNearlyFull
from logdrain.model.disks import check_room

GIB = 1024**3


@pytest.mark.parametrize(("free_gib", "total_gib"), [(0.39, 8), (9, 1000), (0, 1), (-0.1, 4)])
def test_little_room(free_gib: float, total_gib: float) -> None:
    with pytest.raises(DiskNearlyFull, match=r"the disk is nearly full: .*% is free"):
        check_room("the disk", free_bytes=free_gib * GIB, total_bytes=total_gib * GIB)


@pytest.mark.parametrize(("free_gib", "total_gib"), [(0.41, 8), (11, 1000), (1, 1), (0, 0)])
def test_enough_room(free_gib: float, total_gib: float) -> None:
    check_room("the disk", free_bytes=free_gib * GIB, total_bytes=total_gib * GIB)
