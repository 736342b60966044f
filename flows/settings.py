"""What an operator may set for all runs on a machine: `ILPIX_…` variables or a `.env` file."""

import os
from pathlib import Path
from typing import Literal, Self

from pydantic import Field, PositiveFloat, PositiveInt, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

PREFIX = "ILPIX_"


class Settings(BaseSettings):
    """The machine's part of a run: where and how wide work runs, never what it computes."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, env_file=".env", frozen=True, extra="ignore")

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
    ilastik_image: str = Field(
        "biocontainers/ilastik:1.4.2_cv1", description="container image that holds Ilastik"
    )
    ilastik_path: str | None = Field(
        None, description="run_ilastik.sh inside the image; without it known for the usual images"
    )
    local_ilastik: Path | None = Field(None, description="run_ilastik.sh on this machine")
    container_memory_bytes: PositiveInt = Field(4 * 2**30, description="memory of one container")
    container_memory_ceiling_bytes: PositiveInt = Field(
        16 * 2**30, description="memory up to which a container killed for memory is tried again"
    )
    container_timeout_s: PositiveFloat = Field(3600.0, description="time for one container run")
    host_data_root: Path | None = Field(
        None, description="what `data_root` is called on the host, where flows run in a container"
    )
    data_root: Path | None = Field(None, description="folder below which data directories lie")

    @model_validator(mode="after")
    def _variables_are_known(self) -> Self:
        known = {(PREFIX + name).upper() for name in type(self).model_fields}
        given = {name.upper() for name in os.environ if name.upper().startswith(PREFIX)}
        if unknown := sorted(given - known):
            raise ValueError(f"unknown variables {', '.join(unknown)}; known are {sorted(known)}")
        return self
