"""Wrong values of flags and settings, a sentence each."""

from collections.abc import Callable, Mapping
from typing import Any

from pydantic import ValidationError

from flows.cluster_settings import WALLTIME
from flows.settings import PREFIX, Settings

_PATTERNS = {
    "^[A-Za-z]{2,8}$": "2 to 8 letters, such as YXC",
    "^/": "a path from the root, such as /opt/ilastik/run_ilastik.sh",
    WALLTIME: "a time such as 02:30:00 or 1-12:00:00",
}
_WANTED: Mapping[str, Callable[[dict[str, Any]], str]] = {
    "byte_size": lambda _: "must be an amount such as 8GiB",
    "bool_parsing": lambda _: "must be yes or no",
    "finite_number": lambda _: "must be a number",
    "float_parsing": lambda _: "must be a number",
    "greater_than": lambda facts: f"must be more than {_plain(facts['gt'])}",
    "greater_than_equal": lambda facts: f"must be {_plain(facts['ge'])} or more",
    "int_from_float": lambda _: "must be a whole number",
    "int_parsing": lambda _: "must be a whole number",
    "int_parsing_size": lambda _: "must be a smaller number",
    "less_than": lambda facts: f"must be less than {_plain(facts['lt'])}",
    "less_than_equal": lambda facts: f"must be {_plain(facts['le'])} or less",
    "literal_error": lambda facts: f"must be {facts['expected'].replace(chr(39), '')}",
    "string_pattern_mismatch": lambda facts: f"must be {_PATTERNS[facts['pattern']]}",
    "too_long": lambda facts: f"takes {facts['max_length']} at most",
    "too_short": lambda facts: f"needs {facts['min_length']} or more, separated by commas",
}
_MISPLACED = {
    "extra_forbidden": "is unknown; ilpix settings lists what there is",
    "missing": "is missing, and the other parts need it",
    "string_too_short": "must not be empty",
    "model_type": "takes no value, its parts do; ilpix settings lists them",
}


def wrong_values(error: ValidationError, step: str = "") -> list[str]:
    """Return a line for each wrong value: the flag or variable, what it takes, what it got."""
    return [_told(_name(error, wrong["loc"], step), dict(wrong)) for wrong in error.errors()]


def _name(error: ValidationError, place: tuple[int | str, ...], step: str) -> str:
    names = [part for part in place if isinstance(part, str)]
    if error.title == Settings.__name__:
        return (PREFIX + "__".join(names)).upper() if names else ""
    flag = ".".join(names)
    return f"--{step}{flag.replace('_', '-')}"


def _plain(limit: float) -> str:
    return str(int(limit) if limit == int(limit) else limit)


def _told(name: str, wrong: dict[str, Any]) -> str:
    if misplaced := _MISPLACED.get(wrong["type"]):
        return f"{name} {misplaced}"
    given, wanted = wrong["input"], _WANTED.get(wrong["type"])
    if wanted is None:
        return f"{name}: {str(wrong['msg']).removeprefix('Value error, ')}".removeprefix(": ")
    got = ", ".join(given) if isinstance(given, list | tuple) else given
    return f"{name} {wanted(wrong.get('ctx', {}))}, {f'not {got}' if got else 'and is empty'}"
