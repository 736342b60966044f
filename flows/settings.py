"""What an operator may set for all runs on a machine: `ILPIX_…` variables or a `.env` file."""

import os
from typing import Literal, Self

from pydantic import Field, PositiveInt, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from containers.settings import ContainerSettings, LocalSettings

PREFIX = "ILPIX_"


class Settings(BaseSettings):
    """The machine's part of a run: where and how wide work runs, never what it computes."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, env_nested_delimiter="__", frozen=True, extra="forbid")

    engine: Literal["embedded", "docker", "local"] = Field(
        "embedded", description="how images are predicted where a run does not choose"
    )
    task_runner: Literal["threads", "processes", "dask"] = Field(
        "threads", description="what runs the tasks of a flow"
    )
    dask_address: str | None = Field(
        None, description="scheduler of a running Dask cluster; without one a local cluster is started"
    )
    parallel: PositiveInt | None = Field(
        None, description="images at the same time; without it chosen from cores and memory"
    )
    threads: PositiveInt | None = Field(
        None, description="threads for each image; without it the cores divided among the images"
    )
    chunk_size: PositiveInt = Field(
        64, description="images handled by one submitted task where there are more than 1000"
    )
    container: ContainerSettings = Field(
        ContainerSettings(), description="how Ilastik is run in a container"
    )
    local: LocalSettings | None = Field(
        None, description="the Ilastik that is installed on this machine"
    )

    @model_validator(mode="after")
    def _variables_are_known(self) -> Self:
        known = {(PREFIX + name).upper() for name in type(self).model_fields}
        given = {name.upper() for name in os.environ if name.upper().startswith(PREFIX)}
        if unknown := sorted(name for name in given if name.partition("__")[0] not in known):
            raise ValueError(f"unknown variables {', '.join(unknown)}; known are {sorted(known)}")
        return self
