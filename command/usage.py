"""What is wrong with the words of a command, or with the settings of the machine."""

from collections.abc import Callable, Mapping
from typing import Any

from cyclopts import CoercionError, CycloptsError, MissingArgumentError
from cyclopts.exceptions import UnusedCliTokensError
from pydantic import ValidationError

from flows.settings import PREFIX, Settings

_WANTED: Mapping[str, Callable[[dict[str, Any]], str]] = {
    "bool_parsing": lambda _: "must be yes or no",
    "float_parsing": lambda _: "must be a number",
    "greater_than": lambda facts: f"must be more than {facts['gt']}",
    "greater_than_equal": lambda facts: f"must be {facts['ge']} or more",
    "int_from_float": lambda _: "must be a whole number",
    "int_parsing": lambda _: "must be a whole number",
    "less_than": lambda facts: f"must be less than {facts['lt']}",
    "less_than_equal": lambda facts: f"must be {facts['le']} or less",
    "literal_error": lambda facts: f"must be one of {facts['expected'].replace(chr(39), '')}",
    "too_long": lambda facts: f"takes {facts['max_length']} at most",
    "too_short": lambda facts: f"needs {facts['min_length']} at least",
}
_KINDS = {"bool": "a switch and takes no value", "int": "a whole number", "float": "a number"}


def usage_message(error: CycloptsError) -> str:
    """Say what is wrong with a command, in a line for each value that is, and where to read on."""
    verb = " ".join(["ilpix", *(error.command_chain or ())])
    return f"{_message(error)}\n{verb} --help lists {'flags' if error.command_chain else 'verbs'}"


def _message(error: CycloptsError) -> str:
    cause = error.__cause__
    if isinstance(cause, ValidationError):
        return "\n".join(wrong_values(cause, _step_of(error)))
    if isinstance(error, UnusedCliTokensError):
        words = " ".join(error.unused_tokens or ())
        return f"{words!r} has no place here; every choice has a flag, such as --data-dir FOLDER"
    if isinstance(error, MissingArgumentError) and error.argument is not None:
        if not error.argument.name.startswith("-"):
            verb = " ".join(error.command_chain or ())
            return f"{error.argument.name} is missing: ilpix {verb} {error.argument.name}"
        return f"{error.argument.name} needs a value behind it"
    if isinstance(error, CoercionError) and error.token and error.argument is not None:
        kind = _KINDS.get(getattr(error.argument.hint, "__name__", ""))
        return f"{error.argument.name} is {kind}, not {error.token.value}" if kind else str(error)
    return str(error)


def _step_of(error: CycloptsError) -> str:
    """The name in front of the flags of one step of `classify`; empty elsewhere."""
    name = error.argument.name if error.argument is not None else ""
    return f"{name.lstrip('-')}." if name.startswith("--") else ""


def wrong_values(error: ValidationError, step: str = "") -> list[str]:
    """Return a line for each wrong value: the flag or variable, what it takes, what it got."""
    return [_told(_name(error, wrong["loc"], step), dict(wrong)) for wrong in error.errors()]


def _name(error: ValidationError, place: tuple[int | str, ...], step: str) -> str:
    if error.title == Settings.__name__:
        return PREFIX + "__".join(str(part) for part in place).upper() if place else ""
    flag = ".".join(str(part) for part in place if isinstance(part, str))
    return f"--{step}{flag.replace('_', '-')}"


def _told(name: str, wrong: dict[str, Any]) -> str:
    given, wanted = wrong["input"], _WANTED.get(wrong["type"])
    if wanted is None:
        return f"{name}: {str(wrong['msg']).removeprefix('Value error, ')}".removeprefix(": ")
    got = ", ".join(given) if isinstance(given, list | tuple) else given
    return f"{name} {wanted(wrong.get('ctx', {}))}, not {got}"
