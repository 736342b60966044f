"""What a person may choose for each verb: one frozen model for form, command line and Python.

Paths are taken from the data directory unless they are absolute. Names and defaults of `prepare`,
`fix` and `run` are steinbock's.
"""

from pathlib import Path
from typing import Literal

from pydantic import (
    ConfigDict,
    Field,
)

from flows.option_fields import Only, Options, OutputPath, as_form
from flows.option_groups import CroppingOptions, PredictingOptions
from ilpix.data_directory import (
    CROPS,
    IMAGE_TABLE,
    IMAGES,
    PANEL,
    PREPARED,
    PROBABILITIES,
    PROJECT,
    RAW,
)
from ilpix.images.preparation_options import PreparationOptions
from ilpix.prediction.products import ProductOptions
from ilpix.sources.reading_options import ReadingOptions


class PrepareOptions(ReadingOptions, CroppingOptions):
    """How images become what Ilastik sees, and which parts of them are cut out for labelling."""

    model_config = ConfigDict(frozen=True, extra="forbid", json_schema_extra=as_form)

    @property
    def reading(self) -> ReadingOptions:
        """The part of the choices that decides how files are read."""
        return ReadingOptions(**self.model_dump(include=set(ReadingOptions.model_fields)))

    @property
    def preparation(self) -> PreparationOptions:
        """The part of the choices that decides what a prepared image looks like."""
        return PreparationOptions(**self.model_dump(include=set(PreparationOptions.model_fields)))


class ImportOptions(Options):
    """How raw imaging mass cytometry becomes images."""

    raw: Path = Field(RAW, title="Raw files", description="folder of MCD, TXT and ZIP files")
    panel: Path = Field(
        PANEL,
        title="Panel",
        description="which channels the images get, in which order; made where there is none",
    )
    imgout: Path = Field(IMAGES, title="Images", description="folder for the images")
    infoout: Path = Field(
        IMAGE_TABLE, title="Table of images", description="what each image was made from"
    )
    hpf: float | None = Field(
        None,
        title="Hot pixel filter",
        description="set a pixel that exceeds the largest of its neighbours by more counts than "
        "this to that; 50 is usual; empty: no filter",
        ge=0,
        allow_inf_nan=False,
    )
    only: Only = None


class RunOptions(ProductOptions, PredictingOptions):
    """How prepared images become probability images, and what else is made of these."""

    model_config = ConfigDict(frozen=True, extra="forbid", json_schema_extra=as_form)


class TrainOptions(Options):
    """How labels become a classifier."""

    ilp: Path = Field(PROJECT, title="Project", description="the project that is trained")
    labels: Path | None = Field(
        None,
        title="Label images",
        description="folder of label images named like the crops (uint8, 0 = unlabelled, 1 = first "
        "class), or a CSV table with crop, y, x, label; empty: the labels drawn in the project",
    )
    features: str | None = Field(
        None,
        title="Features",
        description="what the classifier sees: 'all', '>=1px', '>=1px+smoothings', 'fast', or "
        "the CSV table of a choice; empty: what is chosen in the project, else '>=1px'",
    )
    clear: bool = Field(
        default=False,
        title="Clear labels",
        description="an empty label image takes the labels of its crop away; else it is an error",
    )
    seed: int = Field(0, title="Seed", description="decides the forest", ge=0, lt=2**32)
    quality: bool = Field(
        default=True,
        title="Measure the quality",
        description="say how good the classifier is, by forests that have not seen a crop; written "
        "to ilpix_report/training",
    )
    suggest: bool = Field(
        default=False,
        title="Only suggest features",
        description="find features that cross-validation does not miss, say what speed leaving "
        "them out buys, and write the table ilpix_report/training/features.csv; train nothing",
    )
    refresh: bool = Field(
        default=False, title="Train again", description="train although nothing has changed"
    )


class FixOptions(Options):
    """How an existing project and its crops are made to fit."""

    ilp: Path = Field(PROJECT, title="Project", description="the project to fix")
    crop: Path = Field(CROPS, title="Crops", description="folder of its crops")
    probabs: Path = Field(
        PROBABILITIES,
        title="Probabilities",
        description="folder that Ilastik's own export is set to",
    )
    backup: bool = Field(
        default=True, title="Backup", description="keep the old files as X.ilp.bak and X.bak"
    )
    axisorder: str | None = Field(
        None,
        title="Axis order",
        description="axis order of the crops, such as zyxc; empty: each file's own",
    )
    partial: bool = Field(
        default=False,
        title="Go on with what fits",
        description="go on although there are crops without a lane or lanes without a crop",
    )
    rescue: Path | None = Field(
        None,
        title="Rescue into",
        description="do nothing but write what can still be read of a damaged project into this "
        "new one, in the same folder, and say what is missing",
    )
    dry_run: bool = Field(
        default=False, title="Only show the plan", description="say what would be done"
    )


class CheckOptions(Options):
    """What is compared with what."""

    ilp: Path = Field(PROJECT, title="Project", description="the project")
    img: Path = Field(
        PREPARED, title="Prepared images", description="folder of the prepared images"
    )
    probabilities: OutputPath = Field(
        PROBABILITIES,
        title="Probabilities",
        description="folder for the results, whose disk is looked at",
    )
    engine: Literal["embedded", "docker", "apptainer", "local"] | None = Field(
        None, title="Engine", description="what would predict; empty: what the machine is set to"
    )
    ilastik: str | None = Field(
        None, title="Ilastik", description="the container image whose version is compared"
    )
