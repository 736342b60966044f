"""Who runs this program: as the numbers that containers and schedulers ask for."""

import os
import sys

ANYBODY = 1000  # on Windows, which has no such numbers: the first account of a usual Linux


def user_id() -> int:
    """Return the number of the user."""
    if sys.platform == "win32":
        return ANYBODY
    return os.getuid()


def group_id() -> int:
    """Return the number of the user's group."""
    if sys.platform == "win32":
        return ANYBODY
    return os.getgid()
