"""Prefect's server in the course of a run. It is a convenience: results do not depend on it.

A server that goes away in mid-run is waited for; one that does not come back is said once to be
gone. From then on nothing is sent to it any more: the run goes on, and ends as it would have.
"""

import logging
import time
from collections.abc import Callable
from contextlib import ExitStack
from contextvars import ContextVar
from threading import Event
from typing import TypeVar

import httpx
from prefect.context import FlowRunContext
from prefect.events.schemas.events import Event as ServerEvent
from prefect.events.worker import EventsWorker
from prefect.settings import PREFECT_CLIENT_MAX_RETRIES, temporary_settings

from flows.running.reaching import why_no_answer

PATIENCE_S = 8.0  # for a server that is started anew while somebody waits at a terminal
LOOK_EVERY_S = 0.5

T = TypeVar("T")
_gone = Event()
# Open as long as somebody waits for the run; None in a deployed one, which has Prefect's patience.
_waiting: ContextVar[ExitStack | None] = ContextVar("ilpix_waiting", default=None)
_log = logging.getLogger(__name__)


_send = EventsWorker._handle  # noqa: SLF001 - Prefect gives events to no worker of ours


async def _send_until_gone(worker: EventsWorker, event: ServerEvent) -> None:
    """Send an event to the server until it is gone; Prefect tries each for up to seven seconds."""
    if not _gone.is_set():
        await _send(worker, event)


EventsWorker._handle = _send_until_gone  # type: ignore[method-assign, assignment] # noqa: SLF001


def is_gone() -> bool:
    """Tell whether the server of this run went away and did not come back."""
    return _gone.is_set()


def begin_waiting(until: ExitStack) -> None:
    """Wait for a server no longer than a person does, until the end of a stack."""
    _gone.clear()
    token = _waiting.set(until)
    until.callback(_waiting.reset, token)


def on_server(record: Callable[[], T]) -> T | None:
    """Record something on the server; None where there is none any more."""
    look_after_server()
    if is_gone():
        return None
    try:
        return record()
    except httpx.TransportError:
        _give_up()
    return None


def end_with_server() -> None:
    """Prepare the end of a flow, which is told to the server: five times, for a minute each."""
    look_after_server()
    if is_gone() and (until := _waiting.get()):
        until.enter_context(temporary_settings({PREFECT_CLIENT_MAX_RETRIES: 0}))


def look_after_server() -> None:
    """Look whether the server of this run answers; where it does not in time, say so once.

    Nobody waits for a deployed run: there it is left to Prefect, which tries for a minute.
    """
    if _waiting.get() is None or is_gone() or not (address := _address()):
        return
    end = time.monotonic() + PATIENCE_S
    while why_no_answer(address):
        if time.monotonic() > end:
            _give_up()
            return
        time.sleep(LOOK_EVERY_S)


def _address() -> str:
    context = FlowRunContext.get()
    return str(context.client.api_url) if context else ""


def _give_up() -> None:
    _gone.set()
    _log.warning(
        "Prefect's server at %s went away: its record of this run is not complete; results, report "
        "and ilpix_run.json are",
        _address(),
    )
