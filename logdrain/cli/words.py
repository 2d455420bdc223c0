"""How the words of a command are read: what is wrong with them is an error as any other."""

import argparse
from typing import NoReturn

from logdrain.errors import UsageError
from logdrain.model.names import nearest_hint

_UNKNOWN = "unrecognized arguments: "
_COUNT_MAX = 1_000_000


def count(text: str) -> int:
    """A number of rows or runs, for argparse."""
    if not (text.isascii() and text.isdecimal() and int(text) <= _COUNT_MAX):
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number from 0 to {_COUNT_MAX}")
    return int(text)


class WordsParser(argparse.ArgumentParser):
    """argparse, but for its way to complain: three lines of usage, and an exit of its own."""

    def error(self, message: str) -> NoReturn:
        """Complain in one line, with a hint.

        Raises:
            UsageError: always.
        """
        hint = f"`{self.prog} --help` shows the words it takes"
        if message.startswith(_UNKNOWN):
            options = [option for action in self._actions for option in action.option_strings]
            hint = nearest_hint(message.removeprefix(_UNKNOWN).partition(" ")[0], options, hint)
        raise UsageError(message, hint=hint)
