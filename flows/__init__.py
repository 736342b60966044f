"""What happens in which order in ilpix: one flow per verb, and the settings."""

import tasks.environment  # noqa: F401 - before Prefect and numba are imported
from flows.check import check
from flows.classify import classify
from flows.fix import fix
from flows.importing import import_raw
from flows.options import (
    CheckOptions,
    FixOptions,
    ImportOptions,
    PrepareOptions,
    RunOptions,
    TrainOptions,
)
from flows.prepare import prepare
from flows.run import run
from flows.settings import Settings
from flows.train import train
from ilpix.rooms import require_own_rooms

require_own_rooms()

__all__ = [
    "CheckOptions",
    "FixOptions",
    "ImportOptions",
    "PrepareOptions",
    "RunOptions",
    "Settings",
    "TrainOptions",
    "check",
    "classify",
    "fix",
    "import_raw",
    "prepare",
    "run",
    "train",
]
