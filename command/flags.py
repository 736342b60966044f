"""Which verb knows a flag, for a person who gave it to another one."""

from collections.abc import Iterator
from difflib import get_close_matches

from cyclopts import App

from ilpix.errors import name_some

_NEAR = 0.75  # of 1; below, words only share some letters
_SHORTEST_BEGINNING = 3  # letters that may stand for a longer flag


def tell_flag(app: App, verb: tuple[str, ...], flag: str) -> str:
    """Say that a verb has no flag of this name, and which one was meant.

    Args:
        app: the whole program.
        verb: its words behind the program's name.
        flag: with its dashes.
    """
    flags = flags_of_verbs(app)
    here = flags.get(verb, [])
    others = [" ".join(other) for other, names in flags.items() if flag in names]
    steps = [name for name in here if name.endswith(f".{flag.lstrip('-')}")]
    told = f"{' '.join(('ilpix', *verb))} has no flag {flag}"
    if steps:
        return f"{told}; flags of a step begin with its name: {' or '.join(steps)}"
    if others:
        return f"{told}; it belongs to ilpix {name_some(others)}"
    near = near_word(flag, here)
    return f"{told}; did you mean {near}?" if near else told


def flags_of_verbs(app: App) -> dict[tuple[str, ...], list[str]]:
    """Return the flags of each verb, by the words of the verb."""
    return dict(_flags_below(app, ()))


def near_word(word: str, known: list[str]) -> str:
    """Return a word that differs by a slip, or that begins so; empty where there is none."""
    bare = {other.lstrip("-"): other for other in known}
    wanted = word.lstrip("-").casefold()
    longer = [other for other in bare if other.startswith(wanted)]
    if len(longer) == 1 and len(wanted) >= _SHORTEST_BEGINNING:
        return bare[longer[0]]
    near = get_close_matches(wanted, bare, n=1, cutoff=_NEAR)
    return bare[near[0]] if near else ""


def _flags_below(app: App, verb: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], list[str]]]:
    if verb and app.default_command:
        arguments = app.assemble_argument_collection()
        names = [name for argument in arguments if argument.parse for name in argument.names]
        yield verb, [name for name in names if name.startswith("-")]
    for name in app:
        if not name.startswith("-"):
            yield from _flags_below(app[name], (*verb, name))
