"""Which images a run works on, and what it says about how they were read."""

import logging
from collections import defaultdict
from collections.abc import Iterable, Sequence
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from flows.errors import NoImageChosenError
from ilpix.errors import name_some
from ilpix.wording import in_words_of_the_place

if TYPE_CHECKING:
    from flows.running.verb_run import VerbRun  # Prefect takes a second to import

_log = logging.getLogger(__name__)


def is_chosen(name: str, only: str | None) -> bool:
    """Tell whether a pattern, where there is one, chooses an image."""
    return only is None or fnmatchcase(name, only)


def choose(names: Sequence[str], only: str | None) -> set[str]:
    """Return the names that a pattern chooses; all where there is none.

    Raises:
        NoImageChosenError: if it chooses none.
    """
    chosen = {name for name in names if is_chosen(name, only)}
    if only is not None and not chosen:
        raise NoImageChosenError(only, tuple(names))
    return chosen


def tell_notes(run: "VerbRun", notes: Iterable[tuple[str, str]]) -> None:
    """Warn once of what several images have in common, and remember it for the manifest.

    Args:
        run: the run of the verb.
        notes: name of an image, and what to know about it.
    """
    names: defaultdict[str, list[str]] = defaultdict(list)
    for name, note in notes:
        names[note].append(name)
    for note, concerned in names.items():
        _log.warning("%s: %s", name_some(concerned), in_words_of_the_place(note))
    if names:
        run.notes.setdefault("about_images", {}).update(names)
