"""What an operator may say about the jobs of a cluster: `ILPIX_CLUSTER__…`."""

from pathlib import Path
from typing import Annotated, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ByteSize,
    Field,
    NonNegativeInt,
    PositiveInt,
    model_validator,
)

WALLTIME = r"^(\d+-)?\d+(:\d\d){1,2}$"


def split_at_semicolons(value: object) -> object:
    """Split text from a variable into its parts; options of schedulers hold commas."""
    if not isinstance(value, str):
        return value
    return [part.strip() for part in value.split(";") if part.strip()]


class Directives(tuple[str, ...]):
    """Options of a scheduler; their text is that of the variable."""

    __slots__ = ()

    def __str__(self) -> str:
        return ";".join(self)


class ClusterSettings(BaseModel, frozen=True, extra="forbid"):
    """One job of a cluster, and how many of them there may be."""

    queue: str | None = Field(
        None, description="partition or queue of the jobs; without one the cluster's own default"
    )
    account: str | None = Field(None, description="account or project that the jobs are charged to")
    cores: PositiveInt = Field(4, description="cores of a job")
    memory: ByteSize = Field(
        ByteSize(8 * 2**30), ge=2**28, description="memory of a job, such as 8GiB"
    )
    walltime: str = Field("01:00:00", pattern=WALLTIME, description="most time of a job, HH:MM:SS")
    min_jobs: NonNegativeInt = Field(
        0, description="jobs that are kept while a step runs, even if there is less to do"
    )
    max_jobs: PositiveInt = Field(10, description="most jobs at the same time")
    prologue: str | None = Field(
        None, description="shell commands at the start of a job: module load …, source …"
    )
    directives: Annotated[
        tuple[str, ...], BeforeValidator(split_at_semicolons), AfterValidator(Directives)
    ] = Field((), description="more options of the scheduler, separated by ';', such as --qos=long")
    python: Path | None = Field(
        None, description="Python of the jobs; without one the Python that submits them"
    )
    interface: str | None = Field(
        None, description="network interface by which jobs and this machine meet, such as ib0"
    )
    host: str | None = Field(
        None, description="what the compute nodes call this machine; without it found out"
    )
    port: NonNegativeInt = Field(
        0, le=65535, description="where this machine listens to its jobs; 0 takes a free one"
    )

    @model_validator(mode="after")
    def _there_is_room_for_the_fewest(self) -> Self:
        if self.min_jobs > self.max_jobs:
            raise ValueError(f"min_jobs ({self.min_jobs}) is more than max_jobs ({self.max_jobs})")
        return self
