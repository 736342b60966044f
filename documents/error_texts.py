"""The page of the errors: each class with the text that a person reads.

The texts are those of real errors whose facts are their own names in capitals, so that a text with
a condition in it shows what it says where every fact is there.
"""

import dataclasses
import importlib
import pkgutil
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType, NoneType
from typing import Any, Literal, cast, get_args, get_origin, get_type_hints

import annotation
import command
import containers
import flows
import ilpix
import tasks
from documents.docstrings import description_of
from documents.markdown import joined, plain
from ilpix.errors import IlpixError, ProblemsError

_CHECKOUT = str(Path(__file__).parents[1])
_ROOMS = (ilpix, containers, tasks, flows, annotation, command)
_INTRODUCTION = """# Errors

Each cause is a class; all are `ilpix.IlpixError`. On a terminal the text alone is shown, with
exit code 1; in `ilpix_run.json` it is the field `error` and the class is the field `cause`. Words
in capitals stand for what the error is about. Sorted by the place that raises them."""


def page() -> str:
    """Return the page: for each place that raises errors, every class with its text."""
    return joined([_INTRODUCTION, *(_place_section(*place) for place in _places().items())])


def example_of(error: type[IlpixError]) -> IlpixError:
    """Return an error whose facts are their own names in capitals."""
    return cast("IlpixError", _built(error))


def _places() -> dict[str, list[type[IlpixError]]]:
    """The causes of each wing or room, in the order of the imports, which go down the floors."""
    places: dict[str, list[type[IlpixError]]] = {}
    for module in _modules():
        causes = [thing for thing in vars(module).values() if _is_cause(thing, module)]
        if causes:
            places.setdefault(_place(module), []).extend(causes)
    return places


def _modules() -> Iterator[ModuleType]:
    for room in _ROOMS:
        for found in pkgutil.walk_packages(room.__path__, f"{room.__name__}."):
            if not found.name.endswith("__main__"):
                yield importlib.import_module(found.name)


def _is_cause(thing: Any, module: ModuleType) -> bool:
    """Whether a class is a cause that this module declares, not only the base of some."""
    return (
        isinstance(thing, type)
        and issubclass(thing, IlpixError)
        and thing.__module__ == module.__name__
        and thing not in (IlpixError, ProblemsError)
        and not description_of(thing).startswith("Base of")
    )


def _place(module: ModuleType) -> str:
    parts = module.__name__.split(".")
    return ".".join(parts[:-1] if parts[0] == "ilpix" else parts[:1])


def _place_section(place: str, causes: list[type[IlpixError]]) -> str:
    return joined([f"## `{place}`", *map(_section, causes)])


def _section(error: type[IlpixError]) -> str:
    says = str(example_of(error)).replace(_CHECKOUT, "HERE")
    text = "".join(f"> {plain(line)}  \n" for line in says.splitlines())
    return joined([f"### {error.__name__}", plain(description_of(error)), text])


def _built(cls: type[Any]) -> Any:
    hints = get_type_hints(cls)
    return cls(*(_named(fact.name, hints[fact.name]) for fact in dataclasses.fields(cls)))


class _Number(int):
    """A number that is shown as the name of its fact."""

    name: str

    def __new__(cls, name: str) -> "_Number":
        number = super().__new__(cls, 2)
        number.name = name
        return number

    def __format__(self, spec: str) -> str:
        return self.name

    def __str__(self) -> str:
        return self.name

    __repr__ = __str__


def _named(name: str, hint: Any) -> Any:
    """A value of a type that shows the name of its fact."""
    kind, arguments = get_origin(hint) or hint, get_args(hint)
    if kind in (int, float, bool):
        return _Number(name.upper())
    if kind is tuple:
        return tuple(_named(name, item) for item in arguments if item is not Ellipsis)
    if dataclasses.is_dataclass(kind):
        return _built(cast("type[Any]", kind))
    if kind is dict:
        return {_named(name, arguments[0]): _named(name, arguments[1])}
    if arguments:
        first = next(item for item in arguments if item is not NoneType)
        return first if kind is Literal else _named(name, first)
    return kind(name.upper())
