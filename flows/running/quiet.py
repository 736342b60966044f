"""Prefect as a person wants it: nothing reported, no waiting, errors said once, by us."""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from contextvars import ContextVar
from typing import Any

from prefect.settings import (
    PREFECT_API_URL,
    PREFECT_FLOWS_HEARTBEAT_FREQUENCY,
    PREFECT_LOGGING_EXTRA_LOGGERS,
    PREFECT_LOGGING_INTERNAL_LEVEL,
    PREFECT_LOGGING_LEVEL,
    PREFECT_SERVER_ANALYTICS_ENABLED,
    PREFECT_SERVER_EPHEMERAL_ENABLED,
    PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS,
    PREFECT_SERVER_LOGGING_LEVEL,
    temporary_settings,
)

_LOGGERS = (
    "prefect",
    "prefect.flow_runs",
    "prefect.task_runs",
    "prefect.task_runner",
)
_AT_THE_END = ("EventsWorker", "APILogWorker")  # tell how much is still to be sent to the server
_SETTINGS: dict[Any, Any] = {
    PREFECT_SERVER_ANALYTICS_ENABLED: False,
    PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS: 90,  # slow machines need more than 20
    PREFECT_SERVER_LOGGING_LEVEL: "CRITICAL",
    PREFECT_FLOWS_HEARTBEAT_FREQUENCY: None,  # its thread costs each flow a second at its end
}

# Waits for a server that was started for this command alone and returns the address of its API.
own_server: ContextVar[Callable[[], str] | None] = ContextVar("ilpix_own_server", default=None)
_is_quiet: ContextVar[bool] = ContextVar("ilpix_is_quiet", default=False)


def has_server() -> bool:
    """Tell whether Prefect's settings name a server, or forbid a temporary one."""
    return bool(PREFECT_API_URL.value()) or not PREFECT_SERVER_EPHEMERAL_ENABLED.value()


@contextmanager
def quiet_prefect(level: int = logging.CRITICAL) -> Iterator[None]:
    """Run flows inside the block with Prefect's logs held down to `level`, from now on."""
    for name in (*_LOGGERS, *_AT_THE_END):
        logging.getLogger(name).setLevel(level)
    internal = logging.getLevelName(max(level, logging.ERROR))  # as Prefect has it, or less
    wanted = _SETTINGS | {PREFECT_LOGGING_INTERNAL_LEVEL: internal}
    settings = {name: value for name, value in wanted.items() if name.value() != value}
    if wait_for_server := own_server.get():
        settings[PREFECT_API_URL] = wait_for_server()
    token = _is_quiet.set(True)
    try:
        with temporary_settings(settings) if settings else nullcontext():
            yield
    finally:
        _is_quiet.reset(token)


def tell_server() -> None:
    """Send the server what loggers say that Prefect's settings name, from Prefect's own level on.

    Prefect gives them a handler but no level, and the one that they inherit holds back all but
    warnings.
    """
    level = logging.getLevelNamesMapping()[PREFECT_LOGGING_LEVEL.value()]
    for name in PREFECT_LOGGING_EXTRA_LOGGERS.value():
        logger = logging.getLogger(name)
        if logger.level == logging.NOTSET and level < logger.getEffectiveLevel():
            logger.setLevel(level)


def is_quiet() -> bool:
    """Tell whether flows run quietly already."""
    return _is_quiet.get()


@contextmanager
def quiet_in_python() -> Iterator[None]:
    """Run a flow inside the block quietly; others of the program are as they were afterwards."""
    levels = {name: logging.getLogger(name).level for name in _LOGGERS}
    try:
        with quiet_prefect():
            yield
    finally:
        for name, level in levels.items():
            logging.getLogger(name).setLevel(level)
