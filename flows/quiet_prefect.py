"""Prefect as a terminal wants it: nothing reported, no waiting, errors said once, by us."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from prefect.settings import (
    PREFECT_FLOWS_HEARTBEAT_FREQUENCY,
    PREFECT_SERVER_ANALYTICS_ENABLED,
    PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS,
    PREFECT_SERVER_LOGGING_LEVEL,
    temporary_settings,
)

_LOGGERS = ("prefect", "prefect.flow_runs", "prefect.task_runs", "prefect.task_runner")


@contextmanager
def quiet_prefect(level: int = logging.CRITICAL) -> Iterator[None]:
    """Run flows inside the block with Prefect's own logs held down to `level`."""
    for name in _LOGGERS:
        logging.getLogger(name).setLevel(level)
    settings = {
        PREFECT_SERVER_ANALYTICS_ENABLED: False,
        PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS: 90,  # slow machines need more than 20
        PREFECT_SERVER_LOGGING_LEVEL: "CRITICAL",
        PREFECT_FLOWS_HEARTBEAT_FREQUENCY: None,  # its thread costs each flow a second at its end
    }
    with temporary_settings(settings):
        yield
