"""Every error of ours keeps its type, text and facts on the way out of another process."""

import dataclasses
import importlib
import inspect
import pickle
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal, get_args, get_origin, get_type_hints

import pytest
from tblib import pickling_support

import ilpix.errors
from ilpix.errors import IlpixError

VALUES: dict[Any, Any] = {
    str: "text",
    int: 3,
    float: 1.5,
    bool: True,
    bytes: b"bytes",
    Path: Path("folder/file.h5"),
}


def _errors_of(*modules: str) -> Iterator[type[Exception]]:
    for name in modules:
        for _, error in inspect.getmembers(importlib.import_module(name), inspect.isclass):
            if issubclass(error, Exception) and error.__module__ == name:
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
    if error.__init__ is Exception.__init__:
        return error("text")
    hints = get_type_hints(error.__init__)
    return error(*(_value(hints[name]) for name in list(inspect.signature(error).parameters)))


ERRORS = [*_errors_of("ilpix.errors", "containers.errors")]


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
    assert len(ERRORS) > 10
    assert ilpix.errors.InvalidPanelError in ERRORS
