"""Every error of ours keeps its type, text and facts on the way out of another process."""

import dataclasses
import importlib
import inspect
import pickle
import pkgutil
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any, Literal, get_args, get_origin, get_type_hints

import pytest
from tblib import pickling_support

import containers
import ilpix
from containers.run_errors import OutputWrongError
from ilpix.errors import IlpixError
from ilpix.images.errors import InvalidPanelError

VALUES: dict[Any, Any] = {
    str: "text",
    int: 3,
    float: 1.5,
    bool: True,
    bytes: b"bytes",
    Path: Path("folder/file.h5"),
}


def _errors() -> Iterator[type[Exception]]:
    """Every error class of the science and of the engines, wherever it lives."""
    for package in (ilpix, containers):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if "errors" in module.name:
                yield from _errors_of(importlib.import_module(module.name))


def _errors_of(module: ModuleType) -> Iterator[type[Exception]]:
    for _, error in inspect.getmembers(module, inspect.isclass):
        if issubclass(error, Exception) and error.__module__ == module.__name__:
            yield error


def _value(hint: Any) -> Any:
    """Some value of a type: of `X | None` an X, of a tuple one element of each kind."""
    if hint in VALUES:
        return VALUES[hint]
    if dataclasses.is_dataclass(hint):
        hints = get_type_hints(hint)
        return hint(**{field.name: _value(hints[field.name]) for field in dataclasses.fields(hint)})
    arguments = get_args(hint)
    assert arguments, f"say in VALUES what an example of {hint} is"
    if get_origin(hint) is tuple:
        return tuple(_value(argument) for argument in arguments if argument is not Ellipsis)
    return arguments[0] if get_origin(hint) is Literal else _value(arguments[0])


def _example_of(error: type[Exception]) -> Exception:
    hints = get_type_hints(error.__init__)
    return error(*(_value(hints[name]) for name in list(inspect.signature(error).parameters)))


ERRORS = [*_errors()]


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: error.__name__)
def test_an_error_survives_pickling_with_its_text_and_facts(error: type[Exception]) -> None:
    example = _example_of(error)
    copy = pickle.loads(pickle.dumps(example))  # noqa: S301  # made a line above
    assert type(copy) is error
    assert str(copy) == str(example)
    assert vars(copy) == vars(example)


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: error.__name__)
def test_an_error_survives_the_way_back_from_a_dask_worker(error: type[Exception]) -> None:
    example = _example_of(error)
    rebuild, facts, *_ = pickling_support.pickle_exception(example)  # what Dask pickles errors with
    copy = rebuild(*facts)
    assert type(copy) is error
    assert str(copy) == str(example)
    assert vars(copy) == vars(example)


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: error.__name__)
def test_an_error_is_one_of_ours_and_says_when_it_is_raised(error: type[Exception]) -> None:
    assert issubclass(error, IlpixError)
    assert error.__doc__


def test_all_errors_are_looked_at() -> None:
    assert len(ERRORS) > 50
    assert InvalidPanelError in ERRORS
    assert OutputWrongError in ERRORS
