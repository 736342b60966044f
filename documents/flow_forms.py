"""The page of the flows and their parameters: what a form asks and a Python call takes."""

import inspect
from collections.abc import Iterator
from typing import Any, get_args, get_type_hints

from prefect import Flow
from pydantic import BaseModel

import flows
from documents.docstrings import description_of, markdown_of
from documents.markdown import joined, table
from documents.models import fields_table
from documents.typing_words import words_of

_INTRODUCTION = """# Flows

`from flows import ...` gives every flow and every model of this page. Called from Python, from
the command line and from a deployment they take the same parameters; forms on a Prefect server
show them by their titles. A misspelt field or a value out of bounds is refused before anything
runs."""
_FLOWS: tuple[Flow[Any, Any], ...] = (
    flows.prepare,
    flows.train,
    flows.run,
    flows.classify,
    flows.fix,
    flows.check,
)


def page() -> str:
    """Return the page: each flow with its parameters, then each model with its fields."""
    models = dict.fromkeys(model for flow in _FLOWS for model in _models_of(flow))
    return joined(
        [_INTRODUCTION, *map(_flow_section, _FLOWS), *(_model_section(model) for model in models)]
    )


def _flow_section(flow: Flow[Any, Any]) -> str:
    hints = get_type_hints(flow.fn)
    rows = [
        (f"`{name}`", _link(hints[name]), _default(parameter))
        for name, parameter in inspect.signature(flow.fn).parameters.items()
    ]
    parameters = table(("parameter", "values", "default"), rows)
    return joined([f"## `{flow.name}`", markdown_of(flow.fn), parameters])


def _model_section(model: type[BaseModel]) -> str:
    return joined([f"## `{model.__name__}`", description_of(model), fields_table(model)])


def _models_of(flow: Flow[Any, Any]) -> Iterator[type[BaseModel]]:
    for hint in get_type_hints(flow.fn).values():
        for kind in (hint, *get_args(hint)):
            if inspect.isclass(kind) and issubclass(kind, BaseModel):
                yield kind


def _link(hint: Any) -> str:
    if inspect.isclass(hint) and issubclass(hint, BaseModel):
        return f"[`{hint.__name__}`](#{hint.__name__.lower()})"
    return words_of(hint)


def _default(parameter: inspect.Parameter) -> str:
    if isinstance(parameter.default, BaseModel):
        return "its defaults"
    return "" if parameter.default is parameter.empty else f"`{parameter.default}`"
