"""What predicts: as a person chose, else as the machine is set to; nothing is ignored unsaid."""

from pathlib import Path
from typing import Literal

from containers.local_program import require_program
from flows.errors import IlastikNotUsedError, NoLocalIlastikError
from flows.options import CheckOptions, PredictingOptions
from flows.settings import Settings

EngineKind = Literal["embedded", "docker", "apptainer", "local"]
_OF_ILASTIK = ("mem", "batch", "pull")  # options that say how Ilastik is run outside this process


def engine_kind(options: PredictingOptions | CheckOptions, settings: Settings) -> EngineKind:
    """Return the engine of a run; a program that is named chooses `local`.

    Raises:
        IlastikNotUsedError: if an Ilastik is named for the engine that needs none.
    """
    kind = options.engine or settings.engine
    if kind != "embedded" or options.ilastik is None:
        return kind
    if options.engine is None and Path(options.ilastik).is_file():
        return "local"
    raise IlastikNotUsedError(options.ilastik, Path(options.ilastik).exists())


def local_program(options: PredictingOptions, settings: Settings) -> Path:
    """Return the Ilastik of the engine `local`, as an absolute path.

    Raises:
        NoLocalIlastikError: if nobody says which.
        LocalProgramError: if it cannot be run.
    """
    if options.ilastik:
        return require_program(Path(options.ilastik))
    if settings.local is None:
        raise NoLocalIlastikError
    return require_program(settings.local.program)


def tell_choice(options: PredictingOptions, kind: EngineKind) -> str:
    """Say what was chosen for a person, or changes nothing; empty where there is nothing to say."""
    if kind == "local" and options.engine is None and options.ilastik:
        return f"{options.ilastik} is a program on this machine: engine local"
    unused = [name for name in _OF_ILASTIK if getattr(options, name) is not None]
    if kind != "embedded" or not unused:
        return ""
    return f"engine embedded: {' and '.join(unused)} concern an Ilastik outside, so nothing changes"
