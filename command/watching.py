"""Wait until a person has trained a project in Ilastik and saved it."""

import time
from pathlib import Path

from ilpix.project.errors import ProjectLockedError
from ilpix.project.reading import read_project

POLL_S = 2.0


def is_trained(project: Path) -> bool:
    """Tell whether a project holds a classifier; one that Ilastik is just writing does not yet.

    Raises:
        IlpixError: if the project cannot be read.
    """
    try:
        return read_project(project).has_classifier
    except ProjectLockedError:
        return False


def wait_until_trained(project: Path, poll_s: float = POLL_S) -> None:
    """Return as soon as a project holds a classifier; the file is read only after it has changed.

    Raises:
        IlpixError: if the project cannot be read.
    """
    seen = -1
    while True:
        changed = project.stat().st_mtime_ns
        if changed != seen and is_trained(project):
            return
        seen = changed
        time.sleep(poll_s)
