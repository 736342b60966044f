"""What an operator may set for all runs on a machine: `ILPIX_…` variables, also in `.env`."""

import os
from collections.abc import Iterator
from typing import Any, Literal, NamedTuple, Self

from dotenv import dotenv_values
from pydantic import Field, PositiveInt, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from containers.settings import ApptainerSettings, ContainerSettings, LocalSettings
from flows.cluster_settings import ClusterSettings

PREFIX = "ILPIX_"
DOTENV = ".env"  # in the working directory


class Settings(BaseSettings):
    """The machine's part of a run: where and how wide work runs, never what it computes."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_nested_delimiter="__",
        env_file=DOTENV,
        frozen=True,
        enable_decoding=False,  # plain texts, no JSON
        extra="ignore",  # .env may hold the settings of other programs
    )

    engine: Literal["embedded", "docker", "apptainer", "local"] = Field(
        "embedded", description="how images are predicted where a run does not choose"
    )
    task_runner: Literal["threads", "processes", "dask", "ray", "slurm", "pbs", "lsf", "sge"] = (
        Field("threads", description="what runs the tasks of a flow")
    )
    dask_address: str | None = Field(
        None, description="scheduler of a running Dask cluster; without one a local one is started"
    )
    ray_address: str | None = Field(
        None, description="a running Ray cluster; without one a local one is started"
    )
    parallel: PositiveInt | None = Field(
        None, description="images at the same time; without it chosen from the cores"
    )
    threads: PositiveInt | None = Field(
        None, description="threads for each image; without it the cores shared among the images"
    )
    chunk_size: PositiveInt = Field(
        64, description="images that share one task run where there are more than 1000"
    )
    cluster: ClusterSettings = Field(
        ClusterSettings(), description="the jobs of the task runners slurm, pbs, lsf and sge"
    )
    container: ContainerSettings = Field(
        ContainerSettings(), description="how Ilastik is run in a container"
    )
    apptainer: ApptainerSettings = Field(
        ApptainerSettings(), description="how Ilastik is run by Apptainer"
    )
    local: LocalSettings | None = Field(
        None, description="the Ilastik that is installed on this machine"
    )

    @model_validator(mode="after")
    def _variables_are_known(self) -> Self:
        known = {(PREFIX + name).upper() for name in type(self).model_fields}
        given = {name.upper() for name in given_variables()}
        if unknown := sorted(name for name in given if name.partition("__")[0] not in known):
            raise ValueError(
                f"unknown variables {', '.join(unknown)}; known are {', '.join(sorted(known))}"
            )
        return self


class Setting(NamedTuple):
    """One setting as it is in force."""

    variable: str
    value: Any
    source: str  # "environment", ".env" or "default"
    description: str


def given_variables() -> dict[str, str]:
    """Return where each `ILPIX_…` variable was found; the environment wins over `.env`."""
    found = dict.fromkeys(dotenv_values(DOTENV), DOTENV) | dict.fromkeys(os.environ, "environment")
    return {name: source for name, source in found.items() if name.upper().startswith(PREFIX)}


def list_settings(settings: Settings) -> Iterator[Setting]:
    """Yield every setting in force with its source."""
    sources = {name.upper(): source for name, source in given_variables().items()}
    whole = {
        "cluster": settings.cluster,
        "container": settings.container,
        "apptainer": settings.apptainer,
        "local": settings.local,
    }
    for name, field in Settings.model_fields.items():
        variable, part = (PREFIX + name).upper(), whole.get(name)
        source = sources.get(variable, "default")
        if part is None:
            value = getattr(settings, name)
            yield Setting(variable, value, source, str(field.description))
            continue
        for key, inner in type(part).model_fields.items():
            nested = f"{variable}__{key.upper()}"
            yield Setting(
                nested, getattr(part, key), sources.get(nested, source), str(inner.description)
            )
