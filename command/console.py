"""What the command line prints: lines that end between words, errors, progress, JSON."""

import json
import logging
import re
import sys
import textwrap
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any, Literal

from rich.console import Console
from rich.text import Text

from flows.running.moving_line import MovingLine
from flows.running.progress import BarDisplay, display

Loudness = Literal["normal", "quiet", "verbose"]
OUR_LOGGERS = ("annotation", "flows", "tasks", "containers", "ilpix")
_LEVELS = {"normal": logging.INFO, "quiet": logging.ERROR, "verbose": logging.DEBUG}
_HARD_SPACE = "\xa0"
_COMMAND = re.compile(
    r"ilpix [a-z]+( (export|import))?( (-{1,2}[\w-]+( ('[^']*'|[^\s;,)]+))?|[A-Z]{2,}\b))*"
)
_STYLES = {"error:": "bold red", "warning:": "yellow"}

out = Console()
err = Console(stderr=True)


@contextmanager
def moving(loudness: Loudness) -> Iterator[MovingLine | None]:
    """Show on a terminal, while the block is open, that something goes on; elsewhere nothing."""
    if loudness == "quiet" or not err.is_terminal:
        yield None
        return
    with MovingLine("getting ready", err) as line:
        yield line


@contextmanager
def showing_progress(loudness: Loudness, line: MovingLine | None) -> Iterator[None]:
    """Show logs and progress on standard error: a bar on a terminal, plain lines elsewhere.

    Args:
        loudness: how much is said.
        line: what moves where no bar does.
    """
    loggers = [logging.getLogger(name) for name in OUR_LOGGERS]
    before = [(logger.level, logger.handlers, logger.propagate) for logger in loggers]
    for logger in loggers:
        logger.setLevel(_LEVELS[loudness])
        logger.handlers, logger.propagate = [_LogLines()], False
    token = display.set(BarDisplay(err, line)) if line else None
    try:
        yield
    finally:
        if token:
            display.reset(token)
        for logger, (level, handlers, propagate) in zip(loggers, before, strict=True):
            logger.setLevel(level)
            logger.handlers, logger.propagate = handlers, propagate


class _LogLines(logging.Handler):
    """Log messages on standard error, above a bar where there is one."""

    def emit(self, record: logging.LogRecord) -> None:
        level = f"{record.levelname.lower()}: " if record.levelno >= logging.WARNING else ""
        say(f"{level}{record.getMessage()}", err)


def say(text: str, where: Console = out) -> None:
    """Print lines; on a terminal they end between words: no name, path or command is broken."""
    if where.is_terminal:
        text = "\n".join(_wrap(line, where.width) for line in text.splitlines())
    shown = Text(text)
    for mark, style in _STYLES.items():
        if text.startswith(mark):
            shown.stylize(style, 0, len(mark))
    where.print(shown, soft_wrap=True)


def _wrap(line: str, width: int) -> str:
    indent = " " * (len(line) - len(line.lstrip()) + 2)
    whole = _COMMAND.sub(lambda command: command[0].replace(" ", _HARD_SPACE), line)
    filled = textwrap.fill(
        whole, width, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False
    )
    return filled.replace(_HARD_SPACE, " ")


def print_json(value: Any) -> None:
    """Print a value for machines, in ASCII: no console can change a character of it."""
    sys.stdout.write(json.dumps(value, indent=1) + "\n")


def print_lines(lines: Iterable[tuple[str, str]]) -> None:
    """Print what and where, a line each."""
    for what, where in lines:
        say(f"{what}: {where}")


def print_notice(text: str) -> None:
    """Print something that a person has to know or do."""
    say(text, err)


def print_error(text: str) -> None:
    """Print one error."""
    say(f"error: {text}", err)
