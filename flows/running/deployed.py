"""Runs of deployments: their values of groups, which Prefect replaces as a whole; their words."""

from typing import Any
from uuid import UUID

from prefect.client.orchestration import SyncPrefectClient
from prefect.context import FlowRunContext
from prefect.exceptions import ObjectNotFound
from pydantic import BaseModel

from flows.running.form_words import in_words_of_forms
from ilpix.wording import read_elsewhere


def filled_from_deployment(parameters: dict[str, Any]) -> dict[str, Any]:
    """Return the parameters of a flow; values of a group that were not given are the deployment's.

    Args:
        parameters: by name; groups are models.
    """
    usual = _parameters_of_deployment()
    return {name: _filled(value, usual.get(name)) for name, value in parameters.items()}


def speak_as_forms_do() -> None:
    """Put texts into the words of forms, if this is the run of a deployment: it is read there."""
    if _deployment(FlowRunContext.get()):
        read_elsewhere(in_words_of_forms)


def _deployment(context: FlowRunContext | None) -> UUID | None:
    return context.flow_run.deployment_id if context and context.flow_run else None


def _parameters_of_deployment() -> dict[str, Any]:
    context = FlowRunContext.get()
    deployment = _deployment(context)
    if context is None or deployment is None or not isinstance(context.client, SyncPrefectClient):
        return {}
    try:
        return dict(context.client.read_deployment(deployment).parameters)
    except ObjectNotFound:  # deleted since
        return {}


def _filled(value: Any, usual: Any) -> Any:
    if not (isinstance(value, BaseModel) and isinstance(usual, dict)):
        return value
    return type(value).model_validate({**usual, **value.model_dump(exclude_unset=True)})
