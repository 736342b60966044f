"""What is wrong with the words of a command."""

from functools import reduce
from typing import Literal, get_args, get_origin

from cyclopts import App, CoercionError, CycloptsError, MissingArgumentError, UnknownOptionError
from cyclopts.exceptions import (
    CombinedShortOptionError,
    RepeatArgumentError,
    UnknownCommandError,
    UnusedCliTokensError,
)
from cyclopts.exceptions import ValidationError as RefusedError
from pydantic import ValidationError

from command.flags import flags_of_verbs, near_word, tell_flag
from command.wrong_values import wrong_values

_KINDS = {"int": "a whole number", "float": "a number"}


def usage_message(error: CycloptsError, app: App) -> str:
    """Say what is wrong with a command, in a line for each value that is, and where to read on."""
    verb = " ".join(["ilpix", *(error.command_chain or ())])
    lists_verbs = not error.command_chain or isinstance(error, UnknownCommandError)
    return f"{_message(error, app)}\n{verb} --help lists {'verbs' if lists_verbs else 'flags'}"


def _message(error: CycloptsError, app: App) -> str:
    argument, verb = error.argument, tuple(error.command_chain or ())
    name = argument.name if argument else ""
    if argument and argument.children and argument.tokens:
        return _no_step(name)
    if isinstance(error.__cause__, ValidationError):
        return "\n".join(wrong_values(error.__cause__, _step(name)))
    match error:
        case UnusedCliTokensError():
            told = _no_place(error.unused_tokens or [], app, verb)
        case UnknownCommandError():
            told = _no_verb((error.unused_tokens or [""])[0], app, verb)
        case UnknownOptionError():
            flag = error.token.keyword or error.token.value
            told = tell_flag(app, verb, flag.partition("=")[0])
        case RepeatArgumentError():
            told = f"{error.token.keyword} is given more than once"
        case MissingArgumentError() if name:
            told = _missing(error.keyword or name, verb)
        case CoercionError() if argument and error.token:
            told = f"{error.token.keyword or name} {_wanted(argument.hint, error.token.value)}"
        case RefusedError() if argument:
            told = f"{name} {error.exception_message}, not {argument.tokens[-1].value}"
        case CoercionError() if error.token and error.token.keyword:
            told = _no_step(error.token.keyword)
        case CombinedShortOptionError():
            told = "several flags are written as one; write each with a dash of its own"
        case _:
            told = str(error)
    return told


def _missing(name: str, verb: tuple[str, ...]) -> str:
    if name.startswith("-"):
        return f"{name} needs a value behind it"
    return f"{name} is missing: ilpix {' '.join(verb)} {name}"


def _no_place(words: list[str], app: App, verb: tuple[str, ...]) -> str:
    example = ", such as --data-dir FOLDER" if "--data-dir" in flags_of_verbs(app)[verb] else ""
    return f"{' '.join(words)!r} has no place here; every choice has a flag{example}"


def _no_step(flag: str) -> str:
    return f"{flag} takes no value; flags of a step begin with its name, such as {flag}.ilp"


def _no_verb(word: str, app: App, above: tuple[str, ...]) -> str:
    if word.startswith("-"):
        return f"{word} is no verb; flags stand behind one, such as ilpix run -C"
    verbs = [name for name in reduce(App.__getitem__, above, app) if not name.startswith("-")]
    told = f"{word!r} is no verb of {' '.join(('ilpix', *above))}"
    near = near_word(word, verbs)
    return f"{told}; did you mean {near}?" if near else f"{told}, which has {', '.join(verbs)}"


def _wanted(hint: object, given: str) -> str:
    if get_origin(hint) is Literal:
        return f"must be {' or '.join(map(str, get_args(hint)))}, not {given}"
    if hint is bool:
        return f"is a switch and takes no value; leave out ={given}"
    kind = _KINDS.get(getattr(hint, "__name__", ""))
    return f"must be {kind}, not {given}" if kind else f"cannot be {given}"


def _step(name: str) -> str:
    """The name in front of the flags of one step of `classify`; empty elsewhere."""
    return f"{name.lstrip('-')}." if name.startswith("--") else ""
