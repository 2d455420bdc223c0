"""The program: `logdrain COMMAND …`. Exit status 0 done, 1 failed, 2 the words are off, 70 a defect."""

import argparse
import errno
import importlib
import os
import signal
import sys
import traceback
from contextlib import suppress
from importlib.metadata import version
from io import TextIOWrapper
from pathlib import Path

from logdrain import log
from logdrain.cli import commands
from logdrain.cli.words import WordsParser
from logdrain.errors import LogdrainError, UsageError
from logdrain.model.names import nearest_hint

_DEFECT_STATUS = 70  # EX_SOFTWARE of sysexits.h
_DISK_FULL = frozenset({errno.ENOSPC, errno.EDQUOT})
# What the extra `server` brings. Without it the client and `ship` work, and nothing else.
_SERVER_MODULES = frozenset(
    {"aiohttp", "bson", "croniter", "duckdb", "msgspec", "prometheus_client", "psycopg", "pyarrow"}
    | {"pymongo", "pymongoarrow", "regex", "rich", "sqlglot"}
)
_SERVERS = frozenset({"up", "serve", "work"})


def main() -> None:
    """Run the command that the process was started with."""
    _open_output()
    sys.exit(run(sys.argv[1:]))


def _open_output() -> None:
    """What goes to programs is UTF-8, whatever the terminal speaks; where STDOUT is closed, nobody reads."""
    if sys.stdout is None:
        sys.stdout = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115  open to the end
    elif isinstance(sys.stdout, TextIOWrapper) and sys.stdout.isatty():
        sys.stdout.reconfigure(errors="backslashreplace")
    elif isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(encoding="utf-8")


def run(words: list[str]) -> int:
    """Run a command; errors become two lines on STDERR."""
    try:
        return _dispatch(words)
    except LogdrainError as error:
        with suppress(BrokenPipeError):  # nobody reads what was printed before
            sys.stdout.flush()
        sys.stderr.write(f"logdrain: {log.printable(log.mask(error.located))}\n")
        if error.hint:
            sys.stderr.write(f"hint: {log.printable(log.mask(error.hint))}\n")
        return error.exit_status
    except KeyboardInterrupt:
        return 128 + signal.SIGINT
    except OSError as error:
        return _not_written(error, words)
    except Exception as error:  # noqa: BLE001  # a defect of ours: who meets it needs a line, not our stack
        return _not_done(error, words)


def _not_done(error: Exception, words: list[str]) -> int:
    """The exit status after an error that is none of the tree: a package is missing, or it is a defect."""
    if isinstance(error, ModuleNotFoundError) and (error.name or "").partition(".")[0] in _SERVER_MODULES:
        sys.stderr.write(f"logdrain: `{words[0]}` needs packages that are not installed: {error.name}\n")
        sys.stderr.write("hint: pip install 'logdrain[server]'\n")
        return 1
    _tell_defect(error, in_full=_wants_all(words))
    return _DEFECT_STATUS


def _wants_all(words: list[str]) -> bool:
    """Whether to show a traceback: what ends a server may not come again, its log needs it at once."""
    return os.environ.get("LOGDRAIN_DEBUG") == "1" or words[0] in _SERVERS


def _not_written(error: OSError, words: list[str]) -> int:
    """The exit status where the output ends early: nobody reads any more, or a disk is full."""
    if not isinstance(error, BrokenPipeError) and error.errno not in _DISK_FULL:
        _tell_defect(error, in_full=_wants_all(words))
        return _DEFECT_STATUS
    # The interpreter must not try to flush again what could not be written.
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    if isinstance(error, BrokenPipeError):
        return 128 + signal.SIGPIPE
    sys.stderr.write(f"logdrain: nothing more can be written: {error.strerror}\n")
    sys.stderr.write("hint: make room where the output goes, and in TMPDIR\n")
    return 1


def _tell_defect(error: Exception, *, in_full: bool) -> None:
    if in_full:
        sys.stderr.write(log.mask(traceback.format_exc()))
    origin = traceback.extract_tb(error.__traceback__)[-1]
    what = " ".join(f"{type(error).__name__}: {error}".split())
    place = f"{Path(origin.filename).name}:{origin.lineno}"
    sys.stderr.write(f"logdrain: internal error: {log.printable(log.mask(what))} ({place})\n")
    sys.stderr.write("hint: please report it, with what LOGDRAIN_DEBUG=1 shows\n")


def _check_encoding(words: list[str]) -> None:
    """Refuse words that the locale could not decode.

    Raises:
        UsageError: with the first of them.
    """
    for word in words:
        if any("\ud800" <= char <= "\udfff" for char in word):
            raise UsageError(f"{word!r} is not in the locale's encoding", hint="use UTF-8: LANG=C.UTF-8")


def _dispatch(words: list[str]) -> int:
    _check_encoding(words)
    if not words or words[0] in ("-h", "--help", "help"):
        sys.stdout.write(_overview())
        return 0 if words else UsageError.exit_status
    if words[0] in ("-V", "--version"):
        sys.stdout.write(f"logdrain {version('logdrain')}\n")
        return 0
    command = commands.find(words[0])
    if command is None:
        hint = nearest_hint(words[0], commands.COMMANDS, "`logdrain --help` lists the commands")
        if members := commands.group(words[0]):
            hint = f"there are {', '.join(members)}"
        raise UsageError(f"there is no command {words[0]!r}", hint=hint)
    one_word = ":".join(words[:2])
    if words[1:] and words[0] not in commands.COMMANDS and commands.find(one_word):
        raise UsageError(f"{' '.join(words[:2])!r} is one word here", hint=f"write `logdrain {one_word}`")
    module = importlib.import_module(f"logdrain.cli.{command.module}")
    parser = WordsParser(
        prog=f"logdrain {words[0]}",
        description=command.summary[0].upper() + command.summary[1:] + ".",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    function = commands.function_name(words[0])
    getattr(module, f"add_{function}_arguments")(parser)
    status = getattr(module, f"run_{function}")(parser.parse_intermixed_args(words[1:]))
    sys.stdout.flush()
    return int(status)


def _overview() -> str:
    width = max(map(len, commands.COMMANDS))
    lines = ["usage: logdrain COMMAND [ARGUMENT ...]", ""]
    for heading, section in commands.SECTIONS.items():
        lines += [
            heading,
            *(f"  {name:<{width}}  {command.summary}" for name, command in section.items()),
            "",
        ]
    lines.append("`logdrain COMMAND --help` tells more. Start with `logdrain up`.\n")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
