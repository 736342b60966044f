"""The words of the place where a text is read: flags on a terminal, unless somebody sets others."""

from collections.abc import Callable
from contextvars import ContextVar

Words = Callable[[str], str]
_words: ContextVar[Words] = ContextVar("ilpix_words", default=str)


def read_elsewhere(words: Words) -> None:
    """Put texts into other words from now on, in this context and those that are made of it."""
    _words.set(words)


def in_words_of_the_place(text: str) -> str:
    """Return a text as it is to be read where this program runs."""
    return _words.get()(text)
