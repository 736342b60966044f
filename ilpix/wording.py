"""How texts are put into words: in those of the place where they are read, and how many of a thing.

The words of the place are the flags of a terminal, unless somebody sets others.
"""

from collections.abc import Callable
from contextvars import ContextVar

NOTHING_TO_DO = "nothing to do"  # as a fix says it
Words = Callable[[str], str]
_words: ContextVar[Words] = ContextVar("ilpix_words", default=str)


def read_elsewhere(words: Words) -> None:
    """Put texts into other words from now on, in this context and those that are made of it."""
    _words.set(words)


def in_words_of_the_place(text: str) -> str:
    """Return a text as it is to be read where this program runs."""
    return _words.get()(text)


def counted(number: int, what: str) -> str:
    """Write how many there are of a thing: 1 file, 2 files, 3 classes."""
    several = "es" if what.endswith("s") else "s"
    return f"{number} {what}" if number == 1 else f"{number} {what}{several}"
