"""What is wrong with the words of a command, or with the settings of the machine."""

from collections.abc import Callable, Mapping
from typing import Any

from cyclopts import CoercionError, CycloptsError, MissingArgumentError
from cyclopts.exceptions import RepeatArgumentError, UnknownCommandError, UnusedCliTokensError
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
    lists_verbs = not error.command_chain or isinstance(error, UnknownCommandError)
    return f"{_message(error)}\n{verb} --help lists {'verbs' if lists_verbs else 'flags'}"


def _message(error: CycloptsError) -> str:
    cause = error.__cause__
    if isinstance(cause, ValidationError):
        return "\n".join(wrong_values(cause, _step_of(error)))
    words, name = error.unused_tokens or [""], error.argument.name if error.argument else ""
    match error:
        case UnusedCliTokensError():
            what = f"{' '.join(words)!r} has no place here"
            told = f"{what}; every choice has a flag, such as --data-dir FOLDER"
        case UnknownCommandError() if words[0].startswith("-"):
            told = f"{words[0]} is no verb; flags stand behind one, such as ilpix run -C"
        case RepeatArgumentError():
            told = f"{error.token.keyword} is given more than once"
        case MissingArgumentError() if name.startswith("-"):
            told = f"{name} needs a value behind it"
        case MissingArgumentError() if name:
            told = f"{name} is missing: ilpix {' '.join(error.command_chain or ())} {name}"
        case CoercionError() if name and error.token and (kind := _kind(error)):
            told = f"{name} is {kind}, not {error.token.value}"
        case _:
            told = str(error)
    return told


def _kind(error: CoercionError) -> str | None:
    hint = error.argument.hint if error.argument else None
    return _KINDS.get(getattr(hint, "__name__", ""))


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
