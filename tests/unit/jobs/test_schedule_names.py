import pytest

from logdrain.errors import ScheduleError
from logdrain.jobs.schedule_names import check_schedule_name


@pytest.mark.parametrize("name", ["pay_hourly", "pay-2.hourly", "7", "\u58f2\u4e0a", "a" * 100])
def test_names(name: str) -> None:
    check_schedule_name(name)


@pytest.mark.parametrize("name", ["", " ", "bad name!", "a,b", "-n", ".a", "a:b", "a/b", "a\n", "a" * 101])
def test_what_is_no_name(name: str) -> None:
    with pytest.raises(ScheduleError, match="is no name of a schedule"):
        check_schedule_name(name)
