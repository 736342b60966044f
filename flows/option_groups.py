"""How images are prepared and cropped, and what predicts them: choices that several forms show."""

from pathlib import Path
from typing import Any, Literal, Self

from pydantic import (
    Field,
    NonNegativeInt,
    PositiveInt,
    field_validator,
    model_validator,
)

from flows.option_fields import LabelNames, Only, Options, OutputPath, ZeroForNone
from ilpix.data_directory import (
    CROPS,
    IMAGES,
    PANEL,
    PREPARED,
    PROBABILITIES,
    PROJECT,
)
from ilpix.images.preparation_options import PreparationOptions


class CroppingOptions(PreparationOptions):
    """How images are prepared, and which parts of them are cut out for labelling."""

    img: Path = Field(
        IMAGES,
        title="Images",
        description="folder of the images: C×Y×X TIFF, OME-TIFF, OME-Zarr, or folders of one TIFF "
        "per channel",
    )
    panel: Path = Field(
        PANEL, title="Panel", description="table that names the channels, one a row"
    )
    ilp: OutputPath = Field(PROJECT, title="Project", description="the Ilastik project to create")
    imgout: Path = Field(
        PREPARED, title="Prepared images", description="folder for the prepared images"
    )
    cropout: Path = Field(
        CROPS, title="Crops", description="folder for the crops to draw labels on"
    )
    cropsize: PositiveInt = Field(
        512, title="Crop size", description="edge of a crop, in pixels of the scaled image"
    )
    crop_sampling: Literal["steinbock", "per-image"] = Field(
        "steinbock",
        title="Crop sampling",
        description="one random generator for the whole folder as steinbock has it, or one per "
        "image: then adding an image moves no other crop",
    )
    crops: PositiveInt = Field(
        1,
        title="Crops per image",
        description="how many crops of each image; fewer where it has no room",
    )
    seed: NonNegativeInt | None = Field(
        None,
        title="Seed",
        description="decides the crop positions; without one it is drawn and recorded",
    )
    labels: LabelNames = Field(
        ("Nucleus", "Cytoplasm", "Background"),
        title="Classes",
        description="names of the classes, 2 to 20, separated by commas",
        min_length=2,
        max_length=20,
    )
    only: Only = None
    add_crops: bool = Field(
        default=False,
        title="Add crops to the project",
        description="where a project with labels or a classifier is kept: cut crops of the images "
        "that have none and add them; labels and classifier stay, and the project is backed up",
    )
    overwrite: bool = Field(
        default=False,
        title="Replace the project",
        description="replace even one with labels or a classifier; it is kept beside the new one",
    )

    @model_validator(mode="after")
    def _project_is_kept_or_replaced(self) -> Self:
        if self.add_crops and self.overwrite:
            raise ValueError("a project is either replaced or gets further crops, not both")
        return self

    @field_validator("labels", mode="before")
    @classmethod
    def _split_at_commas(cls, labels: Any) -> Any:
        if isinstance(labels, str):
            labels = [labels]
        return tuple(part.strip() for label in labels for part in str(label).split(","))

    @field_validator("labels")
    @classmethod
    def _labels_are_names(cls, labels: tuple[str, ...]) -> tuple[str, ...]:
        if not all(labels) or len(set(labels)) != len(labels):
            raise ValueError(f"class names must differ and not be empty, got {', '.join(labels)}")
        return labels


class PredictingOptions(Options):
    """How prepared images become probability images."""

    ilp: Path = Field(PROJECT, title="Project", description="the trained Ilastik project")
    img: Path = Field(
        PREPARED, title="Prepared images", description="folder of the prepared images"
    )
    probabilities: OutputPath = Field(
        PROBABILITIES,
        title="Probabilities",
        description="folder for the probability images",
    )
    engine: Literal["embedded", "docker", "apptainer", "local"] | None = Field(
        None,
        title="Engine",
        description="embedded: in this process, with Ilastik's own numbers; docker: the official "
        "Ilastik container; local: an Ilastik on the machine. Empty: what the machine is set to",
    )
    ilastik: str | None = Field(
        None,
        title="Ilastik",
        description="for 'local' the path of run_ilastik.sh, which chooses 'local' where no engine "
        "is; for 'docker' the container image",
    )
    threads: ZeroForNone = Field(
        None,
        title="Threads",
        description="threads for each image; empty or 0: the cores shared among the images",
    )
    mem: ZeroForNone = Field(
        None,
        title="Memory",
        description="MB for one container or one local Ilastik; empty or 0: what the machine is "
        "set to",
    )
    parallel: PositiveInt | None = Field(
        None,
        title="Images at a time",
        description="how many images at the same time; empty: chosen from the cores",
    )
    batch: PositiveInt | None = Field(
        None,
        title="Images per run",
        description="how many images a container or a local Ilastik gets; empty: 1",
    )
    pull: Literal["never", "missing", "always"] | None = Field(
        None,
        title="Pull the container image",
        description="when the container image is pulled; empty: when it is missing",
    )
    only: Only = None
    refresh: bool = Field(
        default=False,
        title="Compute again",
        description="compute also what had been computed before",
    )
