"""Prefect as a terminal wants it: nothing reported, no waiting, errors said once, by us."""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from prefect.settings import (
    PREFECT_API_URL,
    PREFECT_FLOWS_HEARTBEAT_FREQUENCY,
    PREFECT_SERVER_ANALYTICS_ENABLED,
    PREFECT_SERVER_EPHEMERAL_ENABLED,
    PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS,
    PREFECT_SERVER_LOGGING_LEVEL,
    temporary_settings,
)

_LOGGERS = (
    "prefect",
    "prefect._internal",  # tells how many events are still to be sent at the end
    "prefect.flow_runs",
    "prefect.task_runs",
    "prefect.task_runner",
)

# Waits for a server that was started for this command alone and returns the address of its API.
own_server: ContextVar[Callable[[], str] | None] = ContextVar("ilpix_own_server", default=None)


def has_server() -> bool:
    """Tell whether Prefect's settings name a server, or forbid a temporary one."""
    return bool(PREFECT_API_URL.value()) or not PREFECT_SERVER_EPHEMERAL_ENABLED.value()


@contextmanager
def quiet_prefect(level: int = logging.CRITICAL) -> Iterator[None]:
    """Run flows inside the block with Prefect's own logs held down to `level`."""
    for name in _LOGGERS:
        logging.getLogger(name).setLevel(level)
    settings: dict[Any, Any] = {
        PREFECT_SERVER_ANALYTICS_ENABLED: False,
        PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS: 90,  # slow machines need more than 20
        PREFECT_SERVER_LOGGING_LEVEL: "CRITICAL",
        PREFECT_FLOWS_HEARTBEAT_FREQUENCY: None,  # its thread costs each flow a second at its end
    }
    if wait_for_server := own_server.get():
        settings[PREFECT_API_URL] = wait_for_server()
    with temporary_settings(settings):
        yield
