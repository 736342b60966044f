"""Words of a command line as users of steinbock write them."""

from collections import deque
from collections.abc import Iterable, Iterator

_FLAGS = {"DEBUG": ["-v"], "INFO": [], "WARNING": [], "ERROR": ["-q"], "CRITICAL": ["-q"]}
_VERBOSITY = ("-v", "--verbosity")


def in_our_words(words: Iterable[str]) -> Iterator[str]:
    """Translate `-v LEVEL` and `--verbosity LEVEL`; what stands behind `--` is left alone."""
    left = deque(words)
    while left and left[0] != "--":
        word = left.popleft()
        flag, _, level = word.partition("=")
        if flag not in _VERBOSITY:
            yield word
            continue
        if not level and left and left[0].upper() in _FLAGS:
            level = left.popleft()
        yield from _FLAGS.get(level.upper(), [word])
    yield from left
