"""What sched:create and sched:update share: how words become fields of a schedule."""

import argparse
from collections.abc import Callable
from typing import Any, NamedTuple

from logdrain.errors import LogdrainError
from logdrain.model.jobs import CatchUp

_COUNT_MAX = 100_000
_SECONDS_MAX = 2**31 - 1  # what the ledger's columns hold


class _Option(NamedTuple):
    """An option that is a field of `Schedule`; `read` makes its value."""

    field: str
    words: tuple[str, ...]
    metavar: str | None
    read: Callable[[str], Any]
    help: str


def add_changeable(parser: argparse.ArgumentParser) -> None:
    """Declare what both take; what is not given is left out of the arguments."""
    for option in _OPTIONS:
        parser.add_argument(
            *option.words,
            dest=option.field,
            metavar=option.metavar,
            type=_checked(option.read),
            default=argparse.SUPPRESS,
            help=option.help,
        )


def given(arguments: argparse.Namespace) -> dict[str, Any]:
    """Fields of a schedule that were given, as `Schedule` takes them."""
    fields = (option.field for option in _OPTIONS)
    return {field: getattr(arguments, field) for field in fields if hasattr(arguments, field)}


def _checked(read: Callable[[str], Any]) -> Callable[[str], Any]:
    """A reader whose complaint argparse prints."""

    def read_or_complain(text: str) -> Any:
        try:
            return read(text)
        except (LogdrainError, ValueError) as error:
            raise argparse.ArgumentTypeError(str(error)) from error

    return read_or_complain


def _seconds(text: str) -> int:
    from logdrain.jobs.option_values import duration_s

    seconds = duration_s(text)
    if seconds is None or seconds > _SECONDS_MAX:
        raise ValueError(f"{text!r} is no duration: write seconds, or 10m, 1h30m, 1d")
    return seconds


def _count(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and int(text) <= _COUNT_MAX):
        raise ValueError(f"{text!r} is no whole number from 0 to {_COUNT_MAX}")
    return int(text)


def _priority(text: str) -> int:
    from logdrain.jobs.option_values import PRIORITY_HINT, read_priority

    priority = read_priority(text)
    if priority is None:
        raise ValueError(f"{text!r} is no priority: {PRIORITY_HINT}")
    return priority


def _notify_url(text: str) -> str:
    from logdrain.model.notices import check_notify_url

    if text:
        check_notify_url(text)
    return text


def _names(text: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for part in text.split(",") if (name := part.strip())))


def _catch_up(text: str) -> CatchUp:
    try:
        return CatchUp(text)
    except ValueError as error:
        raise ValueError(f"{text!r} is none of {', '.join(CatchUp)}") from error


_OPTIONS = (
    _Option("timezone", ("-t", "--timezone"), None, str, "IANA time zone (default: UTC)"),
    _Option(
        "delay_s",
        ("-D", "--delay"),
        "S",
        _seconds,
        "run so long after the scheduled time: 600, 10m (default: 0)",
    ),
    _Option(
        "after",
        ("--after",),
        "NAME[,NAME]",
        _names,
        "run a slice only when these schedules have no open slice up to its time; '' for none",
    ),
    _Option(
        "result",
        ("-r", "--result"),
        None,
        str,
        "NAME:table?options, or the URL of a table: postgres://…, file:///…",
    ),
    _Option(
        "priority", ("-P", "--priority"), "P", _priority, "-2 to 2, or very-low to very-high (default: 0)"
    ),
    _Option("retry_limit", ("-R", "--retry"), "N", _count, "retries of what fails in passing (default: 5)"),
    _Option(
        "catch_up",
        ("--catch-up",),
        "{all,latest,none}",
        _catch_up,
        "which slices to make up that were missed while no worker ran (default: all)",
    ),
    _Option("catch_up_max", ("--catch-up-max",), "N", _count, "at most so many (default: 1000)"),
    _Option(
        "late_s",
        ("--late",),
        "S",
        _seconds,
        "so long slices run again when events come late: 3d; 0 never (default: 24h)",
    ),
    _Option(
        "timeout_s",
        ("--timeout",),
        "S",
        _seconds,
        "how long a run's query may take: 30m (default: LOGDRAIN_QUERY_TIMEOUT_S)",
    ),
    _Option(
        "notify",
        ("--notify",),
        "URL",
        _notify_url,
        "where failures are told (default: LOGDRAIN_NOTIFY_URL)",
    ),
)
