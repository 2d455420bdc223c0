"""What a schedule may be called."""

import re

from logdrain.errors import ScheduleError

_SIZE_MAX = 100
_NAME = re.compile(r"\w[\w.-]*")


def check_schedule_name(name: str) -> None:
    """Check a new schedule's name: commands take it as a word, `--after` takes several with commas.

    Raises:
        ScheduleError: It is empty, longer than 100 characters, or has others than letters, digits, `_-.`.
    """
    if not _NAME.fullmatch(name) or len(name) > _SIZE_MAX:
        raise ScheduleError(
            f"{name!r} is no name of a schedule",
            hint=f"1 to {_SIZE_MAX} letters, digits, _ - and ., not - or . first",
        )
