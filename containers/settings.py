"""What an operator may change about runs of Ilastik outside this process."""

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    Field,
    PositiveFloat,
    PositiveInt,
    model_validator,
)

from containers.presets import DEFAULT_IMAGE

PullPolicy = Literal["never", "missing", "always"]
MIB = 2**20
PATH_MAP_WANTED = "write INSIDE:OUTSIDE, two paths from the root, such as /data:/srv/lab"


class PathMapping(BaseModel, frozen=True, extra="forbid"):
    """A folder that has one path here and another one on the engine's machine."""

    inside: Path  # as this process names it
    outside: Path  # as the engine's machine names it

    @model_validator(mode="before")
    @classmethod
    def _from_text(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        inside, separator, outside = value.partition(":")
        if not separator or not outside:
            raise ValueError(f"{PATH_MAP_WANTED}, not {value or 'nothing'}")
        return {"inside": inside, "outside": outside}

    @model_validator(mode="after")
    def _paths_are_absolute(self) -> Self:
        if not (self.inside.is_absolute() and self.outside.is_absolute()):
            raise ValueError(f"{PATH_MAP_WANTED}, not {self}")
        return self

    def __str__(self) -> str:
        return f"{self.inside}:{self.outside}"


class PathMap(tuple[PathMapping, ...]):
    """All such folders; its text is that of the variable."""

    __slots__ = ()

    def __str__(self) -> str:
        return ",".join(map(str, self))


def split_at_commas(value: object) -> object:
    """Split text from a variable, or the texts of a command line, into their parts."""
    texts = [value] if isinstance(value, str) else value
    if not isinstance(texts, list | tuple) or not all(isinstance(text, str) for text in texts):
        return value
    return [part for text in texts for part in text.split(",") if part]


class IlastikLimits(BaseModel, frozen=True, extra="forbid"):
    """What each run of Ilastik may take."""

    cpus: PositiveFloat | None = Field(
        None, description="cores per run; without a number, a fair share"
    )
    memory_bytes: Annotated[int, Field(ge=64 * MIB)] = Field(
        4096 * MIB, description="memory of the first attempt; less where the share is smaller"
    )
    timeout_s: PositiveFloat = Field(3600.0, description="seconds per image")
    parallel: PositiveInt = Field(1, description="runs that share the machine at the same time")
    batch: PositiveInt = Field(1, le=1000, description="images per run")


class ContainerSettings(IlastikLimits, frozen=True, extra="forbid"):
    """How Ilastik is run in a container."""

    image: str = Field(DEFAULT_IMAGE, min_length=1, description="image reference")
    program: str | None = Field(
        None,
        pattern="^/",
        description="path of run_ilastik.sh in the image; known images need none",
    )
    pull: PullPolicy = Field("missing", description="when to pull the image")
    engine: str | None = Field(
        None, description="address of the engine; else DOCKER_HOST, else the local socket"
    )
    memory_ceiling_bytes: PositiveInt | None = Field(
        None,
        description="most memory of a run that was killed for memory before; else a fair share",
    )
    pids: PositiveInt = Field(512, description="most processes and threads per run")
    path_map: Annotated[
        tuple[PathMapping, ...], BeforeValidator(split_at_commas), AfterValidator(PathMap)
    ] = Field(
        (), description="INSIDE:OUTSIDE for folders that the engine's machine names differently"
    )


class LocalSettings(IlastikLimits, frozen=True, extra="forbid"):
    """How an Ilastik that is installed on this machine is run."""

    program: Path = Field(description="run_ilastik.sh")


class ApptainerSettings(IlastikLimits, frozen=True, extra="forbid"):
    """How Ilastik is run by Apptainer."""

    image: str = Field(
        f"docker://{DEFAULT_IMAGE}",
        min_length=1,
        description="a .sif file, a sandbox folder, or docker://… that is built once",
    )
    program: str | None = Field(
        None,
        pattern="^/",
        description="path of run_ilastik.sh in the image; known images need none",
    )
    pull: PullPolicy = Field("missing", description="when a docker://… image is built")
    cache: Path = Field(
        Path("~/.cache/ilpix/apptainer"),
        description="folder for built images, on a disk that all nodes see",
    )


def path_on_engine(path: Path, path_map: tuple[PathMapping, ...]) -> Path:
    """Return what the engine's machine calls `path`; the most specific mapping decides."""
    absolute = path.resolve()
    fitting = [m for m in path_map if absolute.is_relative_to(m.inside.resolve())]
    if not fitting:
        return absolute
    mapping = max(fitting, key=lambda m: len(m.inside.resolve().parts))
    return mapping.outside / absolute.relative_to(mapping.inside.resolve())
