"""The page of the Python interface: what `ilpix` itself offers."""

import inspect
import re
from collections.abc import Iterator
from dataclasses import is_dataclass
from typing import Any

from pydantic import BaseModel

import ilpix
from documents.comments import comments_of
from documents.docstrings import markdown_of
from documents.markdown import joined, plain, table
from documents.models import fields_table

_INTRODUCTION = """# Python

What a notebook needs, without Prefect and without a container: `from ilpix import ...`. Arrays
are ordered channels (C), rows (Y), columns (X); K is the number of classes. The flows, which keep
records and go on where they stopped, are on the page [Flows](flows.md); what can go wrong on the
page [Errors](errors.md)."""


def page() -> str:
    """Return the page: every public name with its signature and docstring."""
    return joined([_INTRODUCTION, *(_section(name) for name in sorted(dir(ilpix), key=str.lower))])


def _section(name: str) -> str:
    thing = getattr(ilpix, name)
    if not inspect.isclass(thing):
        return joined([f"## `{name}`", _signed(name, thing)])
    return joined([f"## `{name}`", markdown_of(thing), _fields_of(thing), *_methods_of(thing)])


def _fields_of(cls: type[Any]) -> str:
    """The fields of a model, or those of a dataclass that the source says something about."""
    if issubclass(cls, BaseModel):
        return fields_table(cls)
    fields = comments_of(cls) if is_dataclass(cls) and not issubclass(cls, Exception) else {}
    rows = [(f"`{name}`", plain(what)) for name, what in fields.items() if what]
    return table(("field", "what"), rows) if rows else ""


def _methods_of(cls: type[Any]) -> Iterator[str]:
    for name, member in vars(cls).items():
        if not name.startswith("_") and inspect.isroutine(member):
            yield joined([f"### `{cls.__name__}.{name}`", _signed(name, getattr(cls, name))])


def _signed(name: str, thing: Any) -> str:
    return joined([f"```text\n{name}{_parameters(thing)}\n```", markdown_of(thing)])


def _parameters(thing: Any) -> str:
    """The parameters, one a line where there are several; types without their modules."""
    parameters = inspect.signature(thing).parameters.values()
    parts = [_short(str(part)) for part in parameters if part.name != "self"]
    return f"({', '.join(parts)})" if len(parts) < 2 else "(\n    " + ",\n    ".join(parts) + ",\n)"


def _short(parameter: str) -> str:
    named = re.sub(r"<function (\w+) at 0x\w+>", r"\1", parameter)
    array = re.sub(r"numpy\.ndarray\[.*?\]\]", "array", named)
    return re.sub(r"\b(?:[a-z_]\w*\.)+(?=[A-Za-z])", "", array)
