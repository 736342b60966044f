"""What the form of `classify` asks of training and prediction: project and images are its own."""

from pathlib import Path
from typing import Any

from pydantic import ConfigDict, Field

from flows.option_fields import as_form
from flows.options import RunOptions, TrainOptions
from ilpix.data_directory import PREPARED, PROJECT


def _without_own(schema: dict[str, Any]) -> None:
    as_form(schema)
    for name in ("ilp", "img"):
        schema["properties"].pop(name, None)


class TrainingForm(TrainOptions):
    """How labels become a classifier."""

    model_config = ConfigDict(title="TrainOptions", json_schema_extra=_without_own)

    ilp: Path = Field(PROJECT, exclude=True)


class PredictingForm(RunOptions):
    """How prepared images become probability images, and what else is made of these."""

    model_config = ConfigDict(title="RunOptions", json_schema_extra=_without_own)

    ilp: Path = Field(PROJECT, exclude=True)
    img: Path = Field(PREPARED, exclude=True)
