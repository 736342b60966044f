"""Prefect's own settings for runs from a terminal, set before Prefect is imported.

What the user has set in the environment stays.
"""

import os

_DEFAULTS = {
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",  # nothing is reported to anybody
    "DO_NOT_TRACK": "1",
    "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "90",  # a slow machine needs more than 20 s
    "PREFECT_SERVER_LOGGING_LEVEL": "CRITICAL",
    "PREFECT_LOGGING_LEVEL": "CRITICAL",  # what went wrong is said once, by us
    "PREFECT_LOGGING_TO_API_WHEN_MISSING_FLOW": "ignore",
    "PREFECT_LOGGING_EXTRA_LOGGERS": "ilpix,containers,tasks,flows",
}


def apply_defaults() -> None:
    """Set each default that the environment does not set."""
    for name, value in _DEFAULTS.items():
        os.environ.setdefault(name, value)
