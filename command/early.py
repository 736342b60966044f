"""What is found out before Prefect is imported: the commonest mistakes are answered at once.

The flows find the same, and more; here is only what costs less than their start.
"""

from pathlib import Path

from command.given import AllSteps, require_folder
from flows.engine_choice import engine_kind
from flows.options import CheckOptions, RunOptions
from flows.settings import Settings


def refuse_early(data_dir: Path, options: object) -> None:
    """Raise what the flow of a verb would raise for lack of its input.

    Raises:
        IlpixError: naming what is missing or does not fit, as it was given.
    """
    settings = Settings()
    require_folder(data_dir)
    predicting = options.predicting if isinstance(options, AllSteps) else options
    if isinstance(predicting, RunOptions | CheckOptions):
        engine_kind(predicting, settings)
    from command.refusals import refuse  # noqa: PLC0415 - HDF5

    refuse(data_dir, options, settings)
