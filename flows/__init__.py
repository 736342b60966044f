"""What happens in which order: one flow per verb, the settings and the command line."""

from flows.classify import classify
from flows.fix import fix
from flows.options import FixOptions, PrepareOptions, RunOptions, TrainOptions
from flows.prepare import prepare
from flows.run import run
from flows.settings import Settings
from flows.train import train

__all__ = [
    "FixOptions",
    "PrepareOptions",
    "RunOptions",
    "Settings",
    "TrainOptions",
    "classify",
    "fix",
    "prepare",
    "run",
    "train",
]
