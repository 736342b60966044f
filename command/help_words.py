"""What help says of a flag, where cyclopts would say it in the words of Python."""

import re
from typing import TYPE_CHECKING

from attrs import evolve
from cyclopts.help import DefaultFormatter, HelpPanel

if TYPE_CHECKING:
    from rich.console import Console, ConsoleOptions

_KINDS = {"STR": "TEXT", "INT": "NUMBER", "FLOAT": "NUMBER"}


def shown_default(value: object) -> str | None:
    """Say what holds where a flag is not given; nothing for a switch that is off, or no value."""
    match value:
        case None | False | ():
            return None
        case True:
            return "yes"
        case float():
            return f"{value:g}"
        case tuple():
            return ",".join(map(str, value))
    return str(value)


def in_words(text: str) -> str:
    """Name the kinds of values that flags take; several are one text with commas."""
    return re.sub(rf"\b({'|'.join(_KINDS)})\b(\.\.\.)?", lambda kind: _KINDS[kind[1]], text)


class PlainHelp(DefaultFormatter):
    """Show lists of flags and verbs."""

    def __call__(self, console: "Console", options: "ConsoleOptions", panel: HelpPanel) -> None:
        """Show one of them."""
        entries = [evolve(entry, metavar=in_words(entry.metavar or "")) for entry in panel.entries]
        super().__call__(console, options, evolve(panel, entries=entries))
