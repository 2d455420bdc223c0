"""The program: `logdrain COMMAND …`. Exit status 0 done, 1 failed, 2 the words are off, 70 a defect."""

import argparse
import importlib
import os
import signal
import sys
import traceback
from importlib.metadata import version
from pathlib import Path

from logdrain import log
from logdrain.cli import commands
from logdrain.errors import LogdrainError, UsageError
from logdrain.model.names import nearest_hint

_DEFECT_STATUS = 70  # EX_SOFTWARE of sysexits.h
_SERVERS = frozenset({"up", "serve", "work"})


def main() -> None:
    """Run the command that the process was started with."""
    sys.exit(run(sys.argv[1:]))


def run(words: list[str]) -> int:
    """Run a command; errors become two lines on STDERR."""
    try:
        return _dispatch(words)
    except LogdrainError as error:
        sys.stdout.flush()
        sys.stderr.write(f"logdrain: {log.printable(log.mask(error.message))}\n")
        if error.hint:
            sys.stderr.write(f"hint: {log.printable(log.mask(error.hint))}\n")
        return error.exit_status
    except KeyboardInterrupt:
        return 128 + signal.SIGINT
    except BrokenPipeError:
        # Whoever read our output has seen enough; the interpreter must not try to flush it again.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 128 + signal.SIGPIPE
    except Exception as error:  # noqa: BLE001  # a defect of ours: who meets it needs a line, not our stack
        # What ends a server may not come again: its log needs all of it at once.
        _tell_defect(error, in_full=os.environ.get("LOGDRAIN_DEBUG") == "1" or words[0] in _SERVERS)
        return _DEFECT_STATUS


def _tell_defect(error: Exception, *, in_full: bool) -> None:
    if in_full:
        sys.stderr.write(log.mask(traceback.format_exc()))
    origin = traceback.extract_tb(error.__traceback__)[-1]
    what = " ".join(f"{type(error).__name__}: {error}".split())
    place = f"{Path(origin.filename).name}:{origin.lineno}"
    sys.stderr.write(f"logdrain: internal error: {log.printable(log.mask(what))} ({place})\n")
    sys.stderr.write("hint: please report it, with what LOGDRAIN_DEBUG=1 shows\n")


def _dispatch(words: list[str]) -> int:
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
    module = importlib.import_module(f"logdrain.cli.{command.module}")
    parser = argparse.ArgumentParser(
        prog=f"logdrain {words[0]}",
        description=command.summary[0].upper() + command.summary[1:] + ".",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    module.add_arguments(parser)
    status = module.run(parser.parse_intermixed_args(words[1:]))
    sys.stdout.flush()
    return int(status)


def _overview() -> str:
    width = max(map(len, commands.COMMANDS))
    lines = [f"  {name:<{width}}  {command.summary}" for name, command in commands.COMMANDS.items()]
    return "\n".join(
        [
            "usage: logdrain COMMAND [ARGUMENT ...]",
            "",
            *lines,
            "",
            "`logdrain COMMAND --help` tells more. Start with `logdrain up`.",
            "",
        ]
    )


if __name__ == "__main__":
    main()
