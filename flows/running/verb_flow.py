"""The flow of a verb: called from Python it is as patient and as quiet as the command line."""

from collections.abc import Callable, Mapping
from contextlib import ExitStack
from contextvars import ContextVar
from functools import partial, wraps
from importlib import import_module
from importlib.metadata import version
from inspect import Signature, signature
from typing import Any, ParamSpec, TypeVar

import httpx
from prefect import Flow
from prefect.context import FlowRunContext
from prefect.settings import PREFECT_API_URL
from pydantic import BaseModel, Field

from flows.running.deployed import filled_from_deployment, speak_as_forms_do
from flows.running.notebook import shown_in_python
from flows.running.quiet import is_quiet, quiet_in_python, tell_server
from flows.running.reaching import require_server
from flows.running.server import begin_waiting, end_with_server, is_gone
from ilpix.errors import IlpixError

P = ParamSpec("P")
R = TypeVar("R")
TITLES = {
    "data_dir": "Data folder",
    "options": "Options",
    "preparing": "Preparing",
    "training": "Training",
    "predicting": "Predicting",
    "if_untrained": "Where nobody has trained",
}
Ended = Callable[[], Any]  # returns or raises what the body of a flow did
_ended: ContextVar[list[Ended]] = ContextVar("ilpix_ended")


class VerbFlow(Flow[P, R]):
    """A flow that does its work also where Prefect's server goes away in the course of it."""

    def __init__(
        self, fn: Callable[P, R], form: Mapping[str, type[BaseModel]] | None = None, **options: Any
    ) -> None:
        super().__init__(fn, **options)
        # what Prefect makes the form of a deployment from
        self.__signature__ = _titled(signature(fn, eval_str=True), form or {})

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[str, str]]:
        """Travel to other processes by name: a body that was wrapped cannot be stored."""
        return _flow_named, (self.fn.__module__, self.fn.__qualname__)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Run the flow; the errors of a verb come without the frames of Prefect.

        Raises:
            ServerUnreachableError: if nothing answers where Prefect's settings name a server.
        """
        if FlowRunContext.get():
            return self.fn(*args, **kwargs) if is_gone() else self._call(*args, **kwargs)
        with ExitStack() as until:
            if not is_quiet():  # not a command, which has seen to both
                until.enter_context(quiet_in_python())
                until.enter_context(shown_in_python())
            if address := PREFECT_API_URL.value():
                require_server(address)
            begin_waiting(until)
            try:
                return self._call(*args, **kwargs)
            except IlpixError as error:
                raise error.with_traceback(None) from None

    def _call(self, *args: Any, **kwargs: Any) -> Any:
        """Run the flow; it has ended also where the server could not be told so."""
        ended: list[Ended] = []
        token = _ended.set(ended)
        try:
            return super().__call__(*args, **kwargs)
        except (httpx.TransportError, RuntimeError):
            if not (is_gone() and ended):
                raise
        finally:
            _ended.reset(token)
        return ended[-1]()


def verb_flow(
    form: Mapping[str, type[BaseModel]] | None = None, **options: Any
) -> Callable[[Callable[P, R]], VerbFlow[P, R]]:
    """Make a function the flow of a verb.

    Args:
        form: models of parameters that a form shows otherwise than Python takes them.
        options: Prefect's.
    """

    def decorate(body: Callable[P, R]) -> VerbFlow[P, R]:
        return VerbFlow(_remembered(body), form, version=version("ilpix"), **options)

    return decorate


def _flow_named(module: str, name: str) -> Any:
    return getattr(import_module(module), name)


def _remembered(body: Callable[P, R]) -> Callable[P, R]:
    """Let a body get what its deployment says, and leave word of how it ended."""

    @wraps(body)
    def remembered(*args: P.args, **kwargs: P.kwargs) -> R:
        tell_server()
        ended = _ended.get([])
        try:
            speak_as_forms_do()
            given = signature(body).bind(*args, **kwargs).arguments
            result = body(**filled_from_deployment(given))  # type: ignore[call-arg]
            ended.append(lambda: result)
        except BaseException as error:
            ended.append(partial(_raise, error))
            raise
        finally:
            end_with_server()
        return result

    return remembered


def _titled(plain: Signature, form: Mapping[str, type[BaseModel]]) -> Signature:
    """Give the parameters of a flow titles: Prefect's forms have their names else."""
    return plain.replace(
        parameters=[
            one.replace(
                default=Field(
                    form[name]() if name in form else one.default,
                    json_schema_extra={"title": TITLES[name]},
                ),
                annotation=form.get(name, one.annotation),
            )
            for name, one in plain.parameters.items()
        ]
    )


def _raise(error: BaseException) -> None:
    raise error
